"""The change log: what was inserted, updated or deleted, with its owner, in an order without gaps.

A position is (written_by, number). SQLite has one writer, so numbers alone are in the order of
commits. PostgreSQL gives numbers before the commit; there a reader stops below the oldest
transaction that still runs, and goes by transaction first: no row is passed over that commits
late. Source: PostgreSQL documentation, "Transaction ID and Snapshot Information Functions".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput
from scout_cli.store.database import Connection, Kind
from scout_cli.store.statements import placeholders

ChangeKind = Literal["INSERT", "UPDATE", "DELETE"]
_BIGGEST = 2**63 - 1


class Position(NamedTuple):
    """A place in the log: everything up to and with it is known."""

    written_by: int
    number: int

    def __str__(self) -> str:
        return f"{self.written_by}-{self.number}"


class Change(Record, frozen=True, kw_only=True):
    """One row that was changed."""

    number: int
    written_by: int
    table_name: str
    kind: ChangeKind
    row_id: str
    user_id: UUID
    scout_id: UUID | None
    """None for steps and events: their execution names it."""
    execution_id: UUID | None
    at: datetime

    @property
    def position(self) -> Position:
        """Return where it stands in the log."""
        return Position(self.written_by, self.number)


class _Row(Change, frozen=True, kw_only=True):
    settled: bool


class Read(Record, frozen=True, kw_only=True):
    """A piece of the log."""

    changes: list[Change]
    more: bool
    """There is more to read now."""
    held_up: bool
    """Something is committed already that an older transaction holds up: look again soon."""


_ROWS: dict[Kind, str] = {
    "sqlite": """
        SELECT *, 1 AS settled FROM changes
        WHERE (written_by, number) > ($1, $2) {wanted} ORDER BY written_by, number LIMIT $3""",
    "postgresql": """
        SELECT number, CAST(CAST(written_by AS TEXT) AS BIGINT) AS written_by, table_name, kind,
            row_id, user_id, scout_id, execution_id, at,
            written_by < pg_snapshot_xmin(pg_current_snapshot()) AS settled
        FROM changes
        WHERE (written_by, number) > (CAST(CAST(CAST($1 AS BIGINT) AS TEXT) AS XID8), $2) {wanted}
        ORDER BY changes.written_by, number LIMIT $3""",
}
_NEWEST: dict[Kind, str] = {
    "sqlite": """
        SELECT 0 AS written_by,
            coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) AS number""",
    "postgresql": """
        SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) AS written_by,
            CAST(0 AS BIGINT) AS number""",
}
_OLDEST: dict[Kind, str] = {
    "sqlite": "SELECT written_by, number FROM changes ORDER BY written_by, number LIMIT 1",
    "postgresql": """
        SELECT CAST(CAST(written_by AS TEXT) AS BIGINT) AS written_by, number FROM changes
        ORDER BY changes.written_by, number LIMIT 1""",
}


class _Place(Record, frozen=True, kw_only=True):
    written_by: int
    number: int


def position_of(text: str) -> Position:
    """Return the position that a client was given as text.

    Raises:
        InvalidInput: it was never given out.
    """
    parts = text.split("-")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
        written_by, number = (int(part) for part in parts)
        if max(written_by, number) <= _BIGGEST:
            return Position(written_by, number)
    raise InvalidInput("this is no place in the stream", hint="send the id of an event of it")


async def after(
    db: Connection,
    seen: Position,
    limit: int,
    *,
    user_id: UUID | None = None,
    tables: Collection[str] = (),
) -> Read:
    """Return what follows a position, oldest first.

    Args:
        db: the database.
        seen: the position that is known.
        limit: at most so many changes.
        user_id: only what belongs to this user; None for all.
        tables: only rows of these; empty for all.
    """
    args: list[object] = [*seen, limit]
    wanted = ""
    if user_id is not None:
        args.append(user_id)
        wanted += f" AND user_id = ${len(args)}"
    if tables:
        wanted += f" AND table_name IN ({placeholders([*tables], first=len(args) + 1)})"
        args += sorted(tables)
    rows = await db.all(_Row, _ROWS[db.kind].format(wanted=wanted), *args)
    settled = rows
    for at, row in enumerate(rows):
        if not row.settled:
            settled = rows[:at]
            break
    held_up = len(settled) < len(rows)
    return Read(changes=[*settled], more=not held_up and len(rows) == limit, held_up=held_up)


async def newest(db: Connection) -> Position:
    """Return the position after which everything is that will be committed from now on.

    What was committed just before may come after it too.
    """
    found = await db.one(_Place, _NEWEST[db.kind])
    assert found is not None
    return Position(found.written_by, found.number)


async def is_kept(db: Connection, seen: Position) -> bool:
    """Return whether nothing after a position has been pruned, and the position is of this log."""
    oldest = await db.one(_Place, _OLDEST[db.kind])
    if oldest is not None and seen < (oldest.written_by, oldest.number):
        # A log that was never pruned begins with its first row.
        return oldest.number == 1
    last = await newest(db)
    return seen <= (last.written_by, _BIGGEST if db.kind == "postgresql" else last.number)


def listed(changes: Sequence[Change], table: str) -> list[UUID]:
    """Return the ids of the rows of a table that were changed and are still there."""
    gone = {each.row_id for each in changes if each.kind == "DELETE"}
    ids = (each.row_id for each in changes if each.table_name == table)
    return [UUID(each) for each in dict.fromkeys(ids) if each not in gone]
