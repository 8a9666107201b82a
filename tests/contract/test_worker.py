"""A worker on both databases: runs side by side, retries, replay after a crash, a clean stop."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from scout_cli.core.asking import Asking
from scout_cli.core.job import Budget
from scout_cli.core.ports import FetchRequest, Page
from scout_cli.errors import ModelUnavailable
from scout_cli.llm.builtin import BuiltIn, LexicalEmbedder
from scout_cli.service.attempts import Attempts
from scout_cli.service.kit import Kit
from scout_cli.service.lease import Terms
from scout_cli.service.scheduler import Scheduler
from scout_cli.service.worker import Worker
from scout_cli.store import executions, findings, queue, scouts, steps, users
from scout_cli.testing import CannedSearch, CannedWeb
from tests import agent_world as world
from tests.contract import rows
from tests.contract.notices import Told

TERMS = Terms(owner="here/1")
PAGES = (world.COMPANY, world.PAPER)


class Heard:
    """What a worker said."""

    def __init__(self):
        self.ends = []
        self.troubles = []
        self.one_ended = asyncio.Event()
        self.most = self.now = 0

    async def planned(self, planned):
        """Hear of a look at the clock."""

    async def started(self, execution, title):
        """Count the runs under way."""
        self.now += 1
        self.most = max(self.most, self.now)

    async def event(self, execution, event):
        """Hear of an agent's event."""

    async def ended(self, ended):
        """Keep how a run ended."""
        self.now -= 1
        self.ends.append(ended)
        self.one_ended.set()

    async def trouble(self, error):
        """Keep what went wrong beside the runs."""
        self.troubles.append(error)

    def outcomes(self):
        """Return how the runs ended."""
        return [ended.outcome for ended in self.ends]


class Stage:
    """One process: its parts, its worker, and what it said."""

    def __init__(self, database, clock, *, reasoner=None, search=None, web=None, many=4):
        self.db, self.clock = database, clock
        self.heard, self.told = Heard(), Told()
        self.search = search or CannedSearch(world.hits(*PAGES))
        self.web = web or CannedWeb(PAGES)
        self.reasoner = reasoner or BuiltIn()
        self.attempts = Attempts(database, clock, self.kit, Budget(seconds=60), self.told, TERMS)
        scheduler = Scheduler(database, clock, self.told, lease=TERMS.lease)
        self.worker = Worker(
            database, clock, scheduler, self.attempts, TERMS, self.heard, concurrency=many
        )

    async def kit(self):
        """Return the canned parts."""
        return Kit(
            reasoner=self.reasoner,
            embedder=LexicalEmbedder(),
            search=self.search,
            fetcher=self.web,
        )

    async def tick(self):
        """Run what is due."""
        await self.worker.tick(asyncio.Event())

    def claim_nothing_more(self):
        """Leave what is taken back to others: this one is still there to claim its own run."""
        self.worker._concurrency = 0


@pytest.fixture
async def owner(database):
    """Return the local owner."""
    return await users.local_owner(database)


@pytest.fixture
def add(database, owner, clock):
    """Return a function that stores a scout that is due now."""

    async def add(**more):
        now = clock.now()
        row = {"goal": world.GOAL, "title": "Saltmere Ferries", "created_at": now}
        row |= {"next_run_at": now, "anchor": now, "search_queries": ["saltmere ferries"]}
        scout = rows.scout(owner.id, **{**row, **more})
        await scouts.add(database, scout)
        return scout

    return add


async def only_run(database, scout):
    """Return the one run of a scout."""
    (run,) = await executions.of_scout(database, scout.id, 9)
    return run


async def stored(database, part):
    """Return how many answers of a part are kept for a run that may be repeated."""
    sql = "SELECT count(*) AS n FROM execution_answers WHERE part = $1"
    (count,) = await database.all(int, sql, part)
    return count


async def test_a_tick_runs_what_is_due_and_tells_it(database, clock, add):
    """Three scouts are run, stored with their findings, and told in the same transaction."""
    made = [await add() for _ in range(3)]
    stage = Stage(database, clock)
    await stage.tick()
    assert stage.heard.outcomes() == ["new"] * 3
    assert len(stage.told.news) == 3
    for scout in made:
        run = await only_run(database, scout)
        assert (run.state, run.status, run.outcome) == ("completed", "completed", "new")
        assert (run.lease_until, run.lease_owner, run.model) == (None, None, "built-in")
        assert await findings.count(database, scout.id) > 0
    clock.forward(60)
    await stage.tick()
    assert len(stage.heard.ends) == 3


async def test_a_run_that_begins_late_takes_no_slot_but_its_own(database, clock, add):
    """What fell due while it waited for its turn is run after it."""
    scout = await add()
    stage = Stage(database, clock)
    await Scheduler(database, clock, stage.told, lease=TERMS.lease).plan()
    clock.forward(25 * 3600)
    await stage.tick()
    await stage.tick()
    first, second = sorted(
        await executions.of_scout(database, scout.id, 9), key=lambda run: run.slot_at
    )
    assert second.slot_at == second.covers_from == first.slot_at + timedelta(days=1)


async def test_never_more_than_concurrency_at_a_time(database, clock, add):
    """Ten scouts, three at a time."""
    for _ in range(10):
        await add()
    stage = Stage(database, clock, many=3, search=CannedSearch(world.hits(*PAGES), delay=0.01))
    await stage.tick()
    assert stage.heard.outcomes() == ["new"] * 10
    assert stage.heard.most == 3


async def test_an_absent_model_is_tried_again_and_never_pauses(database, clock, add):
    """Four retries with growing waits, then the run has failed, and the scout is active still."""
    scout = await add()
    down = ModelUnavailable("no Ollama answers", hint="ollama serve")
    stage = Stage(database, clock, reasoner=Asking(world.model(PlanAnswer=down)))
    waits = []
    for _ in range(4):
        await stage.tick()
        run = await only_run(database, scout)
        assert (run.state, run.status, run.error_class) == (
            "queued",
            "running",
            "model_unavailable",
        )
        waits.append((run.run_after - clock.now()).total_seconds() / 60)
        clock.forward((run.run_after - clock.now()).total_seconds())
    for wait, minutes in zip(waits, (1, 5, 15, 15), strict=True):
        assert 0.8 * minutes <= wait <= 1.2 * minutes
    await stage.tick()
    run = await only_run(database, scout)
    assert (run.state, run.attempt) == ("failed", 5)
    after = await scouts.get(database, scout.id)
    assert (after.is_active, after.consecutive_failures) == (True, 0)
    assert stage.told.paused == []


async def test_a_retry_that_works_is_a_run_like_any_other(database, clock, add):
    """When the model is back the same slot is completed, once."""
    scout = await add()
    down = ModelUnavailable("no Ollama answers", hint="ollama serve")
    await Stage(database, clock, reasoner=Asking(world.model(PlanAnswer=down))).tick()
    clock.forward(120)
    stage = Stage(database, clock)
    await stage.tick()
    run = await only_run(database, scout)
    assert (run.state, run.attempt, run.error_message) == ("completed", 2, None)
    assert len(stage.told.news) == 1


class Limited(CannedSearch):
    """A search engine that has had enough."""

    async def search(self, query):
        """Say so."""
        return world.LIMITED


async def test_a_limited_search_is_tried_again_in_a_quarter_of_an_hour(database, clock, add):
    """Could not look is not nothing new, and it is not the scout's fault."""
    scout = await add()
    stage = Stage(database, clock, search=Limited(()))
    await stage.tick()
    run = await only_run(database, scout)
    assert run.state == "queued"
    assert 12 <= (run.run_after - clock.now()).total_seconds() / 60 <= 18


class Broken(BuiltIn):
    """An engine with a mistake in it."""

    async def answer(self, question, on_token=None, *, calls=2):
        """Fail."""
        raise ZeroDivisionError


async def test_the_third_failure_of_its_own_pauses_a_scout(database, clock, add):
    """Three days with a mistake of scout's own: paused with a reason, told once."""
    scout = await add()
    stage = Stage(database, clock, reasoner=Broken())
    for _ in range(4):
        await stage.tick()
        clock.forward(86_400)
    after = await scouts.get(database, scout.id)
    assert (after.is_active, after.consecutive_failures) == (False, 3)
    assert "3 times" in after.paused_reason
    assert stage.told.paused == [(scout.title, after.paused_reason)]
    assert len(await executions.of_scout(database, scout.id, 9)) == 3


async def test_a_look_that_works_forgets_earlier_failures(database, clock, add):
    """Two failures and a success are no step towards a pause."""
    scout = await add()
    for reasoner in (Broken(), Broken(), BuiltIn()):
        await Stage(database, clock, reasoner=reasoner).tick()
        clock.forward(86_400)
    assert (await scouts.get(database, scout.id)).consecutive_failures == 0


class Halting(CannedWeb):
    """A web whose last page never comes."""

    def __init__(self):
        super().__init__(PAGES)
        self.waiting = asyncio.Event()

    async def fetch(self, request: FetchRequest) -> Page:
        """Give the first page, and keep the caller waiting for the others."""
        if len(self.asked) >= 1:
            self.waiting.set()
            await asyncio.Event().wait()
        return await super().fetch(request)


async def test_a_run_whose_process_died_does_not_ask_twice(database, clock, add):
    """After a crash, searches and pages that were answered are not asked for again."""
    scout = await add()
    dying = Stage(database, clock, web=Halting())
    tick = asyncio.create_task(dying.worker.tick(asyncio.Event()))
    await dying.web.waiting.wait()
    while not await stored(database, "fetch"):  # noqa: ASYNC110 - kept a moment after it came
        await asyncio.sleep(0)
    # As if the process were gone: nothing of it is allowed to write any more.
    dying.claim_nothing_more()
    clock.forward(60)
    living = Stage(database, clock)
    while not living.heard.ends:  # PostgreSQL passes over a row that the dying one still holds
        await living.tick()
    assert living.heard.outcomes() == ["new"]
    assert len(dying.search.asked) > 0
    assert living.search.asked == []
    assert len(living.web.asked) == len(PAGES) - 1
    run = await only_run(database, scout)
    assert (run.state, run.crash_count) == ("completed", 1)
    assert await database.all(int, "SELECT count(*) AS n FROM execution_answers") == [0]
    tick.cancel()
    await asyncio.gather(tick, return_exceptions=True)
    assert await only_run(database, scout) == run
    shown = [step for step in await steps.of_execution(database, run.id) if step.fence == run.fence]
    assert {step.status for step in shown} == {"completed"}


async def test_a_stopped_worker_gives_back_what_it_cannot_finish(database, clock, add, monkeypatch):
    """On SIGTERM nothing more is claimed, and the run goes back uncharged, its lease free."""
    monkeypatch.setattr("scout_cli.service.worker.GRACE", 0.05)
    scout = await add()
    await add()
    stage = Stage(database, clock, web=Halting(), many=1)
    stop = asyncio.Event()
    tick = asyncio.create_task(stage.worker.tick(stop))
    await stage.web.waiting.wait()
    stop.set()
    await tick
    assert stage.heard.outcomes() == ["given_back"]
    states = await database.all(str, "SELECT state FROM scout_executions")
    assert states == ["queued", "queued"]
    run = await only_run(database, scout)
    assert (run.attempt, run.crash_count, run.lease_until) == (0, 0, None)
    again = Stage(database, clock)
    await again.tick()
    assert again.heard.outcomes() == ["new", "new"]


async def test_a_scout_deleted_while_it_runs_ends_its_run(database, clock, add):
    """Nothing is stored, nothing is told, and the worker lives on."""
    scout = await add()
    stage = Stage(database, clock, web=Halting())
    tick = asyncio.create_task(stage.worker.tick(asyncio.Event()))
    await stage.web.waiting.wait()
    await scouts.delete(database, scout.id)
    tick.cancel()
    await asyncio.gather(tick, return_exceptions=True)
    assert stage.told.news == []
    assert await database.all(int, "SELECT count(*) AS n FROM scout_executions") == [0]


async def test_the_loop_picks_up_a_scout_that_becomes_due(database, clock, add):
    """`serve` looks again and again, and ends when it is told to."""
    stage = Stage(database, clock)
    stage.worker._interval = 0.02
    stop = asyncio.Event()
    loop = asyncio.create_task(stage.worker.serve(stop))
    scout = await add(next_run_at=clock.now() + timedelta(hours=1))
    await asyncio.sleep(0.1)
    assert stage.heard.ends == []
    clock.forward(3_600)
    async with asyncio.timeout(10):
        await stage.heard.one_ended.wait()
    stop.set()
    await loop
    assert (await only_run(database, scout)).state == "completed"


async def test_a_claim_outlives_no_lease(database, clock, add):
    """A worker that was stopped for longer than its lease writes nothing afterwards."""
    scout = await add()
    stage = Stage(database, clock, web=Halting())
    tick = asyncio.create_task(stage.worker.tick(asyncio.Event()))
    await stage.web.waiting.wait()
    stage.claim_nothing_more()
    clock.forward(60)
    scheduler = Scheduler(database, clock, stage.told, lease=TERMS.lease)
    assert (await scheduler.plan()).taken_back == 1
    claimed = []
    while not claimed:  # PostgreSQL passes over a row that the stopped one still holds
        claimed = await queue.claim(database, TERMS.begin(clock.now()), 1)
    (mine,) = claimed
    tick.cancel()
    await asyncio.gather(tick, return_exceptions=True)
    run = await only_run(database, scout)
    assert (run.state, run.fence) == ("running", mine.fence)
