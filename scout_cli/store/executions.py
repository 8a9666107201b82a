"""Runs of scouts: one at a time each, held by a lease, every write guarded by a fence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from scout_cli.core.models import Execution
from scout_cli.errors import Conflict, FenceLost, InvalidInput
from scout_cli.store.database import Connection, Statement
from scout_cli.store.statements import assignments, id_pattern, insert, values

LIVE = "id = $1 AND fence = $2 AND state = 'running'"
"""The guard of every write: the run is `$1`, and we hold it by fence `$2`."""
_FIXED = {"id", "scout_id", "user_id", "trigger", "started_at", "created_at", "fence", "beats"}


def fence_lost(execution_id: UUID) -> FenceLost:
    """Return the error of a write whose guard held no row."""
    return FenceLost(
        f"run {execution_id} has ended or was taken over by another process",
        hint="`scout history` shows what became of it",
    )


async def add(db: Connection, execution: Execution) -> None:
    """Store a running execution.

    Raises:
        Conflict: the scout has a live run.
        InvalidInput: it has no lease, so that a crash would leave it running for ever.
        NotFound: the scout is not there.
    """
    if execution.lease_until is None:
        raise InvalidInput("a run starts with a lease")
    sql = f"""{insert("scout_executions", Execution)}
        ON CONFLICT (scout_id) WHERE status = 'running' DO NOTHING"""
    if not await db.execute(sql, *values(execution)):
        since = await _running_since(db, execution.scout_id)
        raise Conflict(
            f"this scout is already running{since}", hint="wait until that run has ended"
        )


async def _running_since(db: Connection, scout_id: UUID) -> str:
    sql = "SELECT started_at FROM scout_executions WHERE scout_id = $1 AND status = 'running'"
    started = await db.value(datetime, sql, scout_id)
    return f" since {started:%Y-%m-%d %H:%M:%S} UTC" if started else ""


def held(db: Connection, execution_id: UUID, fence: int) -> Statement:
    """Return the statement that makes sure a run is ours, and stays so until the commit.

    It comes first in `together`; without the run that raises `FenceLost`.
    """
    sql = f"SELECT id FROM scout_executions WHERE {LIVE} {db.share_lock}"  # noqa: S608 - two constants
    return Statement(sql, (execution_id, fence), partial(fence_lost, execution_id))


async def hold(db: Connection, execution_id: UUID, fence: int) -> None:
    """Inside a transaction: make sure that the run is ours, and stays so until the commit.

    Raises:
        FenceLost: another process has taken it over, or it has ended.
    """
    await db.together(held(db, execution_id, fence))


async def finish(db: Connection, execution: Execution) -> None:
    """Write what a run came to: every column but its identity, start and fence.

    Raises:
        FenceLost: another process has taken it over, or it has ended; nothing is written.
    """
    changed, args = assignments(execution, keep=_FIXED, first=3)
    sql = f"UPDATE scout_executions SET {changed} WHERE {LIVE}"  # noqa: S608 - the names are Execution's fields
    if not await db.execute(sql, execution.id, execution.fence, *args):
        raise fence_lost(execution.id)


async def get(db: Connection, execution_id: UUID) -> Execution | None:
    """Return one run, or None."""
    return await db.one(Execution, "SELECT * FROM scout_executions WHERE id = $1", execution_id)


async def ended_as_held(db: Connection, execution: Execution) -> bool:
    """Return whether a run ended by whoever held it with this fence, not by a take-over."""
    stored = await get(db, execution.id)
    return stored is not None and stored.fence == execution.fence and stored.state != "running"


async def delete(db: Connection, ids: Sequence[UUID]) -> None:
    """Delete runs with their steps and pages; one that is under way stops at its next write."""
    await db.executemany("DELETE FROM scout_executions WHERE id = $1", [(each,) for each in ids])


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
