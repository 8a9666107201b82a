"""The tables of a queue beside ours, in a schema of their own, and what that queue lacks.

Nothing in them is worth keeping: they are made anew from `scout_executions`.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection, Database

SCHEMA = "scout_jobs"
State = Literal["absent", "ready", "other"]


class Depth(Record, frozen=True, kw_only=True):
    """How much is in the queue."""

    waiting: int
    taken: int


async def state(db: Connection, tables: str) -> State:
    """Return whether the tables are there: `other` for those of another version of the queue.

    Args:
        db: the database.
        tables: the SQL that makes them.
    """
    sql = "SELECT obj_description(to_regnamespace($1), 'pg_namespace')"
    if await db.value(str, "SELECT CAST(to_regnamespace($1) AS TEXT)", SCHEMA) is None:
        return "absent"
    return "ready" if await db.value(str, sql, SCHEMA) == _print_of(tables) else "other"


async def prepare(db: Database, tables: str) -> bool:
    """Make the tables, anew where they are of another version; return whether anything was done.

    Args:
        db: a PostgreSQL database.
        tables: the SQL that makes them.
    """
    async with db.transaction() as tx:
        await tx.lock_schema()
        if await state(tx, tables) == "ready":
            return False
        await tx.script(
            f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA};"
            f" SET LOCAL search_path TO {SCHEMA}"
        )
        await tx.script(tables)
        await tx.script(f"COMMENT ON SCHEMA {SCHEMA} IS '{_print_of(tables)}'; RESET search_path")
    return True


async def lacking(db: Connection, before: datetime, limit: int) -> list[UUID]:
    """Return runs that wait since `before` and are not in the queue, the longest waiting first."""
    sql = f"""
        SELECT e.id FROM scout_executions e
        WHERE e.state = 'queued' AND e.run_after <= $1 AND NOT EXISTS (
            SELECT 1 FROM {SCHEMA}.procrastinate_jobs j
            WHERE j.queueing_lock = CAST(e.id AS TEXT) AND j.status = 'todo')
        ORDER BY e.run_after, e.id LIMIT $2
    """  # noqa: S608 - a constant
    return await db.all(UUID, sql, before, limit)


async def depth(db: Connection) -> Depth:
    """Return how much is in the queue."""
    sql = f"""
        SELECT count(*) FILTER (WHERE status = 'todo') AS waiting,
            count(*) FILTER (WHERE status = 'doing') AS taken
        FROM {SCHEMA}.procrastinate_jobs
    """  # noqa: S608 - a constant
    return await db.one(Depth, sql) or Depth(waiting=0, taken=0)


def _print_of(tables: str) -> str:
    return f"scout {sha256(tables.encode()).hexdigest()[:16]}"
