"""The writes of one run, in the order in which they were asked for."""

from __future__ import annotations

import asyncio

from scout_cli.core.models import Execution
from scout_cli.store.database import Database, Statement
from scout_cli.store.executions import held
from scout_cli.store.finishing import to_the_end


class _Batch:
    """Statements that are committed together, and why they were not."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.error: Exception | None = None


class Pen:
    """Writes what an execution comes to, behind the guard of its fence.

    Pages arrive from several tasks at once. What waits for a write that is under way is committed
    together; nothing overtakes what was asked for earlier, so a watcher never sees a later event
    before an earlier one.

    Args:
        db: where it is written.
        execution: whose it is.
    """

    def __init__(self, db: Database, execution: Execution) -> None:
        self._db = db
        self._held = held(db, execution.id, execution.fence)
        self._turn = asyncio.Lock()
        self._next = _Batch()

    async def write(self, *statements: Statement) -> None:
        """Commit statements.

        Raises:
            FenceLost: the run is no longer ours; nothing is written.
            ScoutError: they could not be stored, or what was to be committed with them.
        """
        batch = self._next
        batch.statements += statements
        async with self._turn:
            if batch is self._next:
                self._next = _Batch()
                # Others may wait for the same commit: it does not end with this task.
                await to_the_end(self._commit(batch))
        if batch.error is not None:
            raise batch.error

    async def _commit(self, batch: _Batch) -> None:
        try:
            await self._db.together(self._held, *batch.statements)
        except Exception as error:  # noqa: BLE001 - each task that waits for the batch raises it
            batch.error = error
