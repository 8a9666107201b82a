"""One scheduler in a process of its own: it queues and claims what it can get, and runs nothing."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

from msgspec.structs import replace

from scout_cli.service.clocks import SystemClock
from scout_cli.service.lease import Terms
from scout_cli.service.scheduler import Scheduler
from scout_cli.store import executions, open_database, queue
from scout_cli.store.database import Database
from tests.chaos.worker_process import Journal, Order

BATCH = 50
"""Runs claimed at a time."""


class Silence:
    """Tells nobody."""

    async def tell(self, *_: object) -> int:
        """Tell nobody."""
        return 0

    tell_paused = tell_late = tell


def schedule(order: Order) -> None:
    """Queue, claim and end runs until there is nothing left."""
    asyncio.run(_schedule(order))


async def _schedule(order: Order) -> None:
    journal = Journal(order.journal)
    clock = SystemClock()
    db = await open_database(order.url, clock)
    lease = timedelta(seconds=order.lease)
    scheduler = Scheduler(db, clock, Silence(), lease=lease)
    terms = Terms(owner=f"chaos/{os.getpid()}", lease=lease)
    planned, taken = 1, 1
    while planned or taken:
        planned = (await scheduler.plan()).queued
        taken = await _take(db, terms, journal)
    await db.close()


async def _take(db: Database, terms: Terms, journal: Journal) -> int:
    """Claim what is queued and end it at once; return how much that was."""
    total = 0
    while claimed := await queue.claim(db, terms.begin(await db.now()), BATCH):
        now = await db.now()
        for run in claimed:
            journal.note(at="claimed", id=run.id, fence=run.fence)
        async with db.transaction() as tx:
            for run in claimed:
                done = replace(run, state="completed", status="completed", completed_at=now)
                await executions.finish(tx, done)
        total += len(claimed)
    return total
