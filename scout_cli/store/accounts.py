"""Users who can sign in: those with an e-mail address, the local owner among them when named."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import UNSET, UnsetType

from scout_cli.core.models import Record, User
from scout_cli.store.database import Connection
from scout_cli.store.statements import assignments, insert, values

_SIGNING = "signing_key"


class Account(User, frozen=True, kw_only=True):
    """A user with what proves them; never leaves the services."""

    password_hash: str | None = None


class AccountPatch(Record, frozen=True, kw_only=True):
    """What changes of an account; what is UNSET stays."""

    email: str | UnsetType = UNSET
    password_hash: str | UnsetType = UNSET
    role: Literal["user", "admin"] | UnsetType = UNSET
    user_metadata: dict[str, Any] | UnsetType = UNSET
    email_confirmed_at: datetime | UnsetType | None = UNSET
    last_sign_in_at: datetime | UnsetType = UNSET
    disabled_at: datetime | UnsetType | None = UNSET


async def add(db: Connection, account: Account) -> None:
    """Store a new account.

    Raises:
        Conflict: the address is taken.
    """
    await db.execute(insert("users", Account), *values(account))


async def get(db: Connection, user_id: UUID) -> Account | None:
    """Return one, or None."""
    return await db.one(Account, "SELECT * FROM users WHERE id = $1", user_id)


async def by_email(db: Connection, email: str) -> Account | None:
    """Return the account with this address, which is in lower case; None when there is none."""
    return await db.one(Account, "SELECT * FROM users WHERE email = $1", email)


async def change(db: Connection, user_id: UUID, patch: AccountPatch, now: datetime) -> bool:
    """Change an account; return whether it is there."""
    changed, args = assignments(patch, first=3)
    sql = f"UPDATE users SET updated_at = $2, {changed} WHERE id = $1"  # noqa: S608 - the names are AccountPatch's fields
    return bool(await db.execute(sql, user_id, now, *args))


async def delete(db: Connection, user_id: UUID) -> bool:
    """Delete an account with everything it has; return whether it was there."""
    return bool(await db.execute("DELETE FROM users WHERE id = $1", user_id))


async def listing(db: Connection, *, after: UUID | None = None, limit: int = 1_000) -> list[User]:
    """Return accounts by their ids.

    Args:
        db: the database.
        after: only those behind this one.
        limit: at most so many.
    """
    sql = """
        SELECT * FROM users WHERE email IS NOT NULL AND id > $1 ORDER BY id LIMIT $2
    """
    return await db.all(User, sql, after or UUID(int=0), limit)


async def count(db: Connection) -> int:
    """Return how many accounts there are."""
    return await db.value(int, "SELECT count(*) FROM users WHERE email IS NOT NULL") or 0


async def other_admins(tx: Connection, user_id: UUID) -> int:
    """Inside a transaction: return how many admins besides this user can sign in, and hold them."""
    sql = f"""
        SELECT id FROM users WHERE role = 'admin' AND disabled_at IS NULL AND email IS NOT NULL
        ORDER BY id {tx.update_lock}
    """  # noqa: S608 - a constant
    return len([each for each in await tx.all(UUID, sql) if each != user_id])


async def is_running(db: Connection, user_id: UUID, now: datetime) -> bool:
    """Return whether a scout of theirs is running."""
    sql = """
        SELECT id FROM scout_executions
        WHERE user_id = $1 AND state = 'running' AND lease_until > $2 LIMIT 1
    """
    return await db.value(UUID, sql, user_id, now) is not None


async def signing_key(db: Connection) -> str | None:
    """Return the id of the key that tokens of this database are signed with, None before any."""
    return await db.value(str, "SELECT value FROM resolved WHERE name = $1", _SIGNING)


async def put_signing_key(db: Connection, key_id: str, now: datetime) -> None:
    """Say which key signs tokens from now on."""
    sql = """
        INSERT INTO resolved (name, value, resolved_at) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value, resolved_at = excluded.resolved_at
    """
    await db.execute(sql, _SIGNING, key_id, now)
