"""What holds for all scouts of a user."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from scout_cli.core.models import Location, Record
from scout_cli.errors import InvalidInput
from scout_cli.store.database import Connection, Json


class PreferencesRow(Record, frozen=True, kw_only=True):
    """As much of a user's preferences as scout itself reads."""

    id: UUID
    user_id: UUID
    location: Location | None = None
    created_at: datetime
    updated_at: datetime


async def get(db: Connection, user_id: UUID) -> PreferencesRow | None:
    """Return the preferences of a user, None before there are any."""
    sql = """
        SELECT id, user_id, location, created_at, updated_at FROM user_preferences
        WHERE user_id = $1
    """
    return await db.one(PreferencesRow, sql, user_id)


async def put_location(db: Connection, user_id: UUID, location: Location | None) -> PreferencesRow:
    """Say where a user is, None for not said; return the preferences as they are then."""
    sql = """
        INSERT INTO user_preferences (id, user_id, location, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (user_id) DO UPDATE SET location = excluded.location,
            updated_at = excluded.updated_at
        RETURNING id, user_id, location, created_at, updated_at
    """
    row = await db.one(PreferencesRow, sql, db.uuid(), user_id, Json(location), await db.now())
    assert row is not None
    return row


async def add(
    db: Connection,
    row_id: UUID,
    user_id: UUID,
    values: Mapping[str, Any],
    now: datetime,
    *,
    merge: bool,
) -> UUID:
    """Store the preferences of a user and return the id of their row.

    Args:
        db: the database.
        row_id: of a new row.
        user_id: whose.
        values: columns and values; the names are the table's.
        now: the present.
        merge: change the row that is there.

    Raises:
        Conflict: there is one, and `merge` was not asked for.
        NotFound: no such user.
    """
    sql = """
        INSERT INTO user_preferences (id, user_id, firecrawl_key_status, created_at, updated_at)
        VALUES ($1, $2, 'fallback', $3, $3)
    """
    if merge:
        sql += " ON CONFLICT (user_id) DO UPDATE SET updated_at = excluded.updated_at"
    async with db.transaction() as tx:
        found = await tx.value(UUID, f"{sql} RETURNING id", row_id, user_id, now)
        assert found is not None
        await change(tx, found, values, now)
    return found


async def seed(db: Connection, user_id: UUID, location: Any, now: datetime) -> None:
    """Store the first preferences of a user; where there are some, nothing is changed."""
    sql = """
        INSERT INTO user_preferences
            (id, user_id, location, firecrawl_key_status, created_at, updated_at)
        VALUES ($1, $2, $3, 'fallback', $4, $4) ON CONFLICT (user_id) DO NOTHING
    """
    await db.execute(sql, db.uuid(), user_id, Json(location), now)


async def change(db: Connection, row_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Change the columns that `values` names; names that the table has not are refused.

    Raises:
        InvalidInput: a column that cannot be changed, or a value that the table refuses.
    """
    if strangers := set(values) - _CHANGEABLE:
        raise InvalidInput(f"{min(strangers)} is no preference")
    names = list(values)
    listed = "".join(f', "{name}" = ${at}' for at, name in enumerate(names, 3))
    args = [Json(values[name]) if name == "location" else values[name] for name in names]
    sql = f"UPDATE user_preferences SET updated_at = $2{listed} WHERE id = $1"  # noqa: S608 - names checked above
    await db.execute(sql, row_id, now, *args)


_CHANGEABLE = frozenset(
    "location firecrawl_api_key firecrawl_custom_api_key firecrawl_key_status "
    "firecrawl_key_created_at firecrawl_key_error last_test_email_at".split()
)
