"""Many machines and one queue of ids: killed workers, a restarted database, a pulled cable."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from scout_cli.execute import open_executor
from scout_cli.store import spread
from tests.chaos import cuts, examination, harness
from tests.chaos.harness import Outcome
from tests.chaos.places import Place
from tests.chaos.test_kills import kills
from tests.chaos.test_restarts import restarts
from tests.chaos.worker_process import Order

pytestmark = pytest.mark.chaos
QUEUE = "procrastinate://"


async def prepared(place: Place) -> Place:
    """Make the queue's tables."""
    await spread.prepare(place.db, open_executor(QUEUE, "postgresql://nowhere/none").tables)
    return place


async def pulled(
    place: Place, seed: int, *, cuts_: int, slots: int, seconds: float, execute: str
) -> Outcome:
    """Cut one of two hosts off, longer than a lease lasts, and let it return.

    Args:
        place: a PostgreSQL database.
        seed: of the choice of hosts.
        cuts_: how many times.
        slots: how many scouts become due, once each, meanwhile.
        seconds: for which a host is cut off.
        execute: how runs come to the workers.
    """
    assert place.server is not None
    began = time.monotonic()
    socket, name = place.server.folder / ".s.PGSQL.5432", place.url.split("/")[3].split("?")[0]
    async with AsyncExitStack() as stack:
        hosts, crews = [], []
        for number in (1, 2):
            network, here = stack.enter_context(cuts.wire(number))
            gate = await stack.enter_async_context(cuts.gate(socket, here))
            hosts.append(cuts.Host(number, gate, network))
            order = Order(
                url=f"postgresql://postgres@{here}:{gate.port}/{name}?sslmode=disable&scout_unsafe=1",
                receiver="127.0.0.1:9",
                journal=str(place.folder / f"journal{number}"),
                lease=2.0,
                delay=0.1,
                deliver=False,
                crashes=10_000,
                execute=execute,
                network=network,
            )
            crews.append(stack.enter_context(harness.crew(order, 2, seed + number)))
        for crew in crews:
            await crew.ready()
        scouts = await harness.plant(place.db, slots, None, over=cuts_ * (seconds + 1.0))
        for number in range(cuts_):
            await asyncio.sleep(1.0)
            host = hosts[(seed + number) % 2]
            host.cut()
            await asyncio.sleep(seconds)
            host.heal()
        await examination.quiet(place.db, None, 60 + slots / 10)
        fell = sum(each.exitcode is not None for crew in crews for each in crew.members)
        for crew in crews:
            await crew.dismiss()
        journal = place.folder / "journal"
        parts = [(place.folder / f"journal{number}").read_bytes() for number in (1, 2)]
        journal.write_bytes(b"".join(parts))
        found = await examination.examine(place.db, scouts, None, journal)
    return Outcome(
        test=f"cuts, {execute}",
        database=place.kind,
        seed=seed,
        seconds=time.monotonic() - began,
        counts={"cuts": cuts_, "namespaces": bool(hosts[0].network), **found.counts},
        faults={**found.faults, "workers_fell": fell},
        details=found.details,
    )


async def test_killed_workers_lose_nothing_of_the_queue(on):
    """Twenty kills, eighty slots: each is run, and told under one key."""
    async with on("postgresql") as place:
        outcome = await kills(
            await prepared(place), 4, kills=20, slots=80, doom=0.04, execute=QUEUE
        )
        outcome.check()


async def test_a_restarted_database_loses_nothing_of_the_queue(on):
    """Two crashes of the server, sixty slots: every one is run and told, soon."""
    async with on("postgresql") as place:
        outcome = await restarts(await prepared(place), 5, restarts=2, slots=60, execute=QUEUE)
        outcome.check()


@pytest.mark.parametrize("execute", ["local://", QUEUE])
async def test_a_host_that_is_cut_off_and_returns_doubles_nothing(on, execute):
    """Two cuts of four seconds, with leases of two: others go on, and what returns has lost."""
    async with on("postgresql") as place:
        outcome = await pulled(
            await prepared(place), 6, cuts_=2, slots=60, seconds=4.0, execute=execute
        )
        outcome.check()
