"""How much there is to do and what came of the last hours, for whoever watches over a server.

Every query goes by an index and looks at no more than a day.
"""

from __future__ import annotations

from datetime import datetime

from scout_cli.core.models import Record
from scout_cli.store.database import Connection, Kind

_SECONDS: dict[Kind, str] = {
    "sqlite": "(julianday({end}) - julianday({begin})) * 86400.0",
    "postgresql": "CAST(EXTRACT(EPOCH FROM {end} - {begin}) AS DOUBLE PRECISION)",
}


class Waiting(Record, frozen=True, kw_only=True):
    """Things that wait, and since when the first of them does."""

    count: int = 0
    oldest: datetime | None = None


class Runs(Record, frozen=True, kw_only=True):
    """Runs of a day that ended alike."""

    state: str
    outcome: str | None
    count: int
    seconds: float | None
    """How long they took, all together."""
    calls: int
    prompt_tokens: int
    completion_tokens: int


class Named(Record, frozen=True, kw_only=True):
    """How many there are of a kind."""

    name: str
    count: int
    seconds: float | None = None


async def queued(db: Connection, now: datetime) -> Waiting:
    """Return the runs that wait for a worker."""
    sql = """SELECT count(*) AS count, min(run_after) AS oldest FROM scout_executions
        WHERE state = 'queued' AND run_after <= $1"""
    return await db.one(Waiting, sql, now) or Waiting()


async def due(db: Connection, now: datetime) -> Waiting:
    """Return the scouts whose slot has come and for which no run was queued yet."""
    sql = """SELECT count(*) AS count, min(next_run_at) AS oldest FROM scouts
        WHERE is_active AND goal IS NOT NULL AND next_run_at <= $1
            AND NOT EXISTS (SELECT 1 FROM scout_executions e
                WHERE e.scout_id = scouts.id AND e.status = 'running')"""
    return await db.one(Waiting, sql, now) or Waiting()


async def running(db: Connection) -> int:
    """Return how many runs are under way."""
    sql = "SELECT count(*) FROM scout_executions WHERE state = 'running'"
    return await db.value(int, sql) or 0


async def outbox(db: Connection) -> Waiting:
    """Return the messages that are on their way."""
    sql = """SELECT count(*) AS count, min(created_at) AS oldest FROM notification_outbox
        WHERE state IN ('pending', 'sending')"""
    return await db.one(Waiting, sql) or Waiting()


async def runs_since(db: Connection, since: datetime) -> list[Runs]:
    """Return the runs that began since a moment, by how they ended."""
    seconds = _SECONDS[db.kind].format(begin="started_at", end="completed_at")
    sql = f"""
        SELECT state, outcome, count(*) AS count, sum({seconds}) AS seconds,
            {_sum("calls")}, {_sum("prompt_tokens")}, {_sum("completion_tokens")}
        FROM scout_executions WHERE started_at >= $1 GROUP BY state, outcome
        ORDER BY state, outcome NULLS FIRST
    """  # noqa: S608 - constants
    return await db.all(Runs, sql, since)


async def pages_since(db: Connection, since: datetime) -> list[Named]:
    """Return what became of the pages of the runs that began since a moment."""
    sql = """
        SELECT p.outcome AS name, count(*) AS count
        FROM scout_executions e JOIN scout_pages p ON p.execution_id = e.id
        WHERE e.started_at >= $1 GROUP BY p.outcome ORDER BY p.outcome
    """
    return await db.all(Named, sql, since)


async def thinking_since(db: Connection, since: datetime) -> list[Named]:
    """Return the steps that an engine answered, in the runs that began since a moment."""
    seconds = _SECONDS[db.kind].format(begin="s.started_at", end="s.completed_at")
    sql = f"""
        SELECT s.answered_by AS name, count(*) AS count, sum({seconds}) AS seconds
        FROM scout_executions e JOIN scout_execution_steps s ON s.execution_id = e.id
        WHERE e.started_at >= $1 AND s.answered_by IS NOT NULL AND s.completed_at IS NOT NULL
        GROUP BY s.answered_by ORDER BY s.answered_by
    """  # noqa: S608 - constants
    return await db.all(Named, sql, since)


def _sum(name: str) -> str:
    return f"CAST(coalesce(sum(CAST(usage ->> '{name}' AS BIGINT)), 0) AS BIGINT) AS {name}"
