"""Runs whose process went away: found by their lease, taken back by whoever looks first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Execution, Record
from scout_cli.core.retries import MAX_CRASHES
from scout_cli.store.database import Connection
from scout_cli.store.statements import placeholders

WORKER_LOST = "worker_lost"
"""`error_class` of a run whose process went away without a word."""
LOST = "worker lost: its process went away"

_DEAD = "state = 'running' AND (lease_until IS NULL OR lease_until <= $1 OR deadline_at <= $1)"


class Expired(Record, frozen=True, kw_only=True):
    """A run whose lease has run out."""

    id: UUID
    beats: int


async def expired(db: Connection, now: datetime, limit: int) -> list[Expired]:
    """Return the runs that nobody has kept alive, the longest lost first."""
    sql = f"""
        SELECT id, beats FROM scout_executions WHERE {_DEAD} ORDER BY lease_until, id LIMIT $2
    """  # noqa: S608 - a constant
    return await db.all(Expired, sql, now, limit)


async def take_back_of(db: Connection, scout_id: UUID, now: datetime) -> None:
    """Inside a transaction: end the lease of a lost run of this scout, as `take_back` does."""
    sql = f"SELECT id, beats FROM scout_executions WHERE {_DEAD} AND scout_id = $2"  # noqa: S608 - a constant
    await take_back(db, await db.all(Expired, sql, now, scout_id), now)


async def take_back(db: Connection, lost: Sequence[Expired], now: datetime) -> list[Execution]:
    """Inside a transaction: end the lease of lost runs; those with a slot go back to the queue.

    A run that a person started by hand, or that lost its process for the third time, has failed.
    One that gave a sign of life meanwhile is left alone.

    Returns:
        The runs that failed by it.
    """
    if not lost:
        return []
    beats = {each.id: each.beats for each in lost}
    ids = list(beats)
    marks = placeholders(ids, first=2)
    locked = await db.all(
        Expired,
        f"""SELECT id, beats FROM scout_executions WHERE {_DEAD} AND id IN ({marks})
            {db.update_lock}""",  # noqa: S608 - constants and placeholders
        now,
        *ids,
    )
    gone = [each.id for each in locked if beats[each.id] == each.beats]
    if not gone:
        return []
    await end_steps(db, gone, now, LOST)
    await _requeue(db, gone, now)
    return await _fail(db, gone, now)


async def end_steps(db: Connection, ids: Sequence[UUID], now: datetime, reason: str) -> None:
    """Say of the steps under way that they have failed, since their run goes on no longer."""
    sql = f"""
        UPDATE scout_execution_steps SET status = 'failed', completed_at = $1, error_message = $2
        WHERE status = 'running' AND execution_id IN ({placeholders(ids, first=3)})
    """  # noqa: S608 - placeholders
    await db.execute(sql, now, reason, *ids)


async def _requeue(db: Connection, ids: Sequence[UUID], now: datetime) -> None:
    sql = f"""
        UPDATE scout_executions SET state = 'queued', fence = fence + 1, run_after = $1,
            crash_count = crash_count + 1, attempt = attempt - 1,
            error_message = $2, error_class = $3, lease_until = NULL, lease_owner = NULL
        WHERE state = 'running' AND "trigger" <> 'manual' AND crash_count + 1 < $4
            AND id IN ({placeholders(ids, first=5)})
    """  # noqa: S608 - placeholders
    await db.execute(sql, now, LOST, WORKER_LOST, MAX_CRASHES, *ids)


async def _fail(db: Connection, ids: Sequence[UUID], now: datetime) -> list[Execution]:
    sql = f"""
        UPDATE scout_executions SET state = 'failed', status = 'failed', outcome = 'failed',
            fence = fence + 1, crash_count = crash_count + 1, completed_at = $1,
            error_message = $2, error_class = $3, lease_until = NULL, lease_owner = NULL
        WHERE state = 'running' AND id IN ({placeholders(ids, first=4)}) RETURNING *
    """  # noqa: S608 - placeholders
    return await db.all(Execution, sql, now, LOST, WORKER_LOST, *ids)
