"""What `auto` was resolved to, once per database and for ever."""

from __future__ import annotations

from datetime import datetime

from scout_cli.core.models import Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import insert, values


class Resolved(Record, frozen=True, kw_only=True):
    """A setting whose value was `auto`, and what it became."""

    name: str
    value: str
    resolved_at: datetime


async def get(db: Connection, name: str) -> str | None:
    """Return what the setting `name` was resolved to, or None."""
    return await db.value(str, "SELECT value FROM resolved WHERE name = $1", name)


async def put(db: Connection, name: str, value: str) -> str:
    """Store a first resolution; return the one that holds, which may be another process's."""
    row = Resolved(name=name, value=value, resolved_at=await db.now())
    await db.execute(f"{insert('resolved', Resolved)} ON CONFLICT (name) DO NOTHING", *values(row))
    kept = await get(db, name)
    assert kept is not None
    return kept
