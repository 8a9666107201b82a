"""The keys by which a file knows its scouts."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from scout_cli.store.database import Connection


async def hold(tx: Connection, user_id: UUID) -> None:
    """Inside a transaction: keep every other file from being applied for this user until its end.

    Runs go on meanwhile: on PostgreSQL this lock of the user's row lets rows refer to it.
    """
    await tx.execute("UPDATE users SET is_local = is_local WHERE id = $1", user_id)


async def assign(tx: Connection, keys: Mapping[UUID, str]) -> None:
    """Give keys to scouts that have none; `updated_at` stays, the wish is the same.

    Raises:
        Conflict: a key is taken by another scout of the same user.
    """
    sql = "UPDATE scouts SET key = $2 WHERE id = $1 AND key IS NULL"
    await tx.executemany(sql, list(keys.items()))
