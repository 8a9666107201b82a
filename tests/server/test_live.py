"""Event streams: a run from its first event, everything a user's scouts do, resuming, the end."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import uuid4

import pytest
from aiohttp import ClientSession
from msgspec import Raw

from scout_cli.core import shape
from scout_cli.core.events import Event
from scout_cli.core.models import Execution, ScoutPatch
from scout_cli.service.subscription import QUEUE
from scout_cli.service.wishes import Wish
from scout_cli.store import events, executions, findings, scouts, steps
from tests.cli.stage import GOAL, LIMITED, SLOW, StagedApp, command
from tests.contract import rows
from tests.server.following import listening
from tests.server.serving import SECRET_KEY, serving, settings


@pytest.fixture
async def staged(database_url):
    """Yield a server on each kind of database, whose runs look at a canned web."""
    async with serving(settings(database_url), opener=StagedApp.open) as server:
        yield server


async def wish(server, who, goal=GOAL):
    """Save a scout."""
    return (await (await server.app.scouts(who.id)).add(Wish(goal=goal, timezone="UTC"))).scout


async def run(server, scout):
    """Run a scout, and return what the agent said."""
    said: list[Event] = []

    async def hear(event):
        said.append(event)

    await (await server.app.runs()).run(scout, hear)
    return said


async def the_run(server, who) -> Execution:
    """Return the newest run of a user, waiting for it to begin."""
    db = await server.app.database()
    sql = "SELECT * FROM scout_executions WHERE user_id = $1 ORDER BY started_at DESC"
    async with asyncio.timeout(20):
        while (found := await db.one(Execution, sql, who.id)) is None:  # noqa: ASYNC110 - any process
            await asyncio.sleep(0.02)
    return found


def path(execution, suffix=""):
    """Return the path of the stream of a run."""
    return f"/api/v1/executions/{execution.id}/events{suffix}"


def named(sent):
    """Return the names of events."""
    return [each.event for each in sent]


async def test_a_run_that_is_over_is_told_from_its_first_event(staged):
    """Every event but tokens comes in the agent's order, as it was said; then how it ended."""
    ann = await staged.sign_up()
    scout = await wish(staged, ann)
    said = await run(staged, scout)
    execution = await the_run(staged, ann)
    async with listening(staged, path(execution), ann) as stream:
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        *sent, end = await stream.rest()
    lasting = [json.loads(shape.encode(each)) for each in said]
    lasting = [each for each in lasting if each["event"] != "token_delta"]
    pages = [each for each in lasting if each["event"] == "page_seen"]
    assert pages
    assert all(each.pop("text") for each in pages)
    for each in sent:
        each.data.pop("text", None)
    assert [each.data for each in sent] == lasting
    assert [each.event for each in sent] == [each["event"] for each in lasting]
    assert [each.id for each in sent] == [f"1-{n}" for n in range(1, len(sent) + 1)]
    assert sent[0].event == "run_started"
    assert sent[-1].event == "run_finished"
    assert (end.event, end.data) == ("end", {"state": "completed", "outcome": "new", "error": None})


async def test_a_run_is_told_while_it_runs(staged):
    """Somebody who listens from the start sees it begin before it has ended."""
    ann = await staged.sign_up()
    scout = await wish(staged, ann, SLOW)
    running = asyncio.create_task(run(staged, scout))
    execution = await the_run(staged, ann)
    async with listening(staged, path(execution), ann) as stream:
        first = await stream.until("step_started")
        assert first[0].event == "run_started"
        assert not running.done()
        running.cancel()
        last = await stream.until("end")
    assert last[-1].data["state"] == "failed"
    await asyncio.gather(running, return_exceptions=True)


async def test_a_run_that_could_not_look_tells_so(staged):
    """The events of a failed attempt are kept, and the end names its outcome."""
    ann = await staged.sign_up()
    scout = await wish(staged, ann, LIMITED)
    await run(staged, scout)
    execution = await the_run(staged, ann)
    async with listening(staged, path(execution), ann) as stream:
        sent = await stream.rest()
    assert "trouble" in named(sent)
    assert named(sent)[-2:] == ["run_finished", "end"]
    assert sent[-1].data["outcome"] == "could_not_look"


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_client_that_was_cut_off_goes_on_where_it_was(staged, how):
    """The id of the last event, in the header or the query, leaves out what came before."""
    ann = await staged.sign_up()
    await run(staged, await wish(staged, ann))
    execution = await the_run(staged, ann)
    async with listening(staged, path(execution), ann) as stream:
        all_ = await stream.rest()
    known = all_[3].id
    more = {"Last_Event_ID": known} if how == "header" else {}
    suffix = "" if how == "header" else f"?after={known}"
    async with listening(staged, path(execution, suffix), ann, **more) as stream:
        assert await stream.rest() == all_[4:]


async def test_json_lines_hold_the_same(staged):
    """`Accept: application/x-ndjson` gives one object a line with id, event and data."""
    ann = await staged.sign_up()
    await run(staged, await wish(staged, ann))
    execution = await the_run(staged, ann)
    async with listening(staged, path(execution), ann) as stream:
        sent = await stream.rest()
    said = await staged.get(path(execution), ann, headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in said.body.splitlines()]
    assert said.headers["Content-Type"] == "application/x-ndjson"
    assert lines == [
        {"id": each.id or None, "event": each.event, "data": each.data} for each in sent
    ]


@pytest.mark.parametrize("bad", ["x", "1", "1-2-3", "-1-1", "1-99999999999", "%C2%B2-1"])
async def test_an_id_that_was_never_given_is_refused(server, bad):
    """Nonsense as the last id is a bad request on both streams."""
    ann = await server.sign_up()
    scout = await wish(server, ann)
    db = await server.app.database()
    execution = rows.execution(scout)
    await executions.add(db, execution)
    for place in (path(execution), "/api/v1/events"):
        if place == "/api/v1/events" and bad == "1-99999999999":
            continue  # a place beyond the end of another log: starts anew
        said = await server.get(f"{place}?after={bad}", ann)
        assert (said.status, said.json["code"]) == (400, "invalid")


async def test_a_run_of_somebody_else_is_not_there(server):
    """Others' runs, and no run at all, are the same 404; nobody without a token comes in."""
    ann, bob = await server.sign_up(), await server.sign_up()
    execution = rows.execution(await wish(server, ann))
    await executions.add(await server.app.database(), execution)
    theirs = await server.get(path(execution), bob)
    none = await server.get(f"/api/v1/executions/{uuid4()}/events", bob)
    assert (theirs.status, none.status) == (404, 404)
    assert theirs.json["detail"] == none.json["detail"]
    assert (await server.get(path(execution))).status == 401
    assert (await server.get("/api/v1/events")).status == 401


async def test_a_run_of_another_process_is_told_live(staged, database_url):
    """`scout run` in a process of its own shows in the stream of everything and in its own."""
    ann = await staged.sign_up()
    db = await staged.app.database()
    await db.execute("DELETE FROM users WHERE is_local")
    await db.execute("UPDATE users SET is_local = $2 WHERE id = $1", ann.id, True)
    scout = await wish(staged, ann)
    env = {**os.environ, "SCOUT_DATABASE_URL": database_url, "SCOUT_SECRET_KEYS": SECRET_KEY}
    async with listening(staged, "/api/v1/events", ann) as everything:
        assert (await everything.next()).event == "ready"
        process = await asyncio.create_subprocess_exec(
            *command("run", str(scout.id), "--json"),
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printing = asyncio.create_task(process.communicate())
        while (begun := await everything.next(30)).event != "execution":
            pass
        assert not printing.done(), (await printing)[1]
        id_ = begun.data["id"]
        async with listening(staged, f"/api/v1/executions/{id_}/events", ann) as stream:
            *sent, end = await stream.rest()
        out, err = await printing
        while (last := await everything.next()).data["record"].get("state") != "completed":
            pass
    assert process.returncode == 0, err
    printed = [json.loads(line) for line in out.splitlines()]
    assert [each.data["at"] for each in sent] == [
        line["at"] for line in printed if line["event"] != "token_delta"
    ]
    assert end.data["outcome"] == last.data["record"]["outcome"] == "new"


async def test_changes_of_a_users_scouts_are_told_with_their_rows(staged):
    """Scout, run, step and finding come as they are stored, each with its id."""
    ann, bob = await staged.sign_up(), await staged.sign_up()
    db = await staged.app.database()
    async with listening(staged, "/api/v1/events", ann) as stream:
        assert (await stream.next()).event == "ready"
        theirs = await wish(staged, bob)
        scout = await wish(staged, ann)
        execution = rows.execution(scout)
        await executions.add(db, execution)
        await steps.start(db, rows.step(execution))
        await findings.add_many(db, [rows.finding(scout)])
        sent = [await stream.next() for _ in range(4)]
    assert named(sent) == ["scout", "execution", "step", "finding"]
    assert {each.data["change"] for each in sent} == {"insert"}
    assert [each.data["record"]["id"] for each in sent] == [each.data["id"] for each in sent]
    assert sent[1].data["record"]["state"] == "running"
    assert str(theirs.id) not in str(sent)
    assert len({each.id for each in sent}) == 4


async def test_the_stream_of_everything_goes_on_where_it_was(staged):
    """What happened between two connections comes when the second one begins."""
    ann = await staged.sign_up()
    db = await staged.app.database()
    async with listening(staged, "/api/v1/events", ann) as stream:
        ready = await stream.next()
    scout = await wish(staged, ann)
    await scouts.update(db, scout.id, ScoutPatch(title="Later"))
    async with listening(staged, "/api/v1/events", ann, Last_Event_ID=ready.id) as stream:
        sent = [await stream.next() for _ in range(3)]
        assert named(sent) == ["ready", "scout", "scout"]
        await db.execute("DELETE FROM scouts WHERE id = $1", scout.id)
        gone = await stream.next()
    assert gone.data["change"] == "delete"
    assert gone.data["record"] is None


async def test_who_missed_too_much_is_told_to_start_anew(server):
    """More than the bound since the last id is one `reset`, not a flood."""
    ann = await server.sign_up()
    db = await server.app.database()
    scout = await wish(server, ann)
    async with listening(server, "/api/v1/events", ann) as stream:
        ready = await stream.next()
    await findings.add_many(db, [rows.finding(scout) for _ in range(QUEUE + 1)])
    async with listening(server, "/api/v1/events", ann, Last_Event_ID=ready.id) as stream:
        sent = [await stream.next(), await stream.next()]
    assert named(sent) == ["ready", "reset"]
    assert sent[1].data == {"why": "overflow"}
    assert sent[1].id


async def test_the_stream_of_a_run_that_is_deleted_ends(staged):
    """Deleting a scout ends the streams of its runs."""
    ann = await staged.sign_up()
    db = await staged.app.database()
    scout = await wish(staged, ann)
    execution = rows.execution(scout)
    await executions.add(db, execution)
    async with listening(staged, path(execution), ann) as stream:
        await db.execute("DELETE FROM scouts WHERE id = $1", scout.id)
        (end,) = await stream.rest()
    assert end.data["state"] == "deleted"


async def test_an_event_cannot_end_its_line(server):
    """Line breaks and colons in what a page says stay inside the data of one event."""
    ann = await server.sign_up()
    db = await server.app.database()
    execution = rows.execution(await wish(server, ann))
    await executions.add(db, execution)
    nasty = "a\n\nevent: end\ndata: {}\r\n\u2028id: 9"
    event = events.StoredEvent(
        execution_id=execution.id,
        fence=1,
        number=1,
        user_id=ann.id,
        kind="trouble",
        data=Raw(shape.encode({"message": nasty})),
        at=rows.AT,
    )
    await db.together(*events.statements([event]))
    async with listening(server, path(execution), ann) as stream:
        sent = await stream.next()
        await executions.finish(
            db,
            rows.execution(await wish(server, ann), **_ended(execution)),
        )
        end = await stream.next()
    assert sent.data == {"message": nasty}
    assert end.event == "end"


def _ended(execution):
    return {
        "id": execution.id,
        "state": "completed",
        "status": "completed",
        "outcome": "nothing_new",
        "completed_at": rows.AT,
    }


async def test_streams_end_when_the_server_stops(tmp_path):
    """Everybody who listens is told, and the server does not wait for them."""
    async with ClientSession() as client, AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(f"sqlite:///{tmp_path}/scout.db"))
        apart = replace(server, client=client)
        ann = await server.sign_up()
        execution = rows.execution(await wish(server, ann))
        await executions.add(await server.app.database(), execution)
        heard = []

        async def listen(place):
            async with listening(apart, place, ann) as stream:
                ready.release()
                heard.append(named(await stream.rest())[-1])

        ready = asyncio.Semaphore(0)
        places = ("/api/v1/events", path(execution))
        tasks = [asyncio.create_task(listen(place)) for place in places]
        for _ in tasks:
            await ready.acquire()
        loop = asyncio.get_running_loop()
        began = loop.time()
        await stack.aclose()
        await asyncio.gather(*tasks)
    assert heard == ["stopping", "stopping"]
    assert loop.time() - began < 3


async def test_a_stream_ends_when_the_session_does(server):
    """Who signs out hears nothing more, at most some seconds later."""
    ann = await server.sign_up()
    async with listening(server, "/api/v1/events", ann) as stream:
        assert (await stream.next()).event == "ready"
        assert (await server.post("/auth/logout", ann)).status in (200, 204)
        assert named(await stream.rest()) == ["unauthorized"]


async def test_a_page_of_an_allowed_origin_may_listen(server):
    """Streams have the headers of every answer: origin, no caching, the id of the request."""
    ann = await server.sign_up()
    origin = "http://localhost:3000"
    async with listening(server, "/api/v1/events", ann, Origin=origin) as stream:
        headers = stream.response.headers
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Request-Id"]
    refused = await server.get("/api/v1/events", ann, headers={"Origin": "https://evil.example"})
    assert refused.status == 403
