"""Saved wishes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Record, Scout, ScoutPatch
from scout_cli.errors import Changed, Conflict, NotFound
from scout_cli.store.database import Connection
from scout_cli.store.sealing import sealed
from scout_cli.store.statements import assignments, id_pattern, insert, placeholders, values


class Named(Record, frozen=True, kw_only=True):
    """As much of a scout as it takes to find it by its title."""

    id: UUID
    title: str


async def add(db: Connection, scout: Scout) -> None:
    """Store a new scout.

    Raises:
        InvalidInput: `frequency` is not daily, every_3_days, weekly or None.
        NotFound: its owner is not there.
        Conflict: its id is taken.
    """
    await db.execute(insert("scouts", Scout), *values(sealed(db, scout)))


async def get(db: Connection, scout_id: UUID) -> Scout | None:
    """Return one scout, or None."""
    return await db.one(Scout, "SELECT * FROM scouts WHERE id = $1", scout_id)


async def by_ids(db: Connection, ids: Sequence[UUID]) -> dict[UUID, Scout]:
    """Return these scouts by their ids; those that are not there are left out."""
    if not ids:
        return {}
    sql = f"SELECT * FROM scouts WHERE id IN ({placeholders(ids, first=1)})"  # noqa: S608 - placeholders
    return {scout.id: scout for scout in await db.all(Scout, sql, *ids)}


async def owned(db: Connection, user_id: UUID) -> list[Scout]:
    """Return the scouts of a user, oldest first."""
    sql = "SELECT * FROM scouts WHERE user_id = $1 ORDER BY created_at, id"
    return await db.all(Scout, sql, user_id)


async def names(db: Connection, user_id: UUID) -> list[Named]:
    """Return ids and titles of the scouts of a user, oldest first."""
    sql = "SELECT id, title FROM scouts WHERE user_id = $1 ORDER BY created_at, id"
    return await db.all(Named, sql, user_id)


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
    changed, args = assignments(sealed(db, patch), first=3)
    if changed:
        sql = f"UPDATE scouts SET updated_at = $2, {changed} WHERE id = $1 RETURNING *"  # noqa: S608 - the names are ScoutPatch's fields
        scout = await db.one(Scout, sql, scout_id, await db.now(), *args)
    else:
        scout = await get(db, scout_id)
    if scout is None:
        raise _gone(scout_id)
    return scout


async def require_unchanged(tx: Connection, chosen: Iterable[Scout]) -> None:
    """Inside a transaction: make sure that scouts are as they were read, until the commit.

    Raises:
        Changed: one was changed since.
        NotFound: one is not there any more.
    """
    sql = f"SELECT updated_at FROM scouts WHERE id = $1 {tx.update_lock}"  # noqa: S608 - a constant
    for scout in chosen:
        updated = await tx.value(datetime, sql, scout.id)
        if updated is None:
            raise _gone(scout.id)
        if updated != scout.updated_at:
            raise Changed("this scout was changed since you read it", hint="read it again")


async def delete(db: Connection, scout_id: UUID) -> bool:
    """Delete a scout with everything it has; return whether it was there."""
    return bool(await db.execute("DELETE FROM scouts WHERE id = $1", scout_id))


async def remove_idle(tx: Connection, scout: Scout, now: datetime) -> None:
    """Inside a transaction: delete a scout with everything it has, unless it is running.

    Args:
        tx: the transaction.
        scout: which one.
        now: a run whose lease ended before this has lost its process, and does not count.

    Raises:
        Conflict: it is running, or a run of it is just beginning.
        NotFound: it is not there any more.
    """
    # A run that begins holds the row of its scout until its first commit; waiting for it would
    # delete the scout under a run that nobody saw.
    free = f"SELECT id FROM scouts WHERE id = $1 {tx.skip_locked}"  # noqa: S608 - a constant
    if await tx.value(UUID, free, scout.id) is None:
        if await get(tx, scout.id) is None:
            raise _gone(scout.id)
        raise Conflict(f"{scout.title!r} is in use just now", hint="try again in a moment")
    running = """
        SELECT started_at FROM scout_executions
        WHERE scout_id = $1 AND state = 'running' AND lease_until > $2
    """
    if since := await tx.value(datetime, running, scout.id, now):
        raise Conflict(
            f"{scout.title!r} is running since {since:%Y-%m-%d %H:%M:%S} UTC; nothing was removed",
            hint="wait until that run has ended, or stop it with Ctrl-C where it runs",
        )
    await delete(tx, scout.id)


async def count_failure(db: Connection, scout_id: UUID) -> int | None:
    """Count one more failure in a row; return how many, None for a scout that is gone."""
    sql = """
        UPDATE scouts SET consecutive_failures = consecutive_failures + 1 WHERE id = $1
        RETURNING consecutive_failures
    """
    return await db.value(int, sql, scout_id)


def _gone(scout_id: UUID) -> NotFound:
    return NotFound(f"no scout {scout_id}", hint="`scout list` shows them all")
