"""Executions over many machines: offered when they wait, offered again when the queue lost them.

The queue carries ids and is trusted with nothing: a run is claimed by its id, with lease and fence,
and what waits in the database without being in the queue is offered until it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from scout_cli.core.ports import Executor
from scout_cli.store import marks, spread
from scout_cli.store.database import Database

LOST = timedelta(seconds=2)
"""A run that waits for so long without being in the queue was lost by it."""
MARK = "spread"
_TIDY = timedelta(seconds=30)
_TIDY_MARK = "spread tidy"
_BATCH = 500


class Spread:
    """Keeps a queue beside the database full of what waits in it.

    Args:
        db: a PostgreSQL database.
        executor: the queue.
    """

    def __init__(self, db: Database, executor: Executor) -> None:
        self._db = db
        self._executor = executor
        self._again = 0.0

    async def offer(self, waiting: timedelta = timedelta(0)) -> int:
        """Put everything into the queue that has waited for so long and is not there.

        Returns:
            How many runs.

        Raises:
            DatabaseUnavailable: nothing is lost; call it again.
        """
        total = 0
        while True:
            before = await self._db.now() - waiting
            lacking = await spread.lacking(self._db, before, _BATCH)
            await self._executor.offer(lacking)
            total += len(lacking)
            if len(lacking) < _BATCH:
                return total

    async def sweep(self) -> None:
        """Offer again what the queue lost, and forget what dead workers hold, now and then.

        Any number of processes may call this as often as they like: one of them does it.

        Raises:
            DatabaseUnavailable: nothing is lost; call it again.
        """
        here = asyncio.get_running_loop().time()
        if here < self._again:
            return
        self._again = here + LOST.total_seconds()
        now = await self._db.now()
        if not await marks.turn(self._db, MARK, now, now - LOST):
            return
        await self.offer(LOST)
        if await marks.turn(self._db, _TIDY_MARK, now, now - _TIDY):
            await self._executor.tidy()

    async def work(
        self, take: Callable[[UUID], Awaitable[None]], concurrency: int, *, stays: bool
    ) -> None:
        """Give `take` one run after the other; see `core.ports.Executor`."""
        await self._executor.work(take, concurrency, stays=stays)
