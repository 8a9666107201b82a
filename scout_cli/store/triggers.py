"""What is looked at before somebody's run is queued."""

from __future__ import annotations

from uuid import UUID

from scout_cli.core.models import Scout
from scout_cli.store.database import Connection


async def waiting(db: Connection) -> int:
    """Return how many runs wait, of all users together."""
    sql = "SELECT count(*) FROM scout_executions WHERE state = 'queued'"
    return await db.value(int, sql) or 0


async def locked_scout(tx: Connection, scout_id: UUID) -> Scout | None:
    """Inside a transaction: return a scout that nobody else queues a run of meanwhile, or None."""
    sql = f"SELECT * FROM scouts WHERE id = $1 {tx.update_lock}"  # noqa: S608 - a constant
    return await tx.one(Scout, sql, scout_id)
