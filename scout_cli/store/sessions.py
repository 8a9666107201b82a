"""Who is signed in: one row for each sign-in, and how often its refresh token was changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import insert, placeholders, values

Method = Literal["password", "recovery", "confirmation", "code"]


class Session(Record, frozen=True, kw_only=True):
    """A sign-in."""

    id: UUID
    user_id: UUID
    count: int = 0
    """The number in the newest refresh token."""
    counted_at: datetime
    method: Method
    address: str = ""
    agent: str = ""
    created_at: datetime
    expires_at: datetime


class Known(Record, frozen=True, kw_only=True):
    """A session with as much of its user as tells whether it counts."""

    user_id: UUID
    email: str | None
    role: Literal["user", "admin"]
    disabled_at: datetime | None
    expires_at: datetime


async def add(db: Connection, session: Session) -> None:
    """Store a new one.

    Raises:
        NotFound: its user is not there.
    """
    await db.execute(insert("sessions", Session), *values(session))


async def get(db: Connection, session_id: UUID) -> Session | None:
    """Return one, or None."""
    return await db.one(Session, "SELECT * FROM sessions WHERE id = $1", session_id)


async def known(db: Connection, session_id: UUID) -> Known | None:
    """Return who is signed in by a session, or None."""
    sql = """
        SELECT users.id AS user_id, users.email, users.role, users.disabled_at, sessions.expires_at
        FROM sessions JOIN users ON users.id = sessions.user_id WHERE sessions.id = $1
    """
    return await db.one(Known, sql, session_id)


async def living(db: Connection, session_ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Return those of these sessions that count, at most 500 of them asked for."""
    sql = f"""
        SELECT sessions.id FROM sessions JOIN users ON users.id = sessions.user_id
        WHERE users.disabled_at IS NULL AND sessions.expires_at > $1
            AND sessions.id IN ({placeholders(session_ids, first=2)})
    """  # noqa: S608 - only the names of arguments are put in
    return await db.all(UUID, sql, now, *session_ids)


async def counted(
    db: Connection, session: Session, now: datetime, expires_at: datetime
) -> Session | None:
    """Count on, when nobody did since `session` was read; return it as it is then."""
    sql = """
        UPDATE sessions SET "count" = "count" + 1, counted_at = $3, expires_at = $4
        WHERE id = $1 AND "count" = $2 RETURNING *
    """
    return await db.one(Session, sql, session.id, session.count, now, expires_at)


async def of_user(db: Connection, user_id: UUID) -> list[Session]:
    """Return the sessions of a user, newest first."""
    sql = "SELECT * FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, id"
    return await db.all(Session, sql, user_id)


async def delete(db: Connection, session_id: UUID) -> int:
    """Delete one; return how many there were."""
    return await db.execute("DELETE FROM sessions WHERE id = $1", session_id)


async def delete_of_user(db: Connection, user_id: UUID, *, but: UUID | None = None) -> int:
    """Delete those of a user; return how many.

    Args:
        db: the database.
        user_id: whose.
        but: the one that stays.
    """
    sql = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2"
    return await db.execute(sql, user_id, but or UUID(int=0))


async def delete_all(db: Connection) -> int:
    """Sign everybody out; return how many sessions there were."""
    return await db.execute("DELETE FROM sessions")
