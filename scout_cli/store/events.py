"""What the agent of a run said, kept in its order for those who watch from any process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

from msgspec import Raw

from scout_cli.core.models import Record
from scout_cli.store.database import Connection, Json, Statement

_MOST = 50
"""Rows of one statement."""


class StoredEvent(Record, frozen=True, kw_only=True):
    """One event of one attempt; `number` counts from 1 in each."""

    execution_id: UUID
    fence: int
    number: int
    user_id: UUID
    kind: str
    data: Raw
    """The event as JSON text."""
    at: datetime


class EventLine(Record, frozen=True, kw_only=True):
    """What is told of an event."""

    fence: int
    number: int
    kind: str
    data: str
    """The event as JSON text, as it was stored."""


def statements(events: Sequence[StoredEvent]) -> list[Statement]:
    """Return what stores events of one attempt; it belongs behind the guard of the run."""
    return [
        _statement(events[first : first + _MOST], last=first + _MOST >= len(events))
        for first in range(0, len(events), _MOST)
    ]


def _statement(events: Sequence[StoredEvent], *, last: bool) -> Statement:
    first = events[0]
    args: list[object] = [first.execution_id, first.fence, first.user_id]
    for event in events:
        args += (event.number, event.kind, Json(event.data), event.at)
    return Statement(_insert(len(events), last=last), tuple(args))


@cache
def _insert(count: int, *, last: bool) -> str:
    rows = (
        f"($1, $2, ${4 * at}, $3, ${4 * at + 1}, ${4 * at + 2}, ${4 * at + 3},"
        f" {'true' if last and at == count else 'false'})"
        for at in range(1, count + 1)
    )
    names = "execution_id, fence, number, user_id, kind, data, at, is_last"
    return f"INSERT INTO execution_events ({names}) VALUES {', '.join(rows)}"  # noqa: S608 - placeholders


async def after(
    db: Connection, execution_id: UUID, user_id: UUID, seen: tuple[int, int], limit: int
) -> list[EventLine]:
    """Return what a run of a user said, oldest first.

    Args:
        db: the database.
        execution_id: which run.
        user_id: whose; nothing is returned for another's.
        seen: fence and number of the last event that is known; (0, 0) for none.
        limit: at most so many.
    """
    sql = """
        SELECT fence, number, kind, CAST(data AS TEXT) AS data FROM execution_events
        WHERE execution_id = $1 AND user_id = $2 AND (fence, number) > ($3, $4)
        ORDER BY fence, number LIMIT $5
    """
    return await db.all(EventLine, sql, execution_id, user_id, *seen, limit)
