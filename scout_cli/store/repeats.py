"""Answers to requests that may come a second time, by the key that their sender chose."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import field

from scout_cli.core.models import Record
from scout_cli.store.database import Connection, Json
from scout_cli.store.statements import insert, values


class Kept(Record, frozen=True, kw_only=True):
    """A request and what was answered."""

    user_id: UUID
    key: str
    request: str
    """A fingerprint of method, path and body."""
    status: int = 0
    """0 while it is being answered."""
    answer: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    created_at: datetime


async def begin(db: Connection, fresh: Kept) -> bool:
    """Note that a request is being answered; return False when its key is taken."""
    sql = f"{insert('idempotency_keys', Kept)} ON CONFLICT DO NOTHING"
    return bool(await db.execute(sql, *values(fresh)))


async def get(db: Connection, user_id: UUID, key: str) -> Kept | None:
    """Return what is kept under a key, or None."""
    sql = "SELECT * FROM idempotency_keys WHERE user_id = $1 AND key = $2"
    return await db.one(Kept, sql, user_id, key)


async def take_over(db: Connection, old: Kept, fresh: Kept) -> bool:
    """Replace what is kept by a request that begins now; return False when another was faster."""
    sql = """
        UPDATE idempotency_keys SET request = $4, status = 0, answer = '', headers = $5,
            created_at = $6
        WHERE user_id = $1 AND key = $2 AND created_at = $3
    """
    args = (old.user_id, old.key, old.created_at, fresh.request, Json({}), fresh.created_at)
    return bool(await db.execute(sql, *args))


async def finish(db: Connection, kept: Kept) -> None:
    """Keep the answer of a request that `begin` or `take_over` noted."""
    sql = """
        UPDATE idempotency_keys SET status = $4, answer = $5, headers = $6
        WHERE user_id = $1 AND key = $2 AND created_at = $3
    """
    given = (kept.status, kept.answer, Json(kept.headers))
    await db.execute(sql, kept.user_id, kept.key, kept.created_at, *given)


async def forget(db: Connection, kept: Kept) -> None:
    """Forget a request that came to nothing, so that it may be sent again."""
    sql = "DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND created_at = $3"
    await db.execute(sql, kept.user_id, kept.key, kept.created_at)
