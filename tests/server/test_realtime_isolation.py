"""Two users on the realtime socket: nobody hears of what is another's, deletions included."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from scout_cli.store import executions, scouts, steps
from tests.contract import rows
from tests.server.phoenix import EXECUTIONS, SCOUTS, STEPS, VERSIONS, filtered, key, page
from tests.server.test_realtime import ended, planted, run_of

EVERYTHING = {"event": "*", "schema": "*"}


async def lived(server, who):
    """Let somebody's scout run with two steps, and be deleted with all of it; return its ids."""
    db = await server.app.database()
    scout = await planted(server, who)
    execution = await run_of(server, scout)
    made = [rows.step(execution, number) for number in (1, 2)]
    for step in made:
        await steps.start(db, step)
    await executions.finish(db, ended(execution, summary_text="Nine."))
    await scouts.delete(db, scout.id)
    return {str(each.id) for each in (scout, execution, *made)}


async def told(server, who):
    """Let somebody's scout run, and return when a page of the service key has heard of it."""
    async with page(server, key("service_role")) as witness:
        await witness.joined("all", EXECUTIONS)
        execution = await run_of(server, await planted(server, who))
        while named(await witness.change()) != str(execution.id):
            pass


def named(heard) -> str:
    """Return the id of the row that a change is about."""
    data = heard.data
    return str(data.get("record", data.get("old_record"))["id"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_nobody_hears_of_anothers_rows(server_anywhere, version):
    """Of two lives of scouts each page hears its own, every row and every kind, and no other."""
    server = server_anywhere
    ann, bob = await server.sign_up(), await server.sign_up()
    async with (
        page(server, ann.token, version) as hers,
        page(server, bob.token, version) as his,
        page(server, None, version) as nobodys,
    ):
        for each in (hers, his, nobodys):
            await each.joined("everything", EVERYTHING)
            await each.joined("steps", STEPS)
        anns, bobs = await asyncio.gather(lived(server, ann), lived(server, bob))
        for own, ids in ((hers, anns), (his, bobs)):
            deleted, seen = set(), set()
            while deleted < ids:
                heard = await own.change()
                assert named(heard) in ids
                seen.add(heard.data["type"])
                if heard.data["type"] == "DELETE":
                    deleted.add(named(heard))
            assert "DELETE" in seen
            assert all(named(each) in ids for each in await own.quiet())
        assert await nobodys.quiet() == []


async def test_anothers_id_in_a_filter_opens_nothing(server):
    """Filters with ids of another's rows are let in, and nothing comes."""
    ann, bob = await server.sign_up(), await server.sign_up()
    scout = await planted(server, ann)
    execution = await run_of(server, scout)
    async with page(server, bob.token) as his, page(server, ann.token) as hers:
        await his.joined(f"executions-{scout.id}", filtered(EXECUTIONS, f"scout_id=eq.{scout.id}"))
        await his.joined(f"scout-{scout.id}", filtered(SCOUTS, f"id=eq.{scout.id}"))
        await his.joined("steps", filtered(STEPS, f"execution_id=eq.{execution.id}"))
        await his.joined("whose", filtered(SCOUTS, f"user_id=eq.{ann.id}"))
        await his.joined("not-his", filtered(SCOUTS, f"user_id=neq.{bob.id}"))
        await his.joined("any-of", filtered(SCOUTS, f"user_id=in.({ann.id},{bob.id})"))
        await his.joined("any", filtered(STEPS, "step_number=gte.0,error_message=is.null"))
        await hers.joined("own", SCOUTS)
        db = await server.app.database()
        await steps.start(db, rows.step(execution))
        await scouts.delete(db, scout.id)
        assert (await hers.change()).data["type"] == "DELETE"
        assert await his.quiet() == []


@pytest.mark.parametrize("text", ["id=eq.{0}", "scout_id=eq.{1}", "id=in.({0})", "id=neq.{2}"])
async def test_a_deletion_is_told_where_its_ids_match(server, text):
    """With an id in the filter only the deletion of that row is told, to its owner."""
    ann = await server.sign_up()
    db = await server.app.database()
    one, other = [await run_of(server, await planted(server, ann)) for _ in range(2)]
    async with page(server, ann.token) as open_page:
        meant = text.format(one.id, one.scout_id, other.id) + ",status=eq.completed"
        await open_page.joined("one", filtered(EXECUTIONS, meant))
        await executions.delete(db, [other.id])
        await executions.delete(db, [one.id])
        heard = await open_page.change()
        assert (heard.data["type"], named(heard)) == ("DELETE", str(one.id))
        assert await open_page.quiet() == []


async def test_a_token_of_another_user_switches_the_rows(server):
    """From `access_token` on the channel hears of the new user's rows and of nobody else's."""
    ann, bob = await server.sign_up(), await server.sign_up()
    anns, bobs = await planted(server, ann), await planted(server, bob)
    async with page(server, ann.token) as open_page:
        join_ref = await open_page.joined("all", EXECUTIONS)
        first = await run_of(server, anns)
        assert named(await open_page.change()) == str(first.id)
        await open_page.send(
            "realtime:all", "access_token", {"access_token": bob.token}, join_ref=join_ref
        )
        assert await open_page.quiet() == []
        await run_of(server, await planted(server, ann))
        other = await run_of(server, bobs)
        assert named(await open_page.change()) == str(other.id)
        await open_page.send(
            "realtime:all", "access_token", {"access_token": key()}, join_ref=join_ref
        )
        assert await open_page.quiet() == []
        await told(server, bob)
        assert await open_page.quiet() == []


async def test_a_refreshed_token_goes_on_without_a_word(server):
    """The same user's next token changes nothing that is heard."""
    ann = await server.sign_up()
    scout = await planted(server, ann)
    fresh = await server.post("/auth/refresh", json={"refresh_token": ann.session["refresh_token"]})
    async with page(server, ann.token) as open_page:
        join_ref = await open_page.joined("all", EXECUTIONS)
        token = fresh.json["access_token"]
        await open_page.send(
            "realtime:all", "access_token", {"access_token": token}, join_ref=join_ref
        )
        assert await open_page.quiet() == []
        execution = await run_of(server, scout)
        assert named(await open_page.change()) == str(execution.id)


async def test_a_bad_token_closes_the_channel(server):
    """What is no token says so in a `system` error and closes the channel it came on."""
    ann = await server.sign_up()
    async with page(server, ann.token) as open_page:
        join_ref = await open_page.joined("all", EXECUTIONS)
        await open_page.send(
            "realtime:all", "access_token", {"access_token": "x.y.z"}, join_ref=join_ref
        )
        assert (await open_page.until("system")).status == "error"
        assert (await open_page.until("phx_close")).ref == join_ref
        await told(server, ann)
        assert await open_page.quiet() == []


async def test_a_logout_closes_the_channels_within_five_seconds(server):
    """Whoever signs out is told, and hears of nothing more; other sessions go on."""
    ann = await server.sign_up()
    login = {"email": ann.email, "password": ann.password}
    second = (await server.post("/auth/login", json=login)).json["access_token"]
    async with page(server, ann.token) as leaving, page(server, second) as staying:
        join_ref = await leaving.joined("all", EXECUTIONS)
        await staying.joined("all", EXECUTIONS)
        assert (await server.post("/auth/logout", ann)).status in (200, 204)
        async with asyncio.timeout(5.0):
            assert (await leaving.until("system")).status == "error"
            assert (await leaving.until("phx_close")).ref == join_ref
        execution = await run_of(server, await planted(server, ann))
        assert named(await staying.change()) == str(execution.id)
        assert await leaving.quiet() == []
        assert (await leaving.join("all", EXECUTIONS)).status == "error"


async def test_a_token_that_expires_closes_the_channel(server, clock):
    """At its expiry, within five seconds, a `system` error comes and the channel is closed."""
    ann = await server.sign_up()
    async with page(server, ann.token) as open_page:
        join_ref = await open_page.joined("all", EXECUTIONS)
        clock.forward(3_599)
        assert (await open_page.join("more", EXECUTIONS)).status == "ok"
        clock.forward(1)
        assert (await open_page.join("still-more", EXECUTIONS)).status == "error"
        async with asyncio.timeout(5.0):
            while (await open_page.until("system")).status != "error":
                pass
            closed = {(await open_page.until("phx_close")).ref for _ in range(2)}
        assert join_ref in closed


async def test_a_token_for_programs_listens_too(server):
    """A key that a person made hears of their rows until it is withdrawn."""
    ann = await server.sign_up()
    token = await server.token(ann)
    async with page(server, token) as open_page:
        await open_page.joined("all", EXECUTIONS)
        execution = await run_of(server, await planted(server, ann))
        assert named(await open_page.change()) == str(execution.id)
        (kept,) = (await server.get("/auth/tokens", ann)).json["tokens"]
        await server.delete(f"/auth/tokens/{kept['id']}", ann)
        async with asyncio.timeout(5.0):
            assert (await open_page.until("system")).status == "error"


async def test_no_token_of_nobody(server):
    """A token of an account that is not there is refused at the join."""
    async with page(server, f"{uuid4()}") as open_page:
        reply = await open_page.join("all", EXECUTIONS)
        assert reply.status == "error"
        assert "reason" in reply.payload["response"]
