"""What is good for one use: a confirmation, a recovery, an authorisation; only hashes are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import insert, values

Kind = Literal["confirm", "recover", "authorise"]


class Code(Record, frozen=True, kw_only=True):
    """A code as it is stored."""

    hash: str
    user_id: UUID
    kind: Kind
    challenge: str = ""
    """Whoever brings the code must bring what this is the SHA-256 of (RFC 7636)."""
    redirect_to: str = ""
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


async def add(db: Connection, code: Code) -> None:
    """Store a new one."""
    await db.execute(insert("codes", Code), *values(code))


async def use(db: Connection, hash_: str, kind: Kind, now: datetime) -> Code | None:
    """Use a code up and return it; None when it is unknown, too old or used."""
    sql = """
        UPDATE codes SET used_at = $3
        WHERE hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3 RETURNING *
    """
    return await db.one(Code, sql, hash_, kind, now)


async def forget(db: Connection, user_id: UUID, kind: Kind) -> None:
    """Delete the codes of a user of one kind."""
    await db.execute("DELETE FROM codes WHERE user_id = $1 AND kind = $2", user_id, kind)
