"""Keys that people make for programs and feeds; only their SHA-256 is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import insert, values

Kind = Literal["api", "feed"]


class Token(Record, frozen=True, kw_only=True):
    """A key, without the key."""

    id: UUID
    user_id: UUID
    kind: Kind = "api"
    name: str
    scopes: list[Literal["read", "write"]]
    scout_id: UUID | None = None
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None


class HashedToken(Token, frozen=True, kw_only=True):
    """A key as it is stored."""

    hash: str


class Known(Token, frozen=True, kw_only=True):
    """A key with as much of its user as tells whether it counts."""

    email: str | None
    role: Literal["user", "admin"]
    disabled_at: datetime | None


async def add(db: Connection, token: HashedToken) -> None:
    """Store a new one.

    Raises:
        NotFound: its user or scout is not there.
    """
    await db.execute(insert("tokens", HashedToken), *values(token))


async def known(db: Connection, hash_: str) -> Known | None:
    """Return the key with this hash and whose it is, or None."""
    sql = """
        SELECT tokens.*, users.email, users.role, users.disabled_at
        FROM tokens JOIN users ON users.id = tokens.user_id WHERE tokens.hash = $1
    """
    return await db.one(Known, sql, hash_)


async def of_user(db: Connection, user_id: UUID, kind: Kind) -> list[Token]:
    """Return the keys of a user, oldest first."""
    sql = "SELECT * FROM tokens WHERE user_id = $1 AND kind = $2 ORDER BY created_at, id"
    return await db.all(Token, sql, user_id, kind)


async def count(db: Connection, user_id: UUID) -> int:
    """Return how many keys a user has."""
    return await db.value(int, "SELECT count(*) FROM tokens WHERE user_id = $1", user_id) or 0


async def used(db: Connection, token_id: UUID, now: datetime) -> None:
    """Note that a key was used."""
    await db.execute("UPDATE tokens SET used_at = $2 WHERE id = $1", token_id, now)


async def delete(db: Connection, user_id: UUID, token_id: UUID) -> int:
    """Delete one of a user's; return how many there were."""
    return await db.execute("DELETE FROM tokens WHERE id = $1 AND user_id = $2", token_id, user_id)
