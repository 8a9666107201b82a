"""Who owns scouts."""

from __future__ import annotations

from uuid import UUID

from scout_cli.core.models import User
from scout_cli.store.database import Connection
from scout_cli.store.statements import insert, values

_LOCAL = "SELECT * FROM users WHERE is_local"


async def local(db: Connection) -> User | None:
    """Return the user that the command line acts for, None before there is one."""
    return await db.one(User, _LOCAL)


async def local_owner(db: Connection) -> User:
    """Return the user that the command line acts for, created on first need, by one process."""
    if owner := await db.one(User, _LOCAL):
        return owner
    fresh = User(id=db.uuid(), is_local=True, created_at=await db.now())
    await db.execute(f"{insert('users', User)} ON CONFLICT DO NOTHING", *values(fresh))
    owner = await db.one(User, _LOCAL)
    assert owner is not None
    return owner


async def get(db: Connection, user_id: UUID) -> User | None:
    """Return one user, or None."""
    return await db.one(User, "SELECT * FROM users WHERE id = $1", user_id)
