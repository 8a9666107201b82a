"""What was said about a scout, and whose turn it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from scout_cli.core.models import ChatMessage
from scout_cli.errors import NotFound
from scout_cli.store.database import Connection, Json, Statement
from scout_cli.store.statements import insert, values

TURN = timedelta(seconds=45)
"""Without a sign of life for so long, a turn of a conversation is over."""


async def add(db: Connection, message: ChatMessage) -> None:
    """Store a message; its scout moves up in lists.

    Raises:
        NotFound: its scout is not there any more.
    """
    touch = "UPDATE scouts SET updated_at = $2 WHERE id = $1"
    gone = NotFound(f"no scout {message.scout_id}", hint="`scout list` shows them all")
    await db.together(
        Statement(touch, (message.scout_id, message.created_at), otherwise=lambda: gone),
        Statement(insert("scout_messages", ChatMessage), values(message)),
    )


async def latest(db: Connection, scout_id: UUID, limit: int) -> list[ChatMessage]:
    """Return the newest messages about a scout, oldest of them first."""
    sql = """
        SELECT * FROM scout_messages WHERE scout_id = $1
        ORDER BY created_at DESC, role ASC, id DESC LIMIT $2
    """
    return (await db.all(ChatMessage, sql, scout_id, limit))[::-1]


async def claim_turn(db: Connection, scout_id: UUID, token: UUID, now: datetime) -> bool:
    """Take the turn in the conversation about a scout, or keep it; False when another has it.

    Args:
        db: the database.
        scout_id: which scout.
        token: names whoever takes it.
        now: the present.
    """
    sql = """
        INSERT INTO chat_items (id, item, created_at) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET item = excluded.item, created_at = excluded.created_at
        WHERE chat_items.created_at <= $4 OR chat_items.item = excluded.item
    """
    holder = Json({"turn": str(token)})
    return bool(await db.execute(sql, _turn(scout_id), holder, now, now - TURN))


async def end_turn(db: Connection, scout_id: UUID, token: UUID) -> None:
    """Give the turn back, if it is still `token`'s."""
    sql = "DELETE FROM chat_items WHERE id = $1 AND item = $2"
    await db.execute(sql, _turn(scout_id), Json({"turn": str(token)}))


def _turn(scout_id: UUID) -> str:
    return f"turn:{scout_id}"
