"""The change feed on both databases: owners, order, late commits, resuming, what is bounded."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from scout_cli.core.models import ScoutPatch, User
from scout_cli.errors import InvalidInput, Unavailable
from scout_cli.service.feed import Feed
from scout_cli.service.subscription import QUEUE, Reset, Told
from scout_cli.store import executions, findings, retention, scouts, steps, users
from tests.contract import rows


@pytest.fixture
async def feed(database):
    """Yield a feed of the database."""
    feed = Feed(database)
    yield feed
    await feed.close()


@pytest.fixture
async def other(database_url, opened, clock):
    """Return the same database as another process has it open."""
    return await opened(database_url)


async def heard(watcher, many, seconds=10.0):
    """Return so many items."""
    found = []
    async with asyncio.timeout(seconds):
        while len(found) < many:
            await watcher.wait(seconds)
            found += watcher.fetch()
    return found


async def plant(db, **more):
    """Store a scout of the local owner and return it."""
    owner = await users.local_owner(db)
    scout = rows.scout(owner.id, **more)
    await scouts.add(db, scout)
    return scout


async def somebody(db) -> User:
    """Store another user."""
    user = User(id=uuid4(), email=f"{uuid4()}@example.org", created_at=rows.AT)
    names = "(id, email, created_at)"
    await db.execute(
        f"INSERT INTO users {names} VALUES ($1, $2, $3)", user.id, user.email, user.created_at
    )
    return user


def told(items):
    """Return table and kind of changes."""
    return [(item.change.table_name, item.change.kind) for item in items]


async def test_a_change_of_another_process_is_heard_with_its_row(feed, other):
    """What another connection commits reaches a watcher, with its owner and the row."""
    owner = await users.local_owner(other)
    async with feed.subscribe(owner.id, tables=["scouts"], records=True) as watcher:
        scout = await plant(other, title="Mill")
        (item,) = await heard(watcher, 1)
        await scouts.update(other, scout.id, ScoutPatch(title="Wheel"))
        (second,) = await heard(watcher, 1)
    assert (item.change.kind, item.change.user_id) == ("INSERT", owner.id)
    assert item.record.id == scout.id
    assert (second.change.kind, second.record.title) == ("UPDATE", "Wheel")
    assert second.cursor == str(second.change.position)


async def test_a_row_that_commits_late_is_not_passed_over(feed, database, other, opened):
    """Of two transactions the one that began first commits last; both changes are heard."""
    owner = await users.local_owner(database)
    first, second = rows.scout(owner.id, title="First"), rows.scout(owner.id, title="Second")
    async with feed.subscribe(owner.id, tables=["scouts"]) as watcher:
        async with database.transaction() as slow:
            await scouts.add(slow, first)
            quick = asyncio.create_task(scouts.add(other, second))
            if database.kind == "postgresql":
                await quick
                assert not await watcher.wait(0.3), "a later number came before an earlier commit"
        await quick
        items = await heard(watcher, 2)
    assert [item.change.row_id for item in items] == [str(first.id), str(second.id)]


async def test_what_a_cascade_deletes_names_its_owner(feed, database):
    """Deleting a scout tells of its run, step and finding too, each with owner and id."""
    scout = await plant(database)
    run = rows.execution(scout)
    await executions.add(database, run)
    step, finding = rows.step(run), rows.finding(scout, execution_id=run.id)
    await steps.start(database, step)
    await findings.add_many(database, [finding])
    async with feed.subscribe(scout.user_id) as watcher:
        await database.execute("DELETE FROM scouts WHERE id = $1", scout.id)
        items = [item for item in await heard(watcher, 4) if item.change.kind == "DELETE"]
        assert not await watcher.wait(0.1)
    assert {(item.change.table_name, item.change.row_id) for item in items} == {
        ("scouts", str(scout.id)),
        ("scout_executions", str(run.id)),
        ("scout_execution_steps", str(step.id)),
        ("scout_findings", str(finding.id)),
    }
    assert {item.change.user_id for item in items} == {scout.user_id}


async def test_nobody_hears_of_rows_of_others(feed, database):
    """A watcher hears of rows of its user only; one for everybody hears of all."""
    mine = await plant(database)
    neighbour = await somebody(database)
    async with (
        feed.subscribe(neighbour.id) as theirs,
        feed.subscribe(tables=["scouts"]) as all_,
    ):
        await scouts.update(database, mine.id, ScoutPatch(title="Mine"))
        await scouts.add(database, rows.scout(neighbour.id))
        both = await heard(all_, 2)
        (only,) = await heard(theirs, 1)
        assert not await theirs.wait(0.1)
    assert [item.change.user_id for item in both] == [mine.user_id, neighbour.id]
    assert only.change.user_id == neighbour.id


async def test_a_watcher_of_a_run_or_a_scout_hears_only_of_that(feed, database):
    """Other runs and scouts of the same user stay out."""
    one, two = await plant(database), await plant(database)
    runs = [rows.execution(one), rows.execution(two)]
    async with (
        feed.subscribe(one.user_id, execution_id=runs[0].id) as of_run,
        feed.subscribe(one.user_id, scout_id=two.id) as of_scout,
    ):
        for run in runs:
            await executions.add(database, run)
            await steps.start(database, rows.step(run))
        assert told(await heard(of_run, 2)) == [
            ("scout_executions", "INSERT"),
            ("scout_execution_steps", "INSERT"),
        ]
        (item,) = await heard(of_scout, 1)
    assert item.change.row_id == str(runs[1].id)


async def test_a_cursor_goes_on_where_it_was(feed, database):
    """What happened while nobody listened comes first, once, before what is new."""
    scout = await plant(database)
    async with feed.subscribe(scout.user_id, tables=["scouts"]) as watcher:
        await scouts.update(database, scout.id, ScoutPatch(title="1"))
        (seen,) = await heard(watcher, 1)
    for title in ("2", "3"):
        await scouts.update(database, scout.id, ScoutPatch(title=title))
    async with feed.subscribe(scout.user_id, tables=["scouts"], after=seen.cursor) as watcher:
        missed = await heard(watcher, 2)
        await scouts.update(database, scout.id, ScoutPatch(title="4"))
        (new,) = await heard(watcher, 1)
    positions = [item.change.position for item in (seen, *missed, new)]
    assert positions == sorted(set(positions))
    assert len(positions) == 4


async def test_nothing_is_lost_between_two_subscriptions_under_load(feed, other):
    """A watcher that leaves and returns with its cursor hears of every change exactly once."""
    scout = await plant(other)
    count = 60

    async def write():
        for number in range(count):
            await scouts.update(other, scout.id, ScoutPatch(title=f"Title {number}"))

    seen, cursor = [], ""
    async with feed.subscribe(scout.user_id, tables=["scouts"]) as watcher:
        cursor = watcher.cursor
    writing = asyncio.create_task(write())
    async with asyncio.timeout(20):
        while len(seen) < count:
            async with feed.subscribe(scout.user_id, tables=["scouts"], after=cursor) as watcher:
                await watcher.wait(0.05)
                for item in watcher.fetch():
                    assert isinstance(item, Told)
                    seen.append(item.change.position)
                    cursor = item.cursor
    await writing
    ours = seen[-count:]
    assert ours == sorted(set(ours))
    assert len(set(seen)) == len(seen)


async def test_who_does_not_fetch_is_told_to_start_anew(feed, database):
    """More changes than the queue holds become one reset, after which new ones come again."""
    scout = await plant(database)
    async with feed.subscribe(scout.user_id, tables=["scout_findings"]) as watcher:
        many = [rows.finding(scout) for _ in range(QUEUE + 40)]
        await findings.add_many(database, many)
        async with feed.subscribe(scout.user_id, tables=["scouts"]) as after_them:
            await scouts.update(database, scout.id, ScoutPatch(title="the last change"))
            await heard(after_them, 1)
        (item,) = watcher.fetch()
        assert isinstance(item, Reset)
        assert item.why == "overflow"
        await findings.add_many(database, [rows.finding(scout)])
        (fresh,) = await heard(watcher, 1)
    assert isinstance(fresh, Told)
    async with feed.subscribe(
        scout.user_id, tables=["scout_findings"], after=item.cursor
    ) as watcher:
        (again,) = await heard(watcher, 1)
    assert again.change.row_id == fresh.change.row_id


async def test_a_cursor_before_what_is_kept_means_starting_anew(feed, database):
    """Pruning keeps the newest old change: its cursor goes on, an older one starts anew."""
    scout = await plant(database)
    async with feed.subscribe(scout.user_id, tables=["scouts"]) as watcher:
        for title in ("1", "2", "3"):
            await scouts.update(database, scout.id, ScoutPatch(title=title))
        one, two, three = await heard(watcher, 3)
    old = max(item.change.at for item in (one, two, three)) + timedelta(seconds=1)
    expected = await retention.count(database, retention.CHANGES, old)
    assert expected >= 2
    assert await retention.prune(database, retention.CHANGES, old) == expected
    await scouts.update(database, scout.id, ScoutPatch(title="4"))
    async with feed.subscribe(scout.user_id, tables=["scouts"], after=three.cursor) as watcher:
        (next_,) = await heard(watcher, 1)
    assert isinstance(next_, Told)
    async with feed.subscribe(scout.user_id, tables=["scouts"], after=one.cursor) as watcher:
        (item,) = await heard(watcher, 1)
    assert isinstance(item, Reset)
    assert item.why == "retention"


@pytest.mark.parametrize("text", ["x", "1", "1-", "-1-2", "1-2-3", f"1-{10**22}", "²-1"])
async def test_a_cursor_that_was_never_given_out_is_refused(feed, text):
    """Nonsense is an error, not a start from somewhere."""
    with pytest.raises(InvalidInput, match="no place in the stream"):
        async with feed.subscribe(after=text):
            pass


async def test_a_cursor_of_another_log_means_starting_anew(feed, database):
    """A cursor beyond the end, of a database that was restored, starts anew."""
    async with feed.subscribe(after=f"{2**60}-{2**60}") as watcher:
        (item,) = await heard(watcher, 1)
    assert isinstance(item, Reset)


async def test_nothing_looks_while_nobody_watches(feed, database, other):
    """With the last watcher the reader and its connection go."""

    async def looking():
        if database.kind == "sqlite":
            return sum(thread.name == "scout-watch" for thread in threading.enumerate())
        sql = """SELECT count(*) FROM pg_stat_activity
            WHERE query LIKE 'LISTEN%' AND datname = current_database()"""
        return await other.value(int, sql)

    async with feed.subscribe(), feed.subscribe():
        async with asyncio.timeout(15):
            while await looking() != 1:  # noqa: ASYNC110 - the server's own view
                await asyncio.sleep(0.02)
    assert await looking() == 0


async def test_a_lost_listener_misses_nothing(feed, database, other, monkeypatch):
    """PostgreSQL ends the listening connection: changes before and after the new one are heard.

    SQLite has none that could be lost; there the same changes are heard anyway.
    """
    monkeypatch.setattr("scout_cli.service.feed._LOOK_SECONDS", 60.0)  # so that it is the notice
    scout = await plant(database)
    kill = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE query LIKE 'LISTEN%' AND datname = current_database()"""
    async with feed.subscribe(scout.user_id, tables=["scouts"]) as watcher:
        async with asyncio.timeout(30):
            while database.kind == "postgresql" and not await other.value(int, kill):  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.02)
        await scouts.update(other, scout.id, ScoutPatch(title="while it was away"))
        (first,) = await heard(watcher, 1, seconds=30.0)
        await scouts.update(other, scout.id, ScoutPatch(title="after"))
        (second,) = await heard(watcher, 1, seconds=30.0)
    assert first.change.position < second.change.position


async def test_closing_ends_every_subscription(database):
    """Watchers learn that nothing comes any more, and nobody can begin to watch."""
    feed = Feed(database)
    async with feed.subscribe() as watcher:
        await feed.close()
        assert await watcher.wait(5.0)
        assert watcher.over
    with pytest.raises(Unavailable):
        async with feed.subscribe():
            pass
