"""Saved wishes."""

from __future__ import annotations

from uuid import UUID

from scout_cli.core.models import Scout, ScoutPatch
from scout_cli.errors import NotFound
from scout_cli.store.database import Connection
from scout_cli.store.statements import assignments, id_pattern, insert, values


async def add(db: Connection, scout: Scout) -> None:
    """Store a new scout.

    Raises:
        InvalidInput: `frequency` is not daily, every_3_days, weekly or None.
        NotFound: its owner is not there.
        Conflict: its id is taken.
    """
    await db.execute(insert("scouts", Scout), *values(scout))


async def get(db: Connection, scout_id: UUID) -> Scout | None:
    """Return one scout, or None."""
    return await db.one(Scout, "SELECT * FROM scouts WHERE id = $1", scout_id)


async def owned(db: Connection, user_id: UUID) -> list[Scout]:
    """Return the scouts of a user, oldest first."""
    sql = "SELECT * FROM scouts WHERE user_id = $1 ORDER BY created_at, id"
    return await db.all(Scout, sql, user_id)


async def by_prefix(db: Connection, user_id: UUID, prefix: str) -> list[Scout]:
    """Return the scouts of a user whose id starts with `prefix`; none for an empty one."""
    pattern = id_pattern(prefix)
    if pattern is None:
        return []
    sql = """
        SELECT * FROM scouts WHERE user_id = $1 AND CAST(id AS TEXT) LIKE $2
        ORDER BY created_at, id
    """
    return await db.all(Scout, sql, user_id, pattern)


async def update(db: Connection, scout_id: UUID, patch: ScoutPatch) -> Scout:
    """Change the fields that are set, and `updated_at` with them; return the scout.

    Raises:
        NotFound: no such scout.
        InvalidInput: a value that the table refuses.
    """
    changed, args = assignments(patch, first=3)
    if changed:
        sql = f"UPDATE scouts SET updated_at = $2, {changed} WHERE id = $1 RETURNING *"  # noqa: S608 - the names are ScoutPatch's fields
        scout = await db.one(Scout, sql, scout_id, await db.now(), *args)
    else:
        scout = await get(db, scout_id)
    if scout is None:
        raise NotFound(f"no scout {scout_id}", hint="`scout list` shows them all")
    return scout


async def delete(db: Connection, scout_id: UUID) -> bool:
    """Delete a scout with everything it has; return whether it was there."""
    return bool(await db.execute("DELETE FROM scouts WHERE id = $1", scout_id))
