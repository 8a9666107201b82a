"""The log of who did what: lines are added and, when they are old enough, removed; never changed.

Each line's `hash` covers the line and the hash before it. The newest number and hash stand in the
mark `audit` as well, whose row is also what writers queue at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import insert, values

HEAD = "audit"


class Line(Record, frozen=True, kw_only=True):
    """One thing that somebody did, or was refused."""

    number: int
    at: datetime
    user_id: UUID | None = None
    """Whose account it is about."""
    actor: str
    action: str
    target: str = ""
    result: str = "done"
    address: str = ""
    request_id: str = ""
    hash: str


async def head(tx: Connection, now: datetime) -> tuple[int, str]:
    """Inside a transaction: hold the end of the log; return its newest number and hash."""
    await tx.execute(
        "INSERT INTO marks (name, at, detail) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        HEAD,
        now,
        "0:",
    )
    sql = f"SELECT detail FROM marks WHERE name = $1 {tx.update_lock}"  # noqa: S608 - a constant
    return _parted(await tx.value(str, sql, HEAD))


async def newest(db: Connection) -> tuple[int, str]:
    """Return the newest number and hash; 0 and nothing for an empty log."""
    return _parted(await db.value(str, "SELECT detail FROM marks WHERE name = $1", HEAD))


async def add(tx: Connection, line: Line) -> None:
    """Inside a transaction that holds the end of the log: add a line."""
    await tx.execute(insert("audit_log", Line), *values(line))
    await tx.execute(
        "UPDATE marks SET at = $2, detail = $3 WHERE name = $1",
        HEAD,
        line.at,
        f"{line.number}:{line.hash}",
    )


async def listing(
    db: Connection,
    *,
    user_id: UUID | None = None,
    actions: Sequence[str] = (),
    before: int | None = None,
    limit: int = 100,
) -> list[Line]:
    """Return lines, newest first.

    Args:
        db: the database.
        user_id: only those about this account.
        actions: only these, such as `login`; empty for all.
        before: only those with a smaller number.
        limit: at most so many.
    """
    about = str(user_id) if user_id else None
    chosen = f",{','.join(actions)}," if actions else None
    sql = """
        SELECT * FROM audit_log
        WHERE number < $1 AND (CAST($2 AS TEXT) IS NULL OR CAST(user_id AS TEXT) = $2)
            AND (CAST($3 AS TEXT) IS NULL OR CAST($3 AS TEXT) LIKE '%,' || action || ',%')
        ORDER BY number DESC LIMIT $4
    """
    return await db.all(Line, sql, 2**62 if before is None else before, about, chosen, limit)


async def following(db: Connection, number: int, limit: int) -> list[Line]:
    """Return the lines behind a number, oldest first."""
    sql = "SELECT * FROM audit_log WHERE number > $1 ORDER BY number LIMIT $2"
    return await db.all(Line, sql, number, limit)


def _parted(detail: str | None) -> tuple[int, str]:
    number, _, hash_ = (detail or "0:").partition(":")
    return int(number), hash_
