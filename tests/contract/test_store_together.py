"""Statements that belong together: one transaction known in advance, on both databases."""

import asyncio

import pytest

from scout_cli.core.models import Execution
from scout_cli.errors import Conflict, FenceLost, InvalidInput, NotFound
from scout_cli.store import pages, scouts, users
from scout_cli.store.database import Statement
from scout_cli.store.statements import insert, values
from tests.contract import rows
from tests.contract.databases import sqlite_url

ADD = "INSERT INTO counter (name, number) VALUES ($1, $2)"
SET = "UPDATE counter SET number = $2 WHERE name = $1"
HAS = "SELECT name FROM counter WHERE name = $1"


@pytest.fixture
async def counter(blank):
    """Return a database with one counter, `a`, at 0."""
    await blank.script("CREATE TABLE counter (name TEXT PRIMARY KEY, number BIGINT NOT NULL)")
    await blank.execute(ADD, "a", 0)
    return blank


async def counters(db) -> dict[str, int]:
    """Return what every counter says."""
    names = await db.all(str, "SELECT name FROM counter ORDER BY name")
    return {n: await db.value(int, "SELECT number FROM counter WHERE name = $1", n) for n in names}


async def test_all_of_them_are_kept(counter):
    """Each statement sees what the one before it did."""
    await counter.together(
        Statement(ADD, ("b", 1)),
        Statement(HAS, ("b",), lambda: NotFound("b is not there")),
        Statement(SET, ("b", 2), lambda: NotFound("b is not there")),
    )
    assert await counters(counter) == {"a": 0, "b": 2}


@pytest.mark.parametrize("missing", [Statement(HAS, ("z",)), Statement(SET, ("z", 1))])
async def test_one_without_its_row_undoes_the_others(counter, missing):
    """A SELECT that finds nothing and an UPDATE that changes nothing raise the error they name."""
    named = Statement(missing.sql, missing.args, lambda: NotFound("z is not there"))
    with pytest.raises(NotFound, match="z is not there"):
        await counter.together(Statement(SET, ("a", 5)), named)
    assert await counters(counter) == {"a": 0}
    await counter.together(Statement(SET, ("a", 6)), missing)
    assert await counters(counter) == {"a": 6}


async def test_a_broken_rule_undoes_all(counter):
    """A second row of a key is a conflict, a value that nothing can store is refused before."""
    with pytest.raises(Conflict):
        await counter.together(Statement(SET, ("a", 5)), Statement(ADD, ("a", 1)))
    with pytest.raises(InvalidInput):
        await counter.together(Statement(SET, ("a", 5)), Statement(ADD, ("nul\0", 1)))
    assert await counters(counter) == {"a": 0}


async def test_inside_a_transaction_only_their_own_work_is_undone(counter):
    """The transaction around goes on and keeps what it did itself."""
    async with counter.transaction() as tx:
        await tx.execute(ADD, "b", 1)
        with pytest.raises(Conflict):
            await tx.together(Statement(SET, ("b", 9)), Statement(ADD, ("a", 1)))
        await tx.together(Statement(ADD, ("c", 3)), Statement(SET, ("a", 4)))
    assert await counters(counter) == {"a": 4, "b": 1, "c": 3}


async def test_many_at_once_fail_each_for_itself(counter):
    """Of twelve tasks at once those that break a rule hear of it; the work of the others stays."""

    async def work(number):
        taken = "a" if number % 4 == 3 else f"n{number:02}"
        await counter.together(Statement(SET, ("a", 1)), Statement(ADD, (taken, number)))

    outcomes = await asyncio.gather(*map(work, range(12)), return_exceptions=True)
    failed = [at for at, outcome in enumerate(outcomes) if outcome is not None]
    assert failed == [3, 7, 11]
    assert all(isinstance(outcomes[at], Conflict) for at in failed)
    kept = {f"n{at:02}": at for at in range(12) if at not in failed}
    assert await counters(counter) == {"a": 1, **kept}


async def test_cancelled_at_any_await_all_or_nothing_stays(counter, caplog):
    """Both rows change or none does, with others at work beside, and the database goes on."""
    await counter.execute(ADD, "b", 0)
    for turns in range(12):
        both = (Statement(SET, ("a", turns)), Statement(SET, ("b", turns)))
        tasks = [asyncio.create_task(counter.together(*both)) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        tasks[turns % 3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        told = await counters(counter)
        assert told["a"] == told["b"] == turns
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_page_is_kept_only_by_the_run_that_holds_the_fence(database):
    """A page of a run that was taken over is refused, and none of it stays."""
    owner = await users.local_owner(database)
    scout = rows.scout(owner.id)
    await scouts.add(database, scout)
    run = rows.execution(scout)
    await database.execute(insert("scout_executions", Execution), *values(run))
    await pages.add(database, rows.page(run), run.fence)
    await database.execute("UPDATE scout_executions SET fence = fence + 1 WHERE id = $1", run.id)
    with pytest.raises(FenceLost):
        await pages.add(database, rows.page(run), run.fence)
    assert len(await pages.of_execution(database, run.id)) == 1


async def statements_of(db) -> list[str]:
    """Return a list that every statement of the writing connection is added to."""
    seen = []
    await db._writer.within(lambda raw: raw.set_trace_callback(seen.append))
    return seen


@pytest.fixture
async def file(tmp_path, opened):
    """Return an SQLite database with an empty table."""
    db = await opened(sqlite_url(tmp_path / "scout.db"))
    await db.script("CREATE TABLE counter (name TEXT PRIMARY KEY, number BIGINT NOT NULL)")
    return db


async def test_sqlite_commits_what_waits_at_once(file):
    """Ten tasks that write at the same time need two commits: the first's, then all the others'."""
    seen = await statements_of(file)
    await asyncio.gather(*(file.execute(ADD, f"n{at}", at) for at in range(10)))
    assert seen.count("COMMIT") <= 2
    assert seen.count("BEGIN IMMEDIATE") == seen.count("COMMIT")
    assert len(await counters(file)) == 10


async def test_sqlite_crosses_into_its_thread_once(file):
    """A transaction known in advance is one turn of the thread, with its begin and commit."""
    loop, came_back = asyncio.get_running_loop(), []
    real = loop.call_soon_threadsafe

    def counted(*work, **more):
        came_back.append(work)
        return real(*work, **more)

    loop.call_soon_threadsafe = counted
    await file.together(Statement(ADD, ("a", 1)), Statement(SET, ("a", 2)))
    assert len(came_back) == 1
    assert await counters(file) == {"a": 2}


async def test_sqlite_drops_work_that_is_cancelled_before_its_turn(file):
    """What waits behind a transaction and is cancelled meanwhile never happens."""
    async with file.transaction() as tx:
        waiting = asyncio.create_task(file.execute(ADD, "late", 1))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await tx.execute(ADD, "here", 1)
    await file.execute(ADD, "behind", 1)
    assert set(await counters(file)) == {"here", "behind"}


async def test_sqlite_refuses_to_wait_for_oneself(file):
    """Inside its own transaction a task may not ask the database beside it."""
    async with file.transaction():
        with pytest.raises(RuntimeError, match="inside a transaction"):
            await file.together(Statement(ADD, ("a", 1)))
