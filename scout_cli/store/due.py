"""Which scouts have a slot to run, and the runs made of it: `scout_executions` is the queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection

_ACTIVE = "s.is_active AND s.goal IS NOT NULL"
_COLUMNS = """s.id, s.user_id, s.title, s.schedule, s.timezone, s.anchor, s.created_at,
    s.last_run_at, s.next_run_at, s.late_slot"""
_IDLE = """NOT EXISTS (SELECT 1 FROM scout_executions e
    WHERE e.scout_id = s.id AND e.status = 'running')"""


class DueScout(Record, frozen=True, kw_only=True):
    """What of a scout its schedule needs."""

    id: UUID
    user_id: UUID
    title: str
    schedule: str
    timezone: str
    anchor: datetime | None
    created_at: datetime
    last_run_at: datetime | None
    next_run_at: datetime | None
    late_slot: datetime | None


class Slot(Record, frozen=True, kw_only=True):
    """A run to queue, and when its scout is due after it."""

    execution_id: UUID
    scout: DueScout
    slot_at: datetime
    covers_from: datetime
    next_run_at: datetime
    anchor: datetime


async def anything(db: Connection) -> bool:
    """Return whether there is any scout at all."""
    return await db.value(int, "SELECT 1 AS one FROM scouts LIMIT 1") is not None


async def overdue(db: Connection, before: datetime) -> int:
    """Return how many active scouts have been due since `before`, with no run of theirs alive."""
    sql = f"""
        SELECT count(*) FROM scouts s WHERE {_ACTIVE} AND s.next_run_at <= $1 AND {_IDLE}
    """  # noqa: S608 - constants
    return await db.value(int, sql, before) or 0


async def unscheduled(db: Connection, limit: int) -> list[DueScout]:
    """Return active scouts whose next run is unknown; inside a transaction they are ours."""
    sql = f"""
        SELECT {_COLUMNS} FROM scouts s WHERE {_ACTIVE} AND s.next_run_at IS NULL
        ORDER BY s.id LIMIT $1 {db.skip_locked}
    """  # noqa: S608 - constants
    return await db.all(DueScout, sql, limit)


async def schedule(db: Connection, scout_id: UUID, next_run_at: datetime, anchor: datetime) -> None:
    """Say when a scout runs next."""
    sql = "UPDATE scouts SET next_run_at = $2, anchor = $3 WHERE id = $1"
    await db.execute(sql, scout_id, next_run_at, anchor)


async def due(db: Connection, now: datetime, limit: int) -> list[DueScout]:
    """Return scouts that are due and have no live run, longest due first.

    Inside a transaction they are ours until it ends.
    """
    sql = f"""
        SELECT {_COLUMNS} FROM scouts s
        WHERE {_ACTIVE} AND s.next_run_at <= $1 AND {_IDLE}
        ORDER BY s.next_run_at, s.id LIMIT $2 {db.skip_locked}
    """  # noqa: S608 - constants
    return await db.all(DueScout, sql, now, limit)


async def stuck(db: Connection, now: datetime, limit: int) -> list[DueScout]:
    """Return scouts that are due while an earlier run still waits or works, not told of yet."""
    sql = f"""
        SELECT {_COLUMNS} FROM scouts s
        WHERE {_ACTIVE} AND s.next_run_at <= $1 AND s.late_slot IS NULL AND NOT ({_IDLE})
        ORDER BY s.next_run_at, s.id LIMIT $2
    """  # noqa: S608 - constants
    return await db.all(DueScout, sql, now, limit)


class ComingScout(DueScout, frozen=True, kw_only=True):
    """A scout's place in the order of things, and its live run."""

    live_state: str | None
    live_after: datetime | None


async def coming(db: Connection, user_id: UUID, limit: int) -> list[ComingScout]:
    """Return the active scouts of a user, those first that are due or come next."""
    sql = f"""
        SELECT {_COLUMNS}, e.state AS live_state, e.run_after AS live_after
        FROM scouts s
        LEFT JOIN scout_executions e ON e.scout_id = s.id AND e.status = 'running'
        WHERE {_ACTIVE} AND s.user_id = $1
        ORDER BY s.next_run_at NULLS FIRST, s.id LIMIT $2
    """  # noqa: S608 - constants
    return await db.all(ComingScout, sql, user_id, limit)


async def later_than(
    db: Connection, moment: datetime, after: UUID | None, limit: int
) -> list[DueScout]:
    """Return active scouts whose next run lies beyond a moment, by id, those after `after`."""
    sql = f"""
        SELECT {_COLUMNS} FROM scouts s WHERE {_ACTIVE} AND s.next_run_at > $1
            AND (CAST($2 AS TEXT) IS NULL OR s.id > $3)
        ORDER BY s.id LIMIT $4
    """  # noqa: S608 - constants
    return await db.all(DueScout, sql, moment, str(after) if after else None, after, limit)


async def enqueue(db: Connection, slots: Sequence[Slot], now: datetime) -> None:
    """Inside a transaction: queue the runs and move their scouts on, each exactly once.

    A scout that got a live run of another kind meanwhile stays due.
    """
    queued = """
        INSERT INTO scout_executions (id, scout_id, user_id, status, state, "trigger", started_at,
            created_at, slot_at, covers_from, run_after, fence)
        VALUES ($1, $2, $3, 'running', 'queued', 'schedule', $4, $4, $5, $6, $5, 0)
        ON CONFLICT DO NOTHING
    """
    await db.executemany(
        queued,
        [
            (
                slot.execution_id,
                slot.scout.id,
                slot.scout.user_id,
                now,
                slot.slot_at,
                slot.covers_from,
            )
            for slot in slots
        ],
    )
    moved = """
        UPDATE scouts SET next_run_at = $3, anchor = $4 WHERE id = $1 AND EXISTS (
            SELECT 1 FROM scout_executions WHERE scout_id = $1 AND slot_at = $2)
    """
    await db.executemany(
        moved, [(slot.scout.id, slot.slot_at, slot.next_run_at, slot.anchor) for slot in slots]
    )


async def late(db: Connection, scout_id: UUID, slot: datetime | None) -> None:
    """Note the slot whose lateness was told, or None once the scout is on time again."""
    await db.execute("UPDATE scouts SET late_slot = $2 WHERE id = $1", scout_id, slot)
