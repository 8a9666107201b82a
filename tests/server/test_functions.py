"""`/functions/v1`: what the interface triggers with a key that everybody has, and its defences."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import perf_counter
from uuid import UUID, uuid4

import pytest

from scout_cli.core.models import ScoutPatch
from scout_cli.server.functions import BESIDE
from scout_cli.service.accounts.api_keys import api_key
from scout_cli.store import executions, scouts
from tests.channel_servers import MailServer
from tests.server.serving import JWT_SECRET, serving, settings

ANON = api_key("anon", JWT_SECRET)
SERVICE = api_key("service_role", JWT_SECRET)
KEY = {"apikey": ANON}
CRON = "/functions/v1/scout-cron"
MAIL = "/functions/v1/send-test-email"
WISH = {"title": "Bonn", "goal": "Concerts in Bonn", "search_queries": ["concerts bonn"]}


async def wish(server, who, **more):
    """Save a scout as the interface does; return its id."""
    answer = await server.post(
        "/rest/v1/scouts?select=id",
        who,
        json={**WISH, **more},
        headers={"apikey": ANON, "Prefer": "return=representation"},
    )
    assert answer.status == 201, answer.body
    return answer.json[0]["id"]


async def runs_of(server, scout_id):
    """Return the runs of a scout, once what was asked for has been looked at."""
    await server.application[BESIDE].settled()
    return await executions.of_scout(await server.app.database(), scout_id, 10)


async def test_a_run_is_queued_at_once(server_anywhere):
    """The anon key and an id suffice: the row is there, and waits for a worker."""
    server = server_anywhere
    scout_id = await wish(server, await server.sign_up())
    headers = {"Content-Type": "application/json"}
    answer = await server.post(f"{CRON}?scoutId={scout_id}", ANON, headers=headers)
    assert (answer.status, answer.json) == (200, {"success": True})
    (run,) = await runs_of(server, scout_id)
    assert (run.status, run.state, run.trigger) == ("running", "queued", "interface")


async def test_a_hundred_calls_are_one_run(server_anywhere):
    """Whatever strangers do, side by side, a scout runs once in 20 minutes."""
    server = server_anywhere
    scout_id = await wish(server, await server.sign_up())
    answers = await asyncio.gather(
        *(server.post(f"{CRON}?scoutId={scout_id}", ANON) for _ in range(100))
    )
    assert {(each.status, each.body) for each in answers} == {(200, b'{"success":true}')}
    assert len(await runs_of(server, scout_id)) == 1


async def test_the_answer_tells_nothing(server, clock):
    """Own, foreign, unknown, inactive and garbage ids have one answer, and take as long."""
    ann, ben = await server.sign_up(), await server.sign_up()
    own, foreign = await wish(server, ann), await wish(server, ben, is_active=False)
    seen, slowest = set(), 0.0
    for each in (own, foreign, uuid4(), "undefined", "%00", "x" * 3_000, "1; DROP TABLE scouts"):
        began = perf_counter()
        answer = await server.post(CRON, ANON, json={"scoutId": str(each)})
        slowest = max(slowest, perf_counter() - began)
        seen.add((answer.status, answer.body, tuple(sorted(set(answer.headers) - {"Date"}))))
    assert len(seen) == 1
    assert slowest < 5


async def test_the_cool_down_is_that_of_the_page(server, clock):
    """It counts from the newest start, ends after 20 minutes, and clearing the runs lifts it."""
    ann = await server.sign_up()
    scout_id = await wish(server, ann)
    call = f"{CRON}?scoutId={scout_id}"
    await server.post(call, ANON)
    (first,) = await runs_of(server, scout_id)
    await (await server.app.runs()).cancel(first)
    clock.moment += timedelta(minutes=19)
    await server.post(call, ANON)
    assert len(await runs_of(server, scout_id)) == 1
    clock.moment += timedelta(minutes=2)
    await server.post(call, ANON)
    newest, _ = await runs_of(server, scout_id)
    await (await server.app.runs()).cancel(newest)
    headers = {"apikey": ANON}
    fresh = (
        await server.post("/auth/login", json={"email": ann.email, "password": ann.password})
    ).json
    gone = await server.delete(
        f"/rest/v1/scout_executions?scout_id=eq.{scout_id}", fresh["access_token"], headers=headers
    )
    assert gone.status == 204
    await server.post(call, ANON)
    assert len(await runs_of(server, scout_id)) == 1


async def activated(server, who, scout_id):
    """Wake a scout up as the page does."""
    change = f"/rest/v1/scouts?id=eq.{scout_id}"
    said = await server.patch(change, who, json={"is_active": True}, headers=KEY)
    assert said.status == 204, said.body


async def next_run(server, scout_id):
    """Return in which time a scout runs next, by the clock of its database."""
    db = await server.app.database()
    return (await scouts.get(db, UUID(scout_id))).next_run_at - await db.now()


@pytest.mark.parametrize("order", ["activated first", "asked first", "at once", "run long before"])
async def test_the_first_run_is_made_once(server_anywhere, clock, order):
    """A page that wakes a scout and starts its run gets one, whichever of the two arrives first."""
    server = server_anywhere
    ann = await server.sign_up()
    scout_id = await wish(server, ann, frequency="daily")
    call = f"{CRON}?scoutId={scout_id}"
    if order == "at once":
        await asyncio.gather(activated(server, ann, scout_id), server.post(call, ANON))
    elif order == "activated first":
        await activated(server, ann, scout_id)
        assert timedelta(seconds=50) < await next_run(server, scout_id) <= timedelta(seconds=60)
        await server.post(call, ANON)
    else:
        await server.post(call, ANON)
        (run,) = await runs_of(server, scout_id)
        if order == "run long before":
            db = await server.app.database()
            await db.execute(
                "UPDATE scout_executions SET started_at = $1, status = 'completed', "
                "state = 'completed'",
                await db.now() - timedelta(hours=1),
            )
        else:
            await (await server.app.runs()).cancel(run)
        await activated(server, ann, scout_id)
    (_,) = await runs_of(server, scout_id)
    waits = await next_run(server, scout_id)
    if order == "run long before":
        assert waits <= timedelta(seconds=60)
    else:
        assert timedelta(hours=22) < waits < timedelta(hours=26)


async def test_one_network_starts_ten_runs_a_minute(server, clock):
    """Ten scouts run; the eleventh waits for the next minute."""
    ann = await server.sign_up()
    ids = [await wish(server, ann) for _ in range(12)]
    for each in ids:
        await server.post(f"{CRON}?scoutId={each}", ANON)
        await server.application[BESIDE].settled()
    started = [len(await runs_of(server, each)) for each in ids]
    assert started == [1] * 10 + [0, 0]


async def test_a_scout_without_a_goal_does_not_run(server):
    """Nothing is queued for a scout that nobody has filled in."""
    scout_id = await wish(server, await server.sign_up())
    nothing = ScoutPatch(goal=None)
    await scouts.update(await server.app.database(), scout_id, nothing)
    await server.post(f"{CRON}?scoutId={scout_id}", ANON)
    assert await runs_of(server, scout_id) == []


async def test_a_user_runs_their_own_scouts_alone(server_anywhere):
    """A user's token starts their scout without a cool-down, and is told why another's does not."""
    server = server_anywhere
    ann, ben = await server.sign_up(), await server.sign_up()
    scout_id = await wish(server, ann)
    assert (await server.post(f"{CRON}?scoutId={scout_id}", ben)).status == 404
    first = await server.post(f"{CRON}?scoutId={scout_id}", ann)
    assert (first.status, first.json["success"], first.json["title"]) == (200, True, "Bonn")
    again = await server.post(f"{CRON}?scoutId={scout_id}", ann)
    assert (again.status, again.json["success"]) == (409, False)
    assert "already" in again.json["error"]


async def test_the_service_key_has_no_limits(server):
    """It starts any scout, right after a run, and is told what is wrong with an id."""
    scout_id = await wish(server, await server.sign_up())
    for _ in range(12):
        said = await server.post(CRON, SERVICE, json={"scoutId": scout_id})
        assert said.status == 200
        run = await executions.get(await server.app.database(), UUID(said.json["executionId"]))
        await (await server.app.runs()).cancel(run)
    assert (await server.post(CRON, SERVICE, json={"scoutId": "x"})).status == 400
    assert (await server.post(CRON, SERVICE, json={"scoutId": str(uuid4())})).status == 404


@pytest.mark.parametrize("key", [None, "nonsense", ANON + "x", "scout-" + "x" * 43])
async def test_a_key_is_needed(server, key):
    """Without a key, or with none of ours, nothing is looked at; the answer is JSON."""
    for path in (CRON, MAIL):
        answer = await server.post(f"{path}?scoutId={uuid4()}", key)
        assert answer.status == 401
        assert answer.json["error"]


async def test_no_id_is_an_error(server):
    """Neither function guesses."""
    assert (await server.post(CRON, ANON)).status == 400
    assert (await server.post(MAIL, ANON)).status == 400
    assert (await server.post("/functions/v1/other", ANON)).status == 404


async def test_a_test_mail_says_what_is_missing(server):
    """Without a mail server the settings page shows what to set."""
    ann = await server.sign_up()
    answer = await server.post(MAIL, ANON, json={"userId": str(ann.id)})
    assert answer.status == 503
    assert answer.json["error"] == "no mail server is configured: set smtp_url and mail_from"


async def test_fifty_calls_are_one_mail(tmp_path, database_url):
    """A test mail goes to the account's own address, once in two minutes, whoever asks."""
    async with MailServer() as box:
        wanted = settings(
            database_url,
            smtp_url=f"smtp://{box.host}",
            mail_from="Scout <scout@example.org>",
        )
        async with serving(wanted) as server:
            ann = await server.sign_up("ann+news@example.org")
            body = {"userId": str(ann.id)}
            answers = await asyncio.gather(*(server.post(MAIL, ANON, json=body) for _ in range(50)))
            good = [each for each in answers if each.status == 200]
            assert len(good) == 1
            assert good[0].json["success"] is True
            assert ann.email not in good[0].json["message"]
            assert {each.status for each in answers} == {200, 429}
            assert all(each.json["error"] for each in answers if each.status == 429)
            stranger = await server.post(MAIL, ANON, json={"userId": str(uuid4())})
            assert stranger.status in (404, 429)
            ben = await server.sign_up()
            assert (await server.post(MAIL, ben, json=body)).status == 400
        assert [each.recipients for each in box.got] == [["ann+news@example.org"]]


async def test_a_paused_scout_runs_when_its_owner_asks(server):
    """The page's button is there for paused scouts as well."""
    scout_id = await wish(server, await server.sign_up())
    await scouts.update(await server.app.database(), scout_id, ScoutPatch(is_active=False))
    await server.post(f"{CRON}?scoutId={scout_id}", ANON)
    assert len(await runs_of(server, scout_id)) == 1
