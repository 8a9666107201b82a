"""What search engines said lately, and which of them are resting."""

from __future__ import annotations

from datetime import datetime

from scout_cli.core.models import Record
from scout_cli.core.ports import SearchAnswer
from scout_cli.store.database import Connection
from scout_cli.store.statements import upsert, values


class CachedSearch(Record, frozen=True, kw_only=True):
    """An answer that is kept."""

    key: str
    answer: SearchAnswer
    created_at: datetime


class EngineState(Record, frozen=True, kw_only=True):
    """The circuit breaker of one engine."""

    name: str
    failures: int
    """In a row."""
    open_until: datetime | None = None
    """Not asked before this moment."""
    detail: str = ""
    updated_at: datetime


async def get(db: Connection, key: str, newer_than: datetime) -> SearchAnswer | None:
    """Return the answer kept under `key` if it is from after `newer_than`."""
    sql = "SELECT * FROM search_cache WHERE key = $1 AND created_at > $2"
    row = await db.one(CachedSearch, sql, key, newer_than)
    return row.answer if row else None


async def put(db: Connection, key: str, answer: SearchAnswer) -> None:
    """Keep an answer under `key`, over an earlier one."""
    row = CachedSearch(key=key, answer=answer, created_at=await db.now())
    await db.execute(upsert("search_cache", CachedSearch, ("key",)), *values(row))


async def prune(db: Connection, older_than: datetime) -> int:
    """Drop the answers from before `older_than`; return how many."""
    return await db.execute("DELETE FROM search_cache WHERE created_at < $1", older_than)


async def engine(db: Connection, name: str) -> EngineState | None:
    """Return the state of an engine, or None when nothing ever went wrong."""
    return await db.one(EngineState, "SELECT * FROM engine_state WHERE name = $1", name)


async def put_engine(db: Connection, state: EngineState) -> None:
    """Store the state of an engine, over an earlier one."""
    await db.execute(upsert("engine_state", EngineState, ("name",)), *values(state))
