"""Changes as they happen over the realtime socket, in both spellings, on both databases."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

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
        ('title=eq."Ferries",consecutive_failures=lt.1', True),
        ("title=in.(Buses,Trains),is_active=eq.false", False),
        ("created_at=eq.2026-11-21T03:37:14.140666+01:00", True),
        ("goal=not.is.null,title=ilike.FERR%", True),
        ("id=neq.7ca5a67f-0c91-4406-8cd8-9fb2070b5bbc", True),
    ],
)
async def test_a_filter_is_kept_to(server, text, meant):
    """A channel hears where all conditions of its filter hold, and of nothing else."""
    ann = await server.sign_up()
    async with page(server, ann.token) as open_page:
        await open_page.joined("some", filtered(SCOUTS, text))
        await open_page.joined("all", SCOUTS)
        await planted(server, ann, goal="News", is_active=False)
        heard = {(await open_page.change()).topic}
        heard |= {each.topic for each in await open_page.quiet()}
        assert heard == {"realtime:all", *(["realtime:some"] if meant else [])}


async def test_columns_are_chosen(server, version):
    """`select` leaves the others out, for its binding alone; large or secret ones are refused."""
    ann = await server.sign_up()
    async with page(server, ann.token, version) as open_page:
        few = {**SCOUTS, "select": ["id", "title"]}
        reply = await open_page.join("both", few, SCOUTS)
        short, whole = [each["id"] for each in reply.payload["response"]["postgres_changes"]]
        assert short != whole
        await planted(server, ann)
        by_id = {heard.payload["ids"][0]: heard.data for heard in [await open_page.change()]}
        heard = await open_page.change()
        by_id[heard.payload["ids"][0]] = heard.data
        assert set(by_id[short]["record"]) == {"id", "title"}
        assert [each["name"] for each in by_id[short]["columns"]] == ["id", "title"]
        assert set(by_id[whole]["record"]) > {"id", "title", "goal"}
        for odd in (["id", "notify"], ["results_summary"], "id,title"):
            assert (await open_page.join("odd", {**SCOUTS, "select": odd})).status == "error"
