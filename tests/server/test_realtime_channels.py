"""Channels of the realtime socket: joined, left, and joined again right behind a leave."""

from __future__ import annotations

from uuid import uuid4

import pytest

from scout_cli.core.models import ScoutPatch
from scout_cli.store import scouts, steps
from tests.contract import rows
from tests.server.phoenix import EXECUTIONS, SCOUTS, STEPS, VERSIONS, filtered, page
from tests.server.test_realtime import planted, run_of


@pytest.fixture(params=VERSIONS)
def version(request):
    """Return how the client spells its frames."""
    return request.param


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
