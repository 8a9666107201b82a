"""Items that the chat gateway has answered, by the ids that clients send back in their place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from scout_cli.core.models import Record
from scout_cli.store.database import Connection, Json
from scout_cli.store.statements import placeholders


class ChatItem(Record, frozen=True, kw_only=True):
    """An item as it was answered."""

    id: str
    item: dict[str, Any]


async def put(db: Connection, id_: str, item: dict[str, Any], now: datetime) -> None:
    """Store an item, over what it was before."""
    sql = """
        INSERT INTO chat_items (id, item, created_at) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET item = excluded.item
    """
    await db.execute(sql, id_, Json(item), now)


async def named(db: Connection, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the items of these ids that are still kept, by id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    sql = f"SELECT id, item FROM chat_items WHERE id IN ({placeholders(wanted, first=1)})"  # noqa: S608 - numbers of arguments
    return {each.id: each.item for each in await db.all(ChatItem, sql, *wanted)}
