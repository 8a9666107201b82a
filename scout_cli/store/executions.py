"""Runs of scouts: one at a time each, held by a lease, every write guarded by a fence."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Execution
from scout_cli.errors import Conflict, FenceLost, InvalidInput
from scout_cli.store.database import Connection
from scout_cli.store.statements import assignments, id_pattern, insert, values

WORKER_LOST = "worker_lost"
"""`error_class` of a run whose process went away without a word."""

_LIVE = "id = $1 AND fence = $2 AND status = 'running'"
_FIXED = {"id", "scout_id", "user_id", "trigger", "started_at", "created_at", "fence"}
_LOST_STEPS = """
    UPDATE scout_execution_steps SET status = 'failed', completed_at = $2, error_message = $3
    WHERE status = 'running' AND execution_id IN (
        SELECT id FROM scout_executions
        WHERE scout_id = $1 AND status = 'running' AND (lease_until IS NULL OR lease_until <= $2))
"""
_LOST_RUNS = """
    UPDATE scout_executions SET status = 'failed', outcome = 'failed', completed_at = $2,
        error_message = $3, error_class = $4, lease_until = NULL, fence = fence + 1
    WHERE scout_id = $1 AND status = 'running' AND (lease_until IS NULL OR lease_until <= $2)
"""


async def start(db: Connection, execution: Execution) -> None:
    """Begin a run. An earlier one whose lease has expired is marked failed first.

    Args:
        db: the database.
        execution: a running execution with a lease.

    Raises:
        Conflict: this scout is already running, and its lease holds.
        InvalidInput: it has no lease, so that a crash would leave it running for ever.
        NotFound: the scout is not there.
    """
    if execution.lease_until is None:
        raise InvalidInput("a run starts with a lease")
    async with db.transaction() as tx:
        lost = (execution.scout_id, await tx.now(), "worker lost: its process went away")
        await tx.execute(_LOST_STEPS, *lost)
        await tx.execute(_LOST_RUNS, *lost, WORKER_LOST)
        sql = f"""{insert("scout_executions", Execution)}
            ON CONFLICT (scout_id) WHERE status = 'running' DO NOTHING"""
        if not await tx.execute(sql, *values(execution)):
            since = await _running_since(tx, execution.scout_id)
            raise Conflict(
                f"this scout is already running{since}", hint="wait until that run has ended"
            )


async def _running_since(db: Connection, scout_id: UUID) -> str:
    sql = "SELECT started_at FROM scout_executions WHERE scout_id = $1 AND status = 'running'"
    started = await db.value(datetime, sql, scout_id)
    return f" since {started:%Y-%m-%d %H:%M:%S} UTC" if started else ""


async def hold(db: Connection, execution_id: UUID, fence: int) -> None:
    """Inside a transaction: make sure that the run is ours, and stays so until the commit.

    Raises:
        FenceLost: another process has taken it over, or it has ended.
    """
    sql = f"SELECT id FROM scout_executions WHERE {_LIVE} {db.share_lock}"  # noqa: S608 - two constants
    if await db.value(UUID, sql, execution_id, fence) is None:
        raise _fence_lost(execution_id)


async def renew(db: Connection, execution_id: UUID, fence: int, lease_until: datetime) -> None:
    """Say that the run is alive.

    Args:
        db: the database.
        execution_id: the run.
        fence: the number it was started with.
        lease_until: until when nobody may take it over.

    Raises:
        FenceLost: another process has taken it over, or it has ended.
    """
    sql = f"UPDATE scout_executions SET lease_until = $3 WHERE {_LIVE}"  # noqa: S608 - a constant
    if not await db.execute(sql, execution_id, fence, lease_until):
        raise _fence_lost(execution_id)


async def finish(db: Connection, execution: Execution) -> None:
    """Write what a run came to: every column but its identity, start and fence.

    Raises:
        FenceLost: another process has taken it over, or it has ended; nothing is written.
    """
    changed, args = assignments(execution, keep=_FIXED, first=3)
    sql = f"UPDATE scout_executions SET {changed} WHERE {_LIVE}"  # noqa: S608 - the names are Execution's fields
    if not await db.execute(sql, execution.id, execution.fence, *args):
        raise _fence_lost(execution.id)


def _fence_lost(execution_id: UUID) -> FenceLost:
    return FenceLost(
        f"run {execution_id} has ended or was taken over by another process",
        hint="`scout history` shows what became of it",
    )


async def get(db: Connection, execution_id: UUID) -> Execution | None:
    """Return one run, or None."""
    return await db.one(Execution, "SELECT * FROM scout_executions WHERE id = $1", execution_id)


async def by_prefix(db: Connection, user_id: UUID, prefix: str) -> list[Execution]:
    """Return the runs of a user whose id starts with `prefix`, newest first."""
    pattern = id_pattern(prefix)
    if pattern is None:
        return []
    sql = """
        SELECT * FROM scout_executions WHERE user_id = $1 AND CAST(id AS TEXT) LIKE $2
        ORDER BY started_at DESC, id DESC
    """
    return await db.all(Execution, sql, user_id, pattern)


async def of_scout(db: Connection, scout_id: UUID, limit: int) -> list[Execution]:
    """Return the last `limit` runs of a scout, newest first."""
    sql = """
        SELECT * FROM scout_executions WHERE scout_id = $1
        ORDER BY started_at DESC, id DESC LIMIT $2
    """
    return await db.all(Execution, sql, scout_id, limit)


async def owned(db: Connection, user_id: UUID, limit: int) -> list[Execution]:
    """Return the last `limit` runs of all scouts of a user, newest first."""
    sql = """
        SELECT * FROM scout_executions WHERE user_id = $1
        ORDER BY started_at DESC, id DESC LIMIT $2
    """
    return await db.all(Execution, sql, user_id, limit)
