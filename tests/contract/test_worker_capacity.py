"""A worker uses all of its capacity, whenever its runs end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from scout_cli.service.lease import Terms
from scout_cli.service.scheduler import Scheduler
from scout_cli.service.worker import Worker
from scout_cli.store import scouts, users
from tests.contract import rows
from tests.contract.databases import StoppedClock
from tests.contract.notices import Told
from tests.contract.test_worker import Heard

TERMS = Terms(owner="here/1")


class Gated:
    """Runs that end when they are let go."""

    def __init__(self):
        self.gates = []
        self.begun = asyncio.Semaphore(0)

    async def carry_out(self, execution, scout, emit, record=None):
        """Begin, and wait to be let go."""
        gate = asyncio.Event()
        self.gates.append(gate)
        self.begun.release()
        await gate.wait()
        return SimpleNamespace(outcome="nothing_new", problems=())

    async def have_begun(self, many):
        """Wait until so many more have begun."""
        async with asyncio.timeout(10):
            for _ in range(many):
                await self.begun.acquire()


class Hooked(StoppedClock):
    """A clock that does something the next time it is looked at."""

    def __init__(self):
        super().__init__()
        self.then = None

    def now(self):
        """Do it, and return the moment."""
        then, self.then = self.then, None
        if then is not None:
            then()
        return super().now()


async def test_a_run_that_ends_while_the_next_is_claimed_leaves_no_place_empty(
    database_url, opened
):
    """Two places, four scouts: the second place is filled though it came free in the middle."""
    clock, runs = Hooked(), Gated()
    database = await opened(database_url, on=clock)
    owner = await users.local_owner(database)
    for _ in range(4):
        due = {"next_run_at": clock.now(), "anchor": clock.now()}
        await scouts.add(database, rows.scout(owner.id, goal="x", is_active=True, **due))
    scheduler = Scheduler(database, clock, Told(), lease=TERMS.lease)
    worker = Worker(database, clock, scheduler, runs, TERMS, Heard(), concurrency=2)
    tick = asyncio.create_task(worker.tick(asyncio.Event()))
    await runs.have_begun(2)
    clock.then = runs.gates[1].set
    runs.gates[0].set()
    await runs.have_begun(2)
    for gate in runs.gates:
        gate.set()
    await tick
