"""Cleaning up: what goes, what stays whatever its age, and how small the steps are."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from scout_cli.core.models import Execution
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.service import forgetting
from scout_cli.service.ballast import Ballast
from scout_cli.service.upkeep import Cleaned, Retention, Upkeep
from scout_cli.store import (
    answers,
    channels,
    findings,
    invariants,
    outbox,
    pages,
    retention,
    scouts,
    searches,
    steps,
    users,
    vectors,
)
from scout_cli.store.answers import StoredAnswer
from scout_cli.store.outbox import Content, OutboxRow
from scout_cli.store.statements import insert, values
from tests.contract import rows
from tests.contract.databases import EVERY

pytestmark = pytest.mark.databases(*EVERY)

DAY = timedelta(days=1)


class World:
    """A database with a scout whose runs are as old as a test says."""

    def __init__(self, db, clock) -> None:
        self.db = db
        self.now = clock.now()

    async def begin(self):
        """Store the scout."""
        self.owner = (await users.local_owner(self.db)).id
        self.scout = rows.scout(self.owner, goal="Ferries")
        await scouts.add(self.db, self.scout)
        return self

    async def run(self, days: float, **more) -> Execution:
        """Store a run that ended that many days ago, with a page, a step and a finding."""
        at = self.now - timedelta(days=days)
        row = {
            "status": "completed",
            "state": "completed",
            "outcome": "nothing_new",
            "lease_until": None,
            "started_at": at,
            "created_at": at,
            "completed_at": at,
        }
        made = rows.execution(self.scout, **{**row, **more})
        await self.db.execute(insert("scout_executions", Execution), *values(made))
        await pages.add_many(self.db, [rows.page(made, fetched_at=at)])
        step = rows.step(made, status="completed", created_at=at)
        await self.db.execute(insert("scout_execution_steps", type(step)), *values(step))
        if made.state == "completed":
            found = rows.finding(self.scout, execution_id=made.id, created_at=at)
            await findings.add_many(self.db, [found])
            of_finding = vectors.of_finding(found, "e", [1.0])
            of_summary = replace(of_finding, subject_kind="summary", subject_id=made.id)
            await vectors.put_many(self.db, [of_finding, of_summary])
        return made

    async def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        names = ("scout_executions", "scout_pages", "scout_execution_steps", "scout_findings")
        names += ("embeddings", "notification_outbox", "search_cache", "seen_pages")
        return {
            name: await self.db.value(int, f"SELECT count(*) FROM {name}") or 0 for name in names
        }

    async def ids(self) -> set[UUID]:
        """Return the runs that are left."""
        return set(await self.db.all(UUID, "SELECT id FROM scout_executions"))


@pytest.fixture
async def world(database, clock):
    """Return a database with a scout."""
    return await World(database, clock).begin()


async def test_what_is_old_goes_and_findings_stay(world, clock):
    """Pages and steps after a month, runs after half a year; facts and their vectors never."""
    old = [await world.run(200 + n) for n in range(8)]
    middle = [await world.run(40 + n) for n in range(3)]
    fresh = [await world.run(n) for n in range(4)]
    upkeep = Upkeep(world.db, clock, Retention())
    expected = await upkeep.preview()
    done = await upkeep.clean()
    assert (done.executions, done.pages, done.steps) == (8, 11, 11)
    assert expected == Cleaned(executions=8, pages=11, steps=11)
    assert await world.ids() == {each.id for each in [*middle, *fresh]}
    left = await world.counts()
    assert (left["scout_findings"], left["embeddings"]) == (15, 15 + 7)
    assert (left["scout_pages"], left["scout_execution_steps"]) == (4, 4)
    gone = await findings.from_page(world.db, world.scout.id, "https://ferries.example/news")
    assert {each.execution_id for each in gone} == {None, *await world.ids()}
    assert not {each.id for each in old} & await world.ids()
    again = await upkeep.clean()
    assert again == Cleaned(freed_bytes=again.freed_bytes)


async def test_the_newest_runs_stay_whatever_their_age(world, clock):
    """The five newest of each scout and its newest with news, which `scout show` prints."""
    news = await world.run(900, outcome="new")
    await world.run(950, outcome="new")
    kept = [await world.run(400 + n) for n in range(5)]
    await world.run(500)
    await Upkeep(world.db, clock, Retention()).clean()
    assert await world.ids() == {news.id, *(each.id for each in kept)}


async def test_a_run_under_way_loses_nothing(world, clock):
    """However long ago it began, whoever works on it finds its pages, steps and answers."""
    for number in range(6):
        await world.run(number)
    live = await world.run(400, status="running", state="running", completed_at=None, outcome=None)
    answer = StoredAnswer(
        execution_id=live.id, user_id=world.owner, number=1, part="p", key="k", answer="a"
    )
    await world.db.execute(insert("execution_answers", StoredAnswer), *values(answer))
    done = await Upkeep(world.db, clock, Retention()).clean()
    assert done.answers == 0
    assert live.id in await world.ids()
    assert len(await pages.of_execution(world.db, live.id)) == 1
    assert len(await steps.of_execution(world.db, live.id)) == 1
    assert len(await answers.of_execution(world.db, live.id)) == 1


async def test_leftovers_go(world, clock):
    """Recorded answers of runs that ended, and searches that are never asked for again."""
    ended = await world.run(1)
    answer = StoredAnswer(
        execution_id=ended.id, user_id=world.owner, number=1, part="p", key="k", answer="a"
    )
    await world.db.execute(insert("execution_answers", StoredAnswer), *values(answer))
    sql = "INSERT INTO search_cache (key, answer, created_at) VALUES ($1, '{}', $2)"
    for minutes in (14, 16):
        await world.db.execute(sql, str(minutes), clock.now() - timedelta(minutes=minutes))
    done = await Upkeep(world.db, clock, Retention()).clean()
    assert (done.answers, done.searches) == (1, 1)
    assert await searches.get(world.db, "16", clock.now() - DAY) is None


async def test_messages_go_when_they_are_settled(world, clock):
    """What arrived after a month, what was given up after three; what waits or is held never."""
    async with world.db.transaction() as tx:
        (channel,) = await channels.ensure(tx, world.owner, ["console://"])
    ages = {"sent": (29, 31), "dead": (89, 91), "unknown": (91,), "pending": (400,), "held": (400,)}
    for state, days in ages.items():
        for each in days:
            at = clock.now() - timedelta(days=each)
            row = OutboxRow(
                id=uuid4(),
                user_id=world.owner,
                channel_id=channel.id,
                kind="late",
                dedupe_key=str(uuid4()),
                batch="b",
                message=Content(subject="s"),
                state=state,
                next_attempt_at=at,
                created_at=at,
                sent_at=at if state == "sent" else None,
            )
            assert await outbox.add(world.db, [row]) == 1
    done = await Upkeep(world.db, clock, Retention()).clean()
    assert (done.outbox_sent, done.outbox_dead) == (1, 2)
    left = await outbox.listing(world.db, world.owner, limit=10)
    assert Counter(each.state for each in left) == {"sent": 1, "dead": 1, "pending": 1, "held": 1}


async def test_zero_keeps_for_ever(world, clock):
    """A setting of 0 days removes nothing."""
    for number in range(8):
        await world.run(4_000 + number)
    kept = Retention(pages=0, steps=0, executions=0, outbox_sent=0, outbox_dead=0)
    done = await Upkeep(world.db, clock, kept).clean()
    assert (done.executions, done.pages, done.steps) == (0, 0, 0)


async def test_many_rows_go_in_small_steps(world, clock):
    """No transaction deletes more than 500 rows, so that others need not wait."""
    run = await world.run(40)
    await pages.add_many(world.db, [rows.page(run) for _ in range(1_300)])
    before = clock.now() - 30 * DAY
    gone = [await retention.prune(world.db, retention.PAGES, before) for _ in range(4)]
    assert gone == [500, 500, 301, 0]
    await pages.add_many(world.db, [rows.page(run) for _ in range(1_300)])
    assert (await Upkeep(world.db, clock, Retention()).clean()).pages == 1_300


async def test_what_somebody_is_changing_is_left_for_the_next_time(world, clock, opened):
    """On PostgreSQL a locked row neither waits nor fails; on SQLite writers take turns."""
    if world.db.kind == "sqlite":
        return
    run = await world.run(40)
    await pages.add_many(world.db, [rows.page(run) for _ in range(3)])
    before = clock.now() - 30 * DAY
    async with world.db.transaction() as tx:
        await tx.execute(
            "UPDATE scout_pages SET detail = 'x' WHERE id IN (SELECT id FROM scout_pages LIMIT 1)"
        )
        assert await retention.prune(world.db, retention.PAGES, before) == 3
    assert await retention.prune(world.db, retention.PAGES, before) == 1


async def test_it_is_due_once_an_hour(world, clock):
    """The mark is in the database, for all processes; a clock that went back does not stop it."""
    one, two = (Upkeep(world.db, clock, Retention()) for _ in range(2))
    assert await one.clean_when_due() is not None
    assert await two.clean_when_due() is None
    clock.forward(3_599)
    assert not await two.due()
    clock.forward(1)
    assert await two.clean_when_due() is not None
    clock.moment -= DAY
    assert await one.due()


async def test_slots_from_before_the_clean_up_are_not_missed(world, clock):
    """The checker knows from when on runs are kept."""
    at = clock.now()
    for days in (400, 300, *range(8)):
        slot = at - timedelta(days=days)
        await world.run(days, slot_at=slot, covers_from=slot, outcome="new" if days > 90 else None)
    sql = "UPDATE scouts SET next_run_at = $1, anchor = $2, last_run_at = $2 WHERE id = $3"
    await world.db.execute(sql, at + DAY, at, world.scout.id)
    before = await invariants.check(world.db, at, steady=True)
    assert [each.name for each in before] == ["I2"]
    await Upkeep(world.db, clock, Retention()).clean()
    after = await invariants.check(world.db, at, steady=True)
    assert after == []


async def test_the_file_shrinks(world, clock, tmp_path):
    """What SQLite no longer needs goes back to the disk; PostgreSQL does that by itself."""
    run = await world.run(40)
    await pages.add_many(world.db, [rows.page(run, text="x" * 50_000) for _ in range(60)])
    done = await Upkeep(world.db, clock, Retention()).clean()
    assert done.pages == 61
    if world.db.kind == "sqlite":
        assert done.freed_bytes >= 0
        assert (await world.db.describe()).size_bytes < 1_000_000


class TestForgetting:
    """What a person wants forgotten."""

    async def test_a_finding_goes_with_its_vector_and_its_page(self, world):
        """Its page is read again as if it were new; what repeats it stays and stands alone."""
        first = rows.finding(world.scout)
        second = rows.finding(world.scout, same_as=first.id, canonical_url="https://b.example/")
        await findings.add_many(world.db, [first, second])
        await vectors.put_many(
            world.db, [vectors.of_finding(each, "e", [1.0]) for each in (first, second)]
        )
        for url in (first.canonical_url, second.canonical_url):
            await pages.seen_put_many(world.db, [rows.seen(world.scout, canonical_url=url)])
        named = await forgetting.find(world.db, world.owner, [str(first.id)[:13]])
        gone = await forgetting.forget(world.db, named)
        assert gone.findings == 1
        (left,) = await findings.listing(world.db, world.owner, limit=9)
        assert (left.id, left.same_as) == (second.id, None)
        counts = await world.counts()
        assert (counts["embeddings"], counts["seen_pages"]) == (1, 1)
        assert await pages.seen_get(world.db, world.scout.id, first.canonical_url) is None

    async def test_a_page_with_another_finding_stays_remembered(self, world):
        """Else the other one would be found a second time."""
        first, second = rows.finding(world.scout), rows.finding(world.scout)
        await findings.add_many(world.db, [first, second])
        await pages.seen_put_many(world.db, [rows.seen(world.scout)])
        await forgetting.forget(world.db, [first])
        assert (await world.counts())["seen_pages"] == 1

    async def test_all_of_a_scout(self, world):
        """More than one transaction's worth, of this scout alone."""
        other = rows.scout(world.owner, title="Other")
        await scouts.add(world.db, other)
        await findings.add_many(world.db, [rows.finding(world.scout) for _ in range(1_010)])
        await findings.add_many(world.db, [rows.finding(other)])
        assert await forgetting.count(world.db, world.scout.id, None) == 1_010
        gone = await forgetting.forget_scout(world.db, world.scout.id, None)
        assert gone.findings == 1_010
        assert (await world.counts())["scout_findings"] == 1

    async def test_before_a_moment(self, world, clock):
        """What is newer stays."""
        for days in (1, 9, 11):
            at = clock.now() - timedelta(days=days)
            await findings.add_many(world.db, [rows.finding(world.scout, created_at=at)])
        before = clock.now() - 10 * DAY
        assert await forgetting.count(world.db, world.scout.id, before) == 1
        gone = await forgetting.forget_scout(world.db, world.scout.id, before)
        assert gone.findings == 1
        assert (await world.counts())["scout_findings"] == 2

    async def test_a_name_that_means_none_or_several(self, world):
        """Nothing is deleted by a slip."""
        same = [UUID(int=5 << 100 | number) for number in range(2)]
        await findings.add_many(world.db, [rows.finding(world.scout, id=each) for each in same])
        with pytest.raises(NotFound, match="no finding 'ffff'"):
            await forgetting.find(world.db, world.owner, ["ffff"])
        with pytest.raises(InvalidInput, match="may be 2 findings"):
            await forgetting.find(world.db, world.owner, ["0000"])


class TestBallast:
    """Room in reserve."""

    async def test_it_is_made_given_up_and_made_again(self, clock, tmp_path):
        """A file for its owner alone, of its size, beside the database."""
        reserve = Ballast(tmp_path / "scout.db", 3 * 2**19)
        assert reserve.make()
        assert not reserve.make()
        assert reserve.path == tmp_path / "scout.db.ballast"
        assert reserve.path.stat().st_size == 3 * 2**19
        assert reserve.path.stat().st_mode & 0o777 == 0o600
        assert reserve.release()
        assert not reserve.release()
        assert reserve.make()

    async def test_a_disk_without_room_has_none(self, tmp_path):
        """A reserve that would fill the disk helps nobody."""
        reserve = Ballast(tmp_path / "scout.db", 2**60)
        assert reserve.is_short()
        assert not reserve.make()
        assert list(tmp_path.iterdir()) == []
