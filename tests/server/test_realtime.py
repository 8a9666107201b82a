"""Changes as they happen over the realtime socket, in both spellings, on both databases."""

from __future__ import annotations

from uuid import uuid4

import pytest
from msgspec.structs import replace

from scout_cli.core.models import ScoutPatch
from scout_cli.store import executions, scouts, steps
from scout_cli.store.query.catalogue import TABLES
from tests.contract import rows
from tests.server.phoenix import EXECUTIONS, SCOUTS, STEPS, VERSIONS, filtered, key, page


@pytest.fixture(params=VERSIONS)
def version(request):
    """Return how the client spells its frames."""
    return request.param


async def planted(server, who, **more):
    """Store a scout of somebody and return it."""
    scout = rows.scout(who.id, **more)
    await scouts.add(await server.app.database(), scout)
    return scout


async def run_of(server, scout):
    """Store an execution that runs and return it."""
    execution = rows.execution(scout)
    await executions.add(await server.app.database(), execution)
    return execution


def ended(execution, **more):
    """Return an execution as it is when it has ended."""
    done = {"state": "completed", "status": "completed", "outcome": "new"}
    return replace(execution, **done, completed_at=rows.AT, lease_until=None, **more)


async def test_a_join_repeats_its_bindings_in_their_order(server, version):
    """The reply has every binding as it was asked for, with an id that stays the same."""
    ann = await server.sign_up()
    asked = [
        filtered(EXECUTIONS, f"scout_id=eq.{uuid4()}"),
        STEPS,
        {"event": "INSERT", "schema": "public", "table": "scouts"},
        filtered(EXECUTIONS, "summary_text=not.is.null"),
        {"event": "*", "schema": "*"},
    ]
    async with page(server, ann.token, version) as open_page:
        reply = await open_page.join("many", *asked)
        told = reply.payload["response"]["postgres_changes"]
        assert [{k: v for k, v in each.items() if k != "id"} for each in told] == asked
        assert all(isinstance(each["id"], int) and each["id"] > 0 for each in told)
        assert len({each["id"] for each in told}) == len(told)
        system = await open_page.until("system")
        assert (system.status, system.payload["channel"], system.ref) == ("ok", "many", None)
        again = await open_page.join("many", *asked)
        assert again.payload == reply.payload
        other = await open_page.join("other", *asked)
        ids = {each["id"] for each in other.payload["response"]["postgres_changes"]}
        assert not ids & {each["id"] for each in told}
    async with page(server, None, version) as later:
        assert (await later.join("many", *asked)).payload == reply.payload


async def test_a_run_is_told_row_by_row(server_anywhere, version):
    """Insert, update and delete come with columns and the row, large columns left out."""
    server = server_anywhere
    ann = await server.sign_up()
    scout = await planted(server, ann)
    db = await server.app.database()
    async with page(server, ann.token, version) as open_page:
        await open_page.joined("run", filtered(EXECUTIONS, f"scout_id=eq.{scout.id}"))
        execution = await run_of(server, scout)
        inserted = await open_page.change()
        assert (inserted.topic, inserted.ref) == ("realtime:run", None)
        assert inserted.data["type"] == "INSERT"
        assert inserted.data["record"]["id"] == str(execution.id)
        assert inserted.data["record"]["status"] == "running"
        assert "old_record" not in inserted.data
        assert inserted.data["errors"] is None
        columns = {each["name"]: each["type"] for each in inserted.data["columns"]}
        assert columns["id"] == "uuid"
        assert columns["started_at"] == "timestamptz"
        assert set(columns) == set(inserted.data["record"])
        assert set(columns) < set(TABLES["scout_executions"].by_name)
        assert not {"results_summary", "summary_embedding"} & set(columns)

        await executions.finish(db, ended(execution, summary_text="Nine."))
        updated = await open_page.change()
        assert updated.data["type"] == "UPDATE"
        assert updated.data["record"]["summary_text"] == "Nine."
        assert updated.data["old_record"] == {"id": str(execution.id)}

        await executions.delete(db, [execution.id])
        deleted = await open_page.change()
        assert deleted.data["type"] == "DELETE"
        assert deleted.data["old_record"] == {"id": str(execution.id)}
        assert "record" not in deleted.data
        assert deleted.data["columns"]
        assert await open_page.quiet() == []


async def test_a_change_comes_once_to_a_channel_with_every_id(server):
    """Two bindings that want the same row get one event that names both."""
    ann = await server.sign_up()
    scout = await planted(server, ann)
    async with page(server, ann.token) as open_page:
        both = (filtered(EXECUTIONS, f"scout_id=eq.{scout.id}"), EXECUTIONS, SCOUTS)
        reply = await open_page.join("both", *both)
        ids = [each["id"] for each in reply.payload["response"]["postgres_changes"]]
        await run_of(server, scout)
        assert (await open_page.change()).payload["ids"] == ids[:2]
        assert [each.event for each in await open_page.quiet()] == ["system"]


async def test_a_summary_is_waited_for(server_anywhere):
    """With `summary_text=not.is.null` a run is told of when it has something to say, not before."""
    server = server_anywhere
    ann = await server.sign_up()
    scout = await planted(server, ann)
    db = await server.app.database()
    async with page(server, ann.token) as open_page:
        await open_page.joined("landing", filtered(EXECUTIONS, "summary_text=not.is.null"))
        await open_page.joined("all", EXECUTIONS)
        execution = await run_of(server, scout)
        assert (await open_page.change()).topic == "realtime:all"
        await executions.finish(db, ended(execution, summary_text="Nine."))
        heard = {(await open_page.change()).topic for _ in range(2)}
        assert heard == {"realtime:all", "realtime:landing"}


async def test_the_end_of_a_run_is_told_once_more(server):
    """A page that joins anew just as a run ends hears of the end a second later."""
    ann = await server.sign_up()
    scout = await planted(server, ann)
    execution = await run_of(server, scout)
    db = await server.app.database()
    async with page(server, ann.token) as open_page:
        await open_page.joined("run", EXECUTIONS)
        await executions.finish(db, ended(execution))
        first = await open_page.change()
        await open_page.joined("late", EXECUTIONS)
        again = [await open_page.change(3.0) for _ in range(2)]
        assert {each.topic for each in again} == {"realtime:run", "realtime:late"}
        assert all(each.data == first.data for each in again)


async def test_a_deleted_run_is_not_told_again(server):
    """A run that was cleared within the second does not come back."""
    ann = await server.sign_up()
    scout = await planted(server, ann)
    execution = await run_of(server, scout)
    db = await server.app.database()
    async with page(server, ann.token) as open_page:
        await open_page.joined("run", EXECUTIONS)
        await executions.finish(db, ended(execution))
        await executions.delete(db, [execution.id])
        while (await open_page.change()).data["type"] != "DELETE":
            pass
        with pytest.raises(TimeoutError):
            await open_page.change(1.5)


async def test_heartbeats_are_answered(server, version):
    """A beat on `phoenix` gets a reply with its ref."""
    async with page(server, None, version) as open_page:
        ref = await open_page.send("phoenix", "heartbeat", {})
        reply = await open_page.hear()
        assert (reply.topic, reply.event, reply.ref) == ("phoenix", "phx_reply", ref)
        assert reply.payload == {"status": "ok", "response": {}}


async def test_a_leave_closes_the_channel_that_is_left(server, version):
    """The reply has the leave's ref, `phx_close` the ref of the join; then nothing more comes."""
    ann = await server.sign_up()
    scout = await planted(server, ann)
    async with page(server, ann.token, version) as open_page:
        join_ref = await open_page.joined("run", EXECUTIONS)
        reply = await open_page.leave("run", join_ref)
        assert reply.payload == {"status": "ok", "response": {}}
        closed = await open_page.until("phx_close")
        assert (closed.ref, closed.join_ref) == (join_ref, join_ref)
        await open_page.joined("scouts", SCOUTS)
        await run_of(server, scout)
        db = await server.app.database()
        await scouts.update(db, scout.id, ScoutPatch(title="New"))
        assert (await open_page.change()).topic == "realtime:scouts"


async def test_leave_and_join_back_to_back_leave_the_new_channel_open(server_anywhere, version):
    """A hundred leaves, each with the next join of the topic behind it, lose no channel."""
    server = server_anywhere
    ann = await server.sign_up()
    scout = await planted(server, ann)
    execution = await run_of(server, scout)
    db = await server.app.database()
    async with page(server, ann.token, version) as open_page:
        join_ref = await open_page.joined("steps", STEPS)
        config = {"config": {"postgres_changes": [STEPS]}, "access_token": ann.token}
        for _ in range(100):
            leave = await open_page.send("realtime:steps", "phx_leave", {}, join_ref=join_ref)
            before, join_ref = (
                join_ref,
                await open_page.send("realtime:steps", "phx_join", config),
            )
            heard = [await open_page.hear() for _ in range(4)]
            assert [each.event for each in heard] == [
                "phx_reply",
                "phx_close",
                "phx_reply",
                "system",
            ]
            assert [each.ref for each in heard[:3]] == [leave, before, join_ref]
        await steps.start(db, rows.step(execution))
        assert (await open_page.change()).data["record"]["execution_id"] == str(execution.id)
        assert await open_page.quiet() == []


async def test_a_burst_of_joins_is_answered_whole(server, version):
    """Ninety joins that are sent at once are all let in, and answered in their order."""
    ann = await server.sign_up()
    async with page(server, ann.token, version) as open_page:
        config = {"config": {"postgres_changes": [STEPS]}, "access_token": ann.token}
        refs = [
            await open_page.send(f"realtime:steps-{number}", "phx_join", config)
            for number in range(90)
        ]
        replies = [await open_page.until("phx_reply") for _ in refs]
        assert [each.ref for each in replies] == refs
        assert {each.status for each in replies} == {"ok"}


async def test_a_late_leave_does_not_close_the_successor(server):
    """A leave that names an earlier join of the topic is answered and changes nothing."""
    ann = await server.sign_up()
    scout = await planted(server, ann)
    async with page(server, ann.token) as open_page:
        first = await open_page.joined("run", EXECUTIONS)
        await open_page.joined("run", EXECUTIONS)
        closed = await open_page.until("phx_close")
        assert closed.ref == first
        assert (await open_page.leave("run", first)).status == "ok"
        await run_of(server, scout)
        assert (await open_page.change()).data["type"] == "INSERT"


async def test_signed_out_pages_join_and_hear_nothing(server):
    """Without a token, or with the key for one, a join is ok and no row comes."""
    ann = await server.sign_up()
    scout = await planted(server, ann)
    async with page(server) as open_page, page(server, ann.token) as own:
        await own.joined("run", EXECUTIONS)
        await open_page.joined("landing", EXECUTIONS, SCOUTS)
        await open_page.joined("keyed", EXECUTIONS, token=key())
        await run_of(server, scout)
        await own.change()
        assert await open_page.quiet() == []


async def test_the_service_key_hears_of_everybody(server):
    """Whoever has it, as the token or as the key of the socket, hears of all rows."""
    ann = await server.sign_up()
    scout = await planted(server, ann)
    master = key("service_role")
    async with page(server, master) as one, page(server, apikey=master) as other:
        await one.joined("all", EXECUTIONS)
        await other.joined("all", EXECUTIONS)
        execution = await run_of(server, scout)
        for each in (one, other):
            assert (await each.change()).data["record"]["id"] == str(execution.id)


async def test_a_run_of_another_process_shows_up(database_url, server_anywhere, opened):
    """What another connection to the database writes is told like what the server writes."""
    server = server_anywhere
    ann = await server.sign_up()
    scout = await planted(server, ann)
    elsewhere = await opened(database_url)
    async with page(server, ann.token) as open_page:
        await open_page.joined("run", EXECUTIONS, STEPS)
        execution = rows.execution(scout)
        await executions.add(elsewhere, execution)
        await steps.start(elsewhere, rows.step(execution))
        heard = [(await open_page.change()).data["table"] for _ in range(2)]
        assert heard == ["scout_executions", "scout_execution_steps"]


async def test_many_changes_at_once_all_arrive(server_anywhere):
    """Five hundred rows deleted in one transaction are told one by one to a page that reads."""
    server = server_anywhere
    ann = await server.sign_up()
    scout = await planted(server, ann)
    db = await server.app.database()
    execution = await run_of(server, scout)
    async with db.transaction() as tx:
        for number in range(1, 501):
            await steps.start(tx, rows.step(execution, number))
    async with page(server, ann.token) as open_page:
        await open_page.joined("steps", STEPS)
        await executions.delete(db, [execution.id])
        gone = set()
        while len(gone) < 500:
            heard = await open_page.change()
            if heard.data["type"] == "DELETE":
                gone.add(heard.data["old_record"]["id"])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("title=eq.Ferries", True),
        ("title=eq.ferries", False),
        ("title=eq.Ferries, and more", False),
        ('title=eq."Ferries"', True),
        ("is_active=eq.true", False),
        ("is_active=eq.false", True),
        ("consecutive_failures=eq.0", True),
        ("consecutive_failures=eq.1", False),
        ("description=not.is.null", False),
        ("goal=not.is.null", True),
        ("id=eq.7ca5a67f-0c91-4406-8cd8-9fb2070b5bbc", False),
        ("created_at=eq.2026-11-21T03:37:14.140666+01:00", True),
    ],
)
async def test_a_filter_is_kept_to(server, text, meant):
    """Text, truth, numbers, moments and identifiers are compared as what they are."""
    ann = await server.sign_up()
    async with page(server, ann.token) as open_page:
        await open_page.joined("some", filtered(SCOUTS, text))
        await open_page.joined("all", SCOUTS)
        await planted(server, ann, goal="News", is_active=False)
        heard = {(await open_page.change()).topic}
        heard |= {each.topic for each in await open_page.quiet()}
        assert heard == {"realtime:all", *(["realtime:some"] if meant else [])}
