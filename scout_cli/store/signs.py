"""What a sign of life is made of: who listens, how often scout looked, what it told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Outcome, Record, Secret
from scout_cli.store.database import Connection


class Watching(Record, frozen=True, kw_only=True):
    """An active scout and the channels of its own."""

    id: UUID
    user_id: UUID
    notify: list[Secret]


class Looks(Record, frozen=True, kw_only=True):
    """How often the runs of one scout ended in one way."""

    scout_id: UUID
    outcome: Outcome
    times: int


async def watching(db: Connection, after: UUID | None, limit: int) -> list[Watching]:
    """Return active scouts by id, those after `after`."""
    sql = """
        SELECT id, user_id, notify FROM scouts
        WHERE is_active AND (CAST($1 AS TEXT) IS NULL OR id > $2) ORDER BY id LIMIT $3
    """
    return await db.all(Watching, sql, str(after) if after else None, after, limit)


async def looks(db: Connection, user_id: UUID, since: datetime) -> list[Looks]:
    """Return how the runs of a user ended that began at a moment or later."""
    sql = """
        SELECT scout_id, outcome, count(*) AS times FROM scout_executions
        WHERE user_id = $1 AND started_at >= $2 AND outcome IS NOT NULL
        GROUP BY scout_id, outcome
    """
    return await db.all(Looks, sql, user_id, since)


async def told(db: Connection, user_id: UUID, since: datetime) -> set[UUID]:
    """Return the channels of a user for which news was queued at a moment or later."""
    sql = """
        SELECT DISTINCT channel_id FROM notification_outbox
        WHERE user_id = $1 AND created_at >= $2 AND kind = 'news'
    """
    return set(await db.all(UUID, sql, user_id, since))
