"""Transactions: all or nothing, whatever ends them, and many at once without a lock error."""

import asyncio
import sys

import pytest

from scout_cli.errors import Conflict, DatabaseUnavailable, InvalidInput, NotFound
from scout_cli.store.finishing import to_the_end
from tests.contract.databases import sqlite_url

COUNT = "SELECT number FROM counter WHERE name = $1"
TASKS, EACH = 4, 50


@pytest.fixture
async def counter(blank):
    """Return a database with one counter at 0."""
    await blank.script("CREATE TABLE counter (name TEXT PRIMARY KEY, number BIGINT NOT NULL)")
    await blank.execute("INSERT INTO counter (name, number) VALUES ($1, $2)", "a", 0)
    return blank


async def number(db) -> int:
    """Return what the counter says."""
    return await db.value(int, COUNT, "a")


async def set_to(db, value) -> None:
    """Set the counter."""
    await db.execute("UPDATE counter SET number = $1 WHERE name = $2", value, "a")


async def test_a_transaction_commits_at_the_end_of_its_block(counter):
    """What was written inside is seen inside at once, and outside afterwards."""
    async with counter.transaction() as tx:
        await set_to(tx, 5)
        assert await number(tx) == 5
        assert await number(counter) == 0
    assert await number(counter) == 5


async def test_an_exception_rolls_back(counter):
    """Nothing of a block that raises stays, and the database goes on working."""

    async def work():
        async with counter.transaction() as tx:
            await set_to(tx, 5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work()
    assert await number(counter) == 0
    await set_to(counter, 6)
    assert await number(counter) == 6


async def test_cancellation_rolls_back(counter):
    """A task that is cancelled inside a block leaves nothing and holds nothing."""
    inside = asyncio.Event()

    async def work():
        async with counter.transaction() as tx:
            await set_to(tx, 5)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await number(counter) == 0
    await set_to(counter, 7)
    assert await number(counter) == 7


async def test_cancellation_at_any_await_leaves_all_or_nothing(counter, caplog):
    """Cancelled after each possible number of turns of the loop, both rows change or none does.

    And the driver finds nothing to complain of.
    """
    await counter.execute("INSERT INTO counter (name, number) VALUES ($1, $2)", "b", 0)
    for turns in range(40):

        async def work(value=turns):
            async with counter.transaction() as tx:
                await set_to(tx, value)
                await tx.execute("UPDATE counter SET number = $1 WHERE name = $2", value, "b")

        task = asyncio.create_task(work())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await number(counter) == await counter.value(int, COUNT, "b")
    await set_to(counter, 99)
    assert await number(counter) == 99
    assert [record.getMessage() for record in caplog.records] == []


async def spoilt(tx) -> None:
    """Change the counter in a savepoint that then fails."""
    async with tx.transaction() as inner:
        await set_to(inner, 2)
        await inner.execute("INSERT INTO counter (name, number) VALUES ('a', 1)")


async def test_a_failed_statement_inside_a_savepoint_spares_the_rest(counter):
    """An inner block that fails takes only its own work with it."""
    async with counter.transaction() as tx:
        await set_to(tx, 1)
        with pytest.raises(Conflict):
            await spoilt(tx)
        assert await number(tx) == 1
        async with tx.transaction() as inner:
            await inner.execute("INSERT INTO counter (name, number) VALUES ('c', 3)")
    assert await number(counter) == 1
    assert await counter.value(int, COUNT, "c") == 3


async def test_executemany_is_all_or_nothing(counter):
    """One bad row among many leaves none of them, and an empty list is no mistake."""
    sql = "INSERT INTO counter (name, number) VALUES ($1, $2)"
    with pytest.raises(Conflict):
        await counter.executemany(sql, [("x", 1), ("y", 2), ("a", 3)])
    await counter.executemany(sql, [])
    assert await counter.value(int, "SELECT count(*) FROM counter") == 1
    await counter.executemany(sql, ((name, 1) for name in "xyz"))
    assert await counter.value(int, "SELECT count(*) FROM counter") == 4


async def test_read_then_write_many_at_once_loses_nothing(counter):
    """4 tasks of 50 transactions that read and then write: no lock error, no lost update."""

    async def work():
        for _ in range(EACH):
            async with counter.transaction() as tx:
                lock = "FOR UPDATE" if tx.kind == "postgresql" else ""
                now = await tx.value(int, f"{COUNT} {lock}", "a")
                await set_to(tx, now + 1)

    async with asyncio.TaskGroup() as group:
        for _ in range(TASKS):
            group.create_task(work())
    assert await number(counter) == TASKS * EACH


PROCESS = """
import asyncio, sys
from scout_cli.store import open_database
from tests.contract.databases import StoppedClock

async def main(url, times):
    db = await open_database(url, StoppedClock())
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        for _ in range(times):
            async with db.transaction() as tx:
                now = await tx.value(int, "SELECT number FROM counter")
                await tx.execute("UPDATE counter SET number = $1", now + 1)
    finally:
        await db.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


async def test_two_processes_share_one_sqlite_file(tmp_path, opened):
    """Two processes read and write one file at the same time: no lock error, no lost update."""
    url = sqlite_url(tmp_path / "scout.db")
    db = await opened(url)
    await db.script("CREATE TABLE counter (number BIGINT); INSERT INTO counter VALUES (0)")
    command, pipe = [sys.executable, "-c", PROCESS, url, str(4 * EACH)], asyncio.subprocess.PIPE
    both = [
        await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
        for _ in "ab"
    ]
    ready = [await process.stdout.readline() for process in both]
    for process in both:
        process.stdin.write(b"go\n")
    told = [await process.communicate() for process in both]
    assert ready == [b"ready\n"] * 2, told
    assert [process.returncode for process in both] == [0, 0], told
    assert await db.value(int, "SELECT number FROM counter") == 8 * EACH
    await db.close()


async def test_what_must_end_ends_before_a_cancellation_goes_on():
    """`to_the_end` finishes its work although its caller is cancelled, twice even."""
    begun, may_end, log = asyncio.Event(), asyncio.Event(), []

    async def work():
        begun.set()
        await may_end.wait()
        log.append("ended")

    task = asyncio.create_task(to_the_end(work()))
    await begun.wait()
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["ended"]


async def test_a_transaction_that_has_ended_refuses_work(tmp_path, opened):
    """On SQLite a statement after the block would be outside any transaction: it is a mistake."""
    db = await opened(sqlite_url(tmp_path / "scout.db"))
    async with db.transaction() as tx:
        pass
    with pytest.raises(RuntimeError, match="ended"):
        await tx.execute("SELECT 1")
    await db.close()


async def test_waiting_for_oneself_is_a_mistake_not_a_hang(tmp_path, opened):
    """On SQLite a write beside one's own transaction would wait for ever: it is a mistake."""
    db = await opened(sqlite_url(tmp_path / "scout.db"))
    async with db.transaction():
        with pytest.raises(RuntimeError, match="inside a transaction"):
            await db.execute("CREATE TABLE never (a TEXT)")
    await db.close()


async def test_constraints_have_the_same_names_on_both(database):
    """A second key, a missing parent, a refused value and a missing table are told apart."""
    user = "INSERT INTO users (id, email, created_at) VALUES ($1, $2, $3)"
    now, one, two = await database.now(), database.uuid(), database.uuid()
    await database.execute(user, one, "a@example.org", now)
    with pytest.raises(Conflict):
        await database.execute(user, one, "b@example.org", now)
    with pytest.raises(Conflict):
        await database.execute(user, two, "a@example.org", now)
    with pytest.raises(InvalidInput):
        await database.execute("INSERT INTO users (id, created_at) VALUES ($1, $2)", two, None)
    message = "INSERT INTO scout_messages (id, scout_id, user_id, role, content, created_at)"
    with pytest.raises(NotFound):
        await database.execute(f"{message} VALUES ($1, $2, $3, 'user', '', $4)", two, two, one, now)
    with pytest.raises(InvalidInput):
        await database.execute(
            f"{message} VALUES ($1, $2, $3, 'robot', '', $4)", two, two, one, now
        )
    with pytest.raises(DatabaseUnavailable) as missing:
        await database.value(int, "SELECT count(*) FROM absent")
    assert missing.value.hint == "run `scout init-db`"
    assert not missing.value.retryable


async def test_a_frozen_clock_rules_both(database, clock):
    """Under a frozen clock both databases say its time; it is what makes recordings repeat."""
    assert await database.now() == clock.now()
    clock.forward(90)
    async with database.transaction() as tx:
        assert await tx.now() == clock.now()


async def test_a_database_describes_itself(database):
    """Kind, version, place and size are there for `scout doctor`."""
    told = await database.describe()
    assert told.kind == database.kind
    assert told.version[0].isdigit()
    assert told.location
    assert told.size_bytes > 4096
