"""What a failed run means for its scout: three in a row by its own fault pause it, once told."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from scout_cli.core.job import Result
from scout_cli.core.models import Execution, Scout, ScoutPatch
from scout_cli.core.retries import MAX_FAILURES
from scout_cli.store import scouts
from scout_cli.store.database import Connection


class Notices(Protocol):
    """Queues what people are to be told, inside the transaction that makes it true."""

    async def tell(self, tx: Connection, scout: Scout, execution: Execution, result: Result) -> int:
        """Queue the news of a run for every channel of its scout; return for how many."""
        ...

    async def tell_paused(self, tx: Connection, scout: Scout, reason: str) -> int:
        """Queue that scout paused a scout, and why."""
        ...

    async def tell_late(self, tx: Connection, scout: Scout, slot: datetime, now: datetime) -> int:
        """Queue that a scout missed its slot by more than its own interval."""
        ...


async def count_failure(
    tx: Connection, execution: Execution, reason: str, notices: Notices
) -> None:
    """Count a failure that is the scout's own; the third in a row pauses it.

    Args:
        tx: the transaction that ends the execution.
        execution: the run that failed.
        reason: why, for people.
        notices: tells the owner.
    """
    failures = await scouts.count_failure(tx, execution.scout_id)
    if failures is None or failures < MAX_FAILURES:
        return
    paused = f"it failed {failures} times in a row: {reason}"
    patch = ScoutPatch(is_active=False, paused_reason=paused, next_run_at=None)
    scout = await scouts.update(tx, execution.scout_id, patch)
    await notices.tell_paused(tx, scout, paused)
