"""Runs come to workers through a queue of ids, and nothing depends on what that queue does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.core.job import Budget
from scout_cli.errors import ConfigError, DatabaseUnavailable
from scout_cli.execute import open_executor
from scout_cli.service.attempts import Attempts
from scout_cli.service.clocks import SystemClock
from scout_cli.service.diagnosis import spreading
from scout_cli.service.lease import Terms
from scout_cli.service.scheduler import Scheduler
from scout_cli.service.spreading import Spread
from scout_cli.service.worker import Worker
from scout_cli.store import executions, open_database, queue, spread
from scout_cli.store.postgres_url import address_of
from tests.chaos import harness, world
from tests.chaos.broken_world import Nobody
from tests.chaos.scheduling_process import Silence

TERMS = Terms(owner="here/1", lease=timedelta(seconds=60))


class Heard(Nobody):
    """A listener that keeps how runs ended."""

    def __init__(self):
        self.outcomes, self.troubles = [], []
        self.one_ended = asyncio.Event()

    async def ended(self, ended):
        """Keep it."""
        self.outcomes.append(ended.outcome)
        self.one_ended.set()

    async def trouble(self, error):
        """Keep it."""
        self.troubles.append(error)


class Host:
    """One machine of several: its own connections to the one database."""

    def __init__(self, db, executor, many=4):
        clock = SystemClock()
        self.db, self.heard, self.executor = db, Heard(), executor
        self.spread = Spread(db, executor)
        attempts = Attempts(db, clock, self.kit, Budget(seconds=60), Silence(), TERMS)
        scheduler = Scheduler(db, clock, Silence(), lease=TERMS.lease)
        self.worker = Worker(
            db,
            clock,
            scheduler,
            attempts,
            TERMS,
            self.heard,
            concurrency=many,
            spread=self.spread,
        )

    async def kit(self):
        """Return the built-in engine, with a page for every scout."""
        return world.kit(0.0)


@pytest.fixture
def url(postgres, templates):
    """Yield the URL of a migrated PostgreSQL database."""
    name = postgres.create(template=templates["postgresql"][1])
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
async def host(url):
    """Return a function that sets up one more machine, the queue's tables made."""
    made = []

    async def host(**more):
        db = await open_database(url, SystemClock())
        executor = open_executor("procrastinate://", address_of(url).dsn)
        made.append((db, executor))
        await spread.prepare(db, executor.tables)
        return Host(db, executor, **more)

    yield host
    for db, executor in made:
        await executor.close()
        await db.close()


async def in_the_queue(db, sql):
    """Run SQL of the queue's own tables, which find each other by the search path."""
    await db.script(f"SET LOCAL search_path TO {spread.SCHEMA}; {sql}")


async def test_a_tick_runs_what_is_due_through_the_queue(host):
    """Ten due scouts are queued, offered, taken and run, and the queue is empty afterwards."""
    one = await host()
    await harness.plant(one.db, 10, None)
    await one.worker.tick(asyncio.Event())
    assert len(one.heard.outcomes) == 10
    assert await spread.depth(one.db) == spread.Depth(waiting=0, taken=0)
    assert await spread.lacking(one.db, await one.db.now(), 9) == []


async def test_another_machine_takes_what_one_has_offered(host):
    """Whoever sees a due scout offers it; a worker elsewhere is woken, and runs it."""
    planner, taker = await host(), await host()
    stop = asyncio.Event()
    serving = asyncio.create_task(taker.worker.serve(stop))
    await harness.plant(planner.db, 3, None)
    await planner.worker._plan()
    async with asyncio.timeout(20):
        while len(taker.heard.outcomes) < 3:
            taker.heard.one_ended.clear()
            await taker.heard.one_ended.wait()
    stop.set()
    await serving
    assert planner.heard.outcomes == []


async def test_what_the_queue_lost_is_offered_again(host):
    """The queue forgets everything; two seconds later its content is there again, once."""
    one = await host()
    await harness.plant(one.db, 5, None)
    await one.worker._plan()
    assert (await spread.depth(one.db)).waiting == 5
    await in_the_queue(one.db, "DELETE FROM procrastinate_jobs")
    assert await one.spread.offer(timedelta(seconds=60)) == 0
    assert await one.spread.offer() == 5
    assert await one.spread.offer() == 0
    assert (await spread.depth(one.db)).waiting == 5


async def test_of_many_that_sweep_one_does(host):
    """Three machines sweep at once and again at once: what was lost is offered, once."""
    hosts = [await host() for _ in range(3)]
    db = hosts[0].db
    await harness.plant(db, 4, None)
    await hosts[0].worker._plan()
    await in_the_queue(db, "DELETE FROM procrastinate_jobs")
    await db.execute("UPDATE scout_executions SET run_after = run_after - interval '3 seconds'")
    for _ in range(2):
        await asyncio.gather(*(each.spread.sweep() for each in hosts))
        assert (await spread.depth(db)).waiting == 4


async def test_an_id_that_comes_twice_is_run_once(host):
    """A job for a run that has ended, for one that is held, and for none: nothing happens."""
    one = await host()
    await harness.plant(one.db, 1, None)
    await one.worker.tick(asyncio.Event())
    (done,) = await one.db.all(str, "SELECT CAST(id AS TEXT) FROM scout_executions")
    ended = list(one.heard.outcomes)
    await one.executor.offer([done, uuid4()])
    await one.worker.tick(asyncio.Event())
    assert one.heard.outcomes == ended
    assert (await spread.depth(one.db)).waiting == 0


async def test_many_offer_the_same_and_the_queue_has_it_once(host):
    """Six machines offer the same thirty runs at once."""
    hosts = [await host() for _ in range(3)]
    await harness.plant(hosts[0].db, 30, None)
    plans = [each.worker._plan() for each in hosts]
    await asyncio.gather(*plans, *(each.spread.offer() for each in hosts))
    assert (await spread.depth(hosts[0].db)).waiting == 30


async def test_a_claim_by_name_is_what_is_stored(host):
    """What a claim returns is the run as it is in the database, and no second claim gets it."""
    one = await host()
    await harness.plant(one.db, 2, None)
    await one.worker._plan()
    (first,) = await queue.claim_now(one.db, TERMS.span, 1)
    (waiting,) = await one.db.all(UUID, "SELECT id FROM scout_executions WHERE state = 'queued'")
    second = await queue.claim_one(one.db, TERMS.span, waiting)
    assert second is not None
    assert await queue.claim_one(one.db, TERMS.span, waiting) is None
    for run in (first, second):
        assert run == await executions.get(one.db, run.id)


async def test_jobs_of_a_machine_that_went_away_are_forgotten(host):
    """Its heartbeat is old: its jobs are deleted; its runs are the lease's business."""
    one = await host()
    await harness.plant(one.db, 2, None)
    await one.worker._plan()
    await in_the_queue(one.db, "UPDATE procrastinate_jobs SET status = 'doing'")
    await one.executor.tidy()
    assert await spread.depth(one.db) == spread.Depth(waiting=0, taken=0)
    assert await one.spread.offer() == 2


async def test_without_its_tables_it_says_what_to_do(url):
    """A database that `init-db` has not prepared for it: two lines, and not tried again."""
    executor = open_executor("procrastinate://", address_of(url).dsn)
    try:
        with pytest.raises(DatabaseUnavailable, match="no tables") as told:
            await executor.offer([uuid4()])
    finally:
        await executor.close()
    assert told.value.hint == "run `scout init-db`"


async def test_tables_of_another_version_are_made_anew(host):
    """What is in the queue is worth nothing, so an upgrade replaces it."""
    one = await host()
    tables = one.executor.tables
    assert await spread.state(one.db, tables) == "ready"
    assert not await spread.prepare(one.db, tables)
    assert await spread.state(one.db, tables + "-- newer") == "other"
    assert await spread.prepare(one.db, tables + "-- newer")
    assert await spread.state(one.db, tables + "-- newer") == "ready"


def test_a_file_has_no_queue_beside_it():
    """SQLite and procrastinate:// do not go together, and that is said at once."""
    with pytest.raises(ConfigError, match="needs PostgreSQL"):
        open_executor("procrastinate://", "")


@pytest.mark.parametrize(
    ("text", "number"), [("local://", None), ("local://?concurrency=4", 4), ("LOCAL://", None)]
)
def test_how_many_a_worker_runs_at_a_time(text, number):
    """The URL may say it."""
    assert open_executor(text, "").concurrency == number


@pytest.mark.parametrize(
    "text",
    [
        "local://?concurrency=0",
        "local://?concurrency=1001",
        "local://?concurrency=two",
        "local://?concurrency=2&concurrency=3",
        "local://?workers=2",
        "local://host",
        "local:",
        "remote://",
    ],
)
def test_other_urls_are_refused(text):
    """Nothing is guessed."""
    with pytest.raises(ConfigError, match="execute_url"):
        open_executor(text, "")


async def test_the_application_makes_its_tables_and_looks_at_them(url):
    """`init-db` names them once; the examination says what is missing, and what waits."""
    settings = Settings(
        database_url=url,
        execute_url="procrastinate://?concurrency=3",
        llm_url="builtin://",
        embed_url="builtin://",
        secret_keys=(Fernet.generate_key().decode(),),
    )
    async with App.open(settings) as app:
        assert await queue_check(app) == ("fail", "scout init-db")
        assert await app.init_db() == ["scout_jobs"]
        assert await app.init_db() == []
        assert await queue_check(app) == ("ok", "")
        worker = await app.worker(Heard())
        assert worker._concurrency == 3
        assert (await app.worker(Heard(), concurrency=5))._concurrency == 5


async def queue_check(app):
    """Return what the examination says of the queue."""
    told = []
    subject = app._subject()
    await spreading.examine(subject, await app.database(), told.append)
    (check,) = told
    return check.status, check.hint
