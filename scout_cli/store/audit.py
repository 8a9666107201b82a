"""The log of who did what: lines are added and, when they are old enough, removed; never changed.

Each line's `hash` covers the line and the hash before it. The newest number and hash stand in the
mark `audit` as well, whose row is also what writers queue at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import insert, placeholders, values

HEAD = "audit"
_BEYOND = 2**62
"""More than any number."""
_BEGUN = "INSERT INTO marks (name, at, detail) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING"
_ENDED = "UPDATE marks SET at = $2, detail = $3 WHERE name = $1"


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


class Wanted(Record, frozen=True, kw_only=True):
    """Which lines."""

    user_id: UUID | None = None
    """Only those about this account."""
    actions: tuple[str, ...] = ()
    """Only these, such as `login`; empty for all."""
    target: str = ""
    """Only what was done to what begins so, such as a scout's id."""
    since: datetime | None = None
    before: int | None = None
    """Only those with a smaller number."""


async def head(tx: Connection, now: datetime) -> tuple[int, str]:
    """Inside a transaction: hold the end of the log; return its newest number and hash."""
    sql = f"SELECT detail FROM marks WHERE name = $1 {tx.update_lock}"  # noqa: S608 - a constant
    detail = await tx.value(str, sql, HEAD)
    if detail is None:  # of several that begin the log one makes the mark, and the others wait
        await tx.execute(_BEGUN, HEAD, now, "0:")
        detail = await tx.value(str, sql, HEAD)
    return _parted(detail)


async def newest(db: Connection) -> tuple[int, str]:
    """Return the newest number and hash; 0 and nothing for an empty log."""
    return _parted(await db.value(str, "SELECT detail FROM marks WHERE name = $1", HEAD))


async def add(tx: Connection, lines: Sequence[Line]) -> None:
    """Inside a transaction that holds the end of the log: add lines, the newest last."""
    newest = lines[-1]
    await tx.executemany(insert("audit_log", Line), [values(line) for line in lines])
    await tx.execute(_ENDED, HEAD, newest.at, f"{newest.number}:{newest.hash}")


async def listing(db: Connection, wanted: Wanted, limit: int) -> list[Line]:
    """Return at most `limit` lines, newest first."""
    conditions = ["number < $1"]
    args: list[Any] = [_BEYOND if wanted.before is None else wanted.before]
    if wanted.user_id is not None:
        args.append(wanted.user_id)
        conditions.append(f"user_id = ${len(args)}")
    if wanted.actions:
        conditions.append(f"action IN ({placeholders(wanted.actions, first=len(args) + 1)})")
        args += wanted.actions
    if wanted.target:
        args += (len(wanted.target), wanted.target)
        conditions.append(f"substr(target, 1, ${len(args) - 1}) = ${len(args)}")
    if wanted.since is not None:
        args.append(wanted.since)
        conditions.append(f"at >= ${len(args)}")
    args.append(limit)
    sql = f"""SELECT * FROM audit_log WHERE {" AND ".join(conditions)}
        ORDER BY number DESC LIMIT ${len(args)}"""  # noqa: S608 - only the names of arguments are put in
    return await db.all(Line, sql, *args)


async def following(db: Connection, number: int, limit: int) -> list[Line]:
    """Return the lines behind a number, oldest first."""
    sql = "SELECT * FROM audit_log WHERE number > $1 ORDER BY number LIMIT $2"
    return await db.all(Line, sql, number, limit)


def _parted(detail: str | None) -> tuple[int, str]:
    number, _, hash_ = (detail or "0:").partition(":")
    return int(number), hash_
