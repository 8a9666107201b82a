"""Messages on their way: stored with what they tell of, sent later, each with a key of its own.

pending -> sending -> sent | pending again | dead | unknown; `held` waits for a person. Rows of one
channel with the same batch are one message.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.core.news import MessageKind, News, OutboxState
from scout_cli.errors import Conflict
from scout_cli.store.database import Connection, Statement
from scout_cli.store.statements import id_pattern, insert, placeholders, values

_UNSENT = "state IN ('pending', 'sending')"


class Content(Record, frozen=True, kw_only=True):
    """What a row has to say."""

    subject: str
    news: tuple[News, ...] = ()


class OutboxRow(Record, frozen=True, kw_only=True):
    """The news of one run, or one notice, for one channel."""

    id: UUID
    user_id: UUID
    channel_id: UUID
    scout_id: UUID | None = None
    execution_id: UUID | None = None
    kind: MessageKind
    dedupe_key: str
    batch: str
    message: Content
    state: OutboxState = "pending"
    attempt: int = 0
    """How often it was tried; from the first time on its batch takes in nothing more."""
    next_attempt_at: datetime
    provider_id: str = ""
    last_error: str = ""
    created_at: datetime
    sent_at: datetime | None = None


class DueRow(OutboxRow, frozen=True, kw_only=True):
    """A row whose moment has come."""

    timezone: str | None
    """Of its scout."""


class Progress(Record, frozen=True, kw_only=True):
    """Where one attempt leaves the rows of a message."""

    state: OutboxState
    attempt: int
    next_attempt_at: datetime
    provider_id: str = ""
    last_error: str = ""
    sent_at: datetime | None = None


async def add(tx: Connection, rows: Sequence[OutboxRow]) -> int:
    """Queue rows; those that are queued already are left as they are. Return how many were new."""
    sql = f"{insert('notification_outbox', OutboxRow)} ON CONFLICT (dedupe_key) DO NOTHING"
    return sum([await tx.execute(sql, *values(row)) for row in rows])


async def due(db: Connection, channel_id: UUID, now: datetime) -> list[DueRow]:
    """Return the rows of a channel that are due or were being sent, in the order of their making.

    Whoever holds the channel and finds one in `sending` knows that another process was cut short.
    """
    sql = f"""
        SELECT o.*, s.timezone FROM notification_outbox o LEFT JOIN scouts s ON s.id = o.scout_id
        WHERE o.channel_id = $1 AND o.{_UNSENT} AND o.next_attempt_at <= $2
        ORDER BY o.created_at, o.id
    """  # noqa: S608 - a constant
    return await db.all(DueRow, sql, channel_id, now)


async def begun(db: Connection, channel_id: UUID, batch: str) -> bool:
    """Return whether a batch was tried: it is one message then, and takes in nothing more."""
    sql = """
        SELECT count(*) FROM notification_outbox WHERE channel_id = $1 AND batch = $2
            AND (attempt > 0 OR state NOT IN ('pending', 'held'))
    """
    return bool(await db.value(int, sql, channel_id, batch))


def moved(rows: Sequence[OutboxRow], batch: str) -> Statement:
    """Return the statement that puts rows that were never tried into another batch."""
    sql = f"""
        UPDATE notification_outbox SET batch = $1
        WHERE state = 'pending' AND attempt = 0 AND id IN ({placeholders(rows, first=2)})
    """  # noqa: S608 - numbers
    return Statement(sql, (batch, *(row.id for row in rows)))


def sending(row: OutboxRow, attempt: int) -> Statement:
    """Return the statement that notes, before the first byte, that a row may have arrived.

    It raises `Conflict` when somebody held or settled the row meanwhile.
    """
    sql = f"""
        UPDATE notification_outbox SET state = 'sending', attempt = $2
        WHERE id = $1 AND {_UNSENT}
    """  # noqa: S608 - a constant
    return Statement(sql, (row.id, attempt), partial(_withdrawn, row))


def settled(row: OutboxRow, progress: Progress) -> Statement:
    """Return the statement that notes what became of a row; one that was held meanwhile stays."""
    sql = f"""
        UPDATE notification_outbox SET state = $2, attempt = $3, next_attempt_at = $4,
            provider_id = $5, last_error = $6, sent_at = $7
        WHERE id = $1 AND {_UNSENT}
    """  # noqa: S608 - a constant
    return Statement(sql, (row.id, *values(progress)))


def postponed(row: OutboxRow, until: datetime) -> Statement:
    """Return the statement that lets a row wait without counting an attempt."""
    sql = f"UPDATE notification_outbox SET next_attempt_at = $2 WHERE id = $1 AND {_UNSENT}"  # noqa: S608 - a constant
    return Statement(sql, (row.id, until))


async def give_up(tx: Connection, channel_id: UUID, reason: str) -> int:
    """Give up what still waits for a channel; return how many rows that were.

    What was being sent may have arrived.
    """
    in_doubt = """
        UPDATE notification_outbox SET state = 'unknown', last_error = $2
        WHERE channel_id = $1 AND state = 'sending'
    """
    waiting = """
        UPDATE notification_outbox SET state = 'dead', last_error = $2
        WHERE channel_id = $1 AND state = 'pending'
    """
    return sum([await tx.execute(sql, channel_id, reason) for sql in (in_doubt, waiting)])


async def next_due(db: Connection) -> datetime | None:
    """Return when there is next something to send: None for nothing, the past for at once."""
    sql = f"""
        SELECT min(CASE WHEN c.lease_until > o.next_attempt_at THEN c.lease_until
            ELSE o.next_attempt_at END)
        FROM notification_outbox o JOIN channels c ON c.id = o.channel_id
        WHERE o.{_UNSENT} AND c.state = 'active'
    """  # noqa: S608 - a constant
    return await db.value(datetime, sql)


async def listing(
    db: Connection,
    user_id: UUID,
    *,
    states: Sequence[OutboxState] = (),
    scout_ids: Sequence[UUID] = (),
    limit: int,
) -> list[OutboxRow]:
    """Return rows of a user, newest first.

    Args:
        db: the database.
        user_id: whose.
        states: only in these; empty for all.
        scout_ids: only of these scouts; empty for all.
        limit: at most so many.
    """
    where = "user_id = $1"
    if states:
        where += f" AND state IN ({placeholders(states, first=3)})"
    if scout_ids:
        where += f" AND scout_id IN ({placeholders(scout_ids, first=3 + len(states))})"
    sql = f"""
        SELECT * FROM notification_outbox WHERE {where} ORDER BY created_at DESC, id DESC LIMIT $2
    """  # noqa: S608 - numbers
    return await db.all(OutboxRow, sql, user_id, limit, *states, *scout_ids)


async def by_prefix(db: Connection, user_id: UUID, prefix: str) -> list[OutboxRow]:
    """Return the rows of a user whose id starts with `prefix`; none for an empty one."""
    pattern = id_pattern(prefix)
    if pattern is None:
        return []
    sql = """
        SELECT * FROM notification_outbox WHERE user_id = $1 AND CAST(id AS TEXT) LIKE $2
        ORDER BY created_at, id
    """
    return await db.all(OutboxRow, sql, user_id, pattern)


async def turn(
    tx: Connection,
    row: OutboxRow,
    *,
    states: Collection[OutboxState],
    to: OutboxState,
    now: datetime,
) -> int:
    """Move the message that a row belongs to into another state, its attempts but one forgotten.

    Args:
        tx: a transaction.
        row: one row of it.
        states: only its rows in these.
        to: where to.
        now: when it is due.

    Returns:
        How many rows moved.
    """
    sql = f"""
        UPDATE notification_outbox SET state = $3, next_attempt_at = $4,
            attempt = CASE WHEN attempt > 0 THEN 1 ELSE 0 END
        WHERE channel_id = $1 AND batch = $2 AND state IN ({placeholders(list(states), first=5)})
    """  # noqa: S608 - numbers
    return await tx.execute(sql, row.channel_id, row.batch, to, now, *states)


def _withdrawn(row: OutboxRow) -> Conflict:
    return Conflict(f"message {row.id} was held meanwhile", hint="scout outbox --retry sends it")
