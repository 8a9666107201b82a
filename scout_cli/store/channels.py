"""Where people are told: one row per user and URL, held by a lease while messages go out.

Whoever delivers claims a channel, not a message: so the messages of one channel go out one after
the other, and every write names the fence of the claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal
from uuid import UUID

from scout_cli.core.models import Record, Secret
from scout_cli.errors import FenceLost
from scout_cli.store.database import Connection, Statement
from scout_cli.store.sealing import plain_key, sealed, url_key
from scout_cli.store.statements import id_pattern, insert, values

ChannelState = Literal["active", "disabled"]

_DUE = """SELECT channel_id FROM notification_outbox
    WHERE state IN ('pending', 'sending') AND next_attempt_at <= $1"""
_FREE = "state = 'active' AND (lease_until IS NULL OR lease_until <= $1)"


class ChannelRow(Record, frozen=True, kw_only=True):
    """One channel of one user."""

    id: UUID
    user_id: UUID
    url: Secret
    url_key: str
    """What stands for the URL where it must be unique: see `sealing.url_key`."""
    state: ChannelState = "active"
    reason: str = ""
    """Why it is disabled."""
    failing_since: datetime | None = None
    """When the first of its messages was given up since one last got through."""
    beat_at: datetime | None = None
    """When a sign of life was last considered."""
    served_at: datetime | None = None
    """When somebody last delivered for it."""
    fence: int = 0
    lease_until: datetime | None = None
    created_at: datetime


class ChannelGlance(ChannelRow, frozen=True, kw_only=True):
    """A channel and how many of its messages are where."""

    pending: int
    dead: int
    unknown: int
    last_sent_at: datetime | None


async def ensure(tx: Connection, user_id: UUID, urls: Sequence[str]) -> list[ChannelRow]:
    """Inside a transaction: return the channels of a user with these URLs, made where missing."""
    found = []
    now = await tx.now()
    for url in dict.fromkeys(urls):
        key = await url_key(tx, url)
        row = await _by_key(tx, user_id, key) or await _renamed(tx, user_id, url, key)
        if row is None:
            fresh = ChannelRow(id=tx.uuid(), user_id=user_id, url=url, url_key=key, created_at=now)
            sql = f"{insert('channels', ChannelRow)} ON CONFLICT (user_id, url_key) DO NOTHING"
            await tx.execute(sql, *values(sealed(tx, fresh)))
            row = await _by_key(tx, user_id, key)
        assert row is not None
        found.append(row)
    return found


async def _by_key(db: Connection, user_id: UUID, key: str) -> ChannelRow | None:
    sql = "SELECT * FROM channels WHERE user_id = $1 AND url_key = $2"
    return await db.one(ChannelRow, sql, user_id, key)


async def _renamed(tx: Connection, user_id: UUID, url: str, key: str) -> ChannelRow | None:
    """Return the channel that an older version wrote in clear, sealed from now on; None without."""
    old = await _by_key(tx, user_id, plain_key(url))
    if old is None or tx.vault is None:
        return old
    sql = "UPDATE channels SET url = $2, url_key = $3 WHERE id = $1 RETURNING *"
    return await tx.one(ChannelRow, sql, old.id, tx.vault.seal(url), key)


async def active(db: Connection, user_id: UUID) -> list[ChannelRow]:
    """Return the channels of a user that are in use, oldest first."""
    sql = """
        SELECT * FROM channels WHERE user_id = $1 AND state = 'active' ORDER BY created_at, id
    """
    return await db.all(ChannelRow, sql, user_id)


async def by_prefix(db: Connection, user_id: UUID, prefix: str) -> list[ChannelRow]:
    """Return the channels of a user whose id starts with `prefix`; none for an empty one."""
    pattern = id_pattern(prefix)
    if pattern is None:
        return []
    sql = """
        SELECT * FROM channels WHERE user_id = $1 AND CAST(id AS TEXT) LIKE $2
        ORDER BY created_at, id
    """
    return await db.all(ChannelRow, sql, user_id, pattern)


async def glances(db: Connection, user_id: UUID) -> list[ChannelGlance]:
    """Return the channels of a user with the numbers of their messages, oldest first."""
    sql = """
        SELECT c.*, m.last_sent_at, COALESCE(m.pending, 0) AS pending,
            COALESCE(m.dead, 0) AS dead, COALESCE(m.unknown, 0) AS unknown
        FROM channels c LEFT JOIN (
            SELECT channel_id, max(sent_at) AS last_sent_at,
                count(*) FILTER (WHERE state IN ('pending', 'sending')) AS pending,
                count(*) FILTER (WHERE state = 'dead') AS dead,
                count(*) FILTER (WHERE state = 'unknown') AS unknown
            FROM notification_outbox WHERE user_id = $1 GROUP BY channel_id) m
        ON m.channel_id = c.id
        WHERE c.user_id = $1 ORDER BY c.created_at, c.id
    """
    return await db.all(ChannelGlance, sql, user_id)


async def any_due(db: Connection, now: datetime) -> bool:
    """Return whether `claim` would find a channel; nothing is written."""
    sql = f"SELECT id FROM channels WHERE {_FREE} AND id IN ({_DUE}) LIMIT 1"  # noqa: S608 - constants
    return await db.value(UUID, sql, now) is not None


async def claim(db: Connection, now: datetime, until: datetime) -> ChannelRow | None:
    """Take a channel with messages that are due, the one that waited longest; None without one.

    No two callers hold the same one at a time, whatever process or machine they are in.

    Args:
        db: the database.
        now: the present.
        until: nobody else takes it before this moment.
    """
    sql = f"""
        UPDATE channels SET lease_until = $2, fence = fence + 1
        WHERE {_FREE} AND id = (
            SELECT id FROM channels WHERE {_FREE} AND id IN ({_DUE})
            ORDER BY served_at NULLS FIRST, id LIMIT 1 {db.skip_locked})
        RETURNING *
    """  # noqa: S608 - constants
    return await db.one(ChannelRow, sql, now, until)


def held(db: Connection, channel: ChannelRow) -> Statement:
    """Return the statement that makes sure a claim holds, and goes on holding until the commit.

    It comes first in `together`; without the claim that raises `FenceLost`.
    """
    sql = f"""
        SELECT id FROM channels WHERE id = $1 AND fence = $2 AND lease_until IS NOT NULL
        {db.share_lock}
    """  # noqa: S608 - a constant
    return Statement(sql, (channel.id, channel.fence), partial(_lost, channel))


async def renew(db: Connection, channel: ChannelRow, until: datetime) -> None:
    """Go on holding a channel.

    Raises:
        FenceLost: somebody else has it.
    """
    sql = """
        UPDATE channels SET lease_until = $3
        WHERE id = $1 AND fence = $2 AND lease_until IS NOT NULL
    """
    if not await db.execute(sql, channel.id, channel.fence, until):
        raise _lost(channel)


async def release(db: Connection, channel: ChannelRow, now: datetime) -> None:
    """Let a channel go; when somebody else has it by now, nothing happens."""
    sql = "UPDATE channels SET lease_until = NULL, served_at = $3 WHERE id = $1 AND fence = $2"
    await db.execute(sql, channel.id, channel.fence, now)


def worked(channel: ChannelRow) -> Statement:
    """Return the statement that notes that a message got through."""
    return Statement("UPDATE channels SET failing_since = NULL WHERE id = $1", (channel.id,))


def failed(channel: ChannelRow, now: datetime) -> Statement:
    """Return the statement that notes that a message was given up."""
    sql = "UPDATE channels SET failing_since = COALESCE(failing_since, $2) WHERE id = $1"
    return Statement(sql, (channel.id, now))


async def disable(tx: Connection, channel: ChannelRow, reason: str) -> None:
    """Inside a transaction that holds the channel: send nothing there any more."""
    sql = "UPDATE channels SET state = 'disabled', reason = $2 WHERE id = $1"
    await tx.execute(sql, channel.id, reason)


async def enable(db: Connection, channel_id: UUID) -> bool:
    """Use a channel again; return whether it was disabled."""
    sql = """
        UPDATE channels SET state = 'active', reason = '', failing_since = NULL
        WHERE id = $1 AND state = 'disabled'
    """
    return bool(await db.execute(sql, channel_id))


async def beat(db: Connection, channel_id: UUID, now: datetime) -> None:
    """Note that a sign of life was considered."""
    await db.execute("UPDATE channels SET beat_at = $2 WHERE id = $1", channel_id, now)


def _lost(channel: ChannelRow) -> FenceLost:
    return FenceLost(
        f"channel {channel.id} is served by another process",
        hint="`scout outbox` shows what became of its messages",
    )
