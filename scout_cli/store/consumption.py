"""What the runs of a user consumed, run by run."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Record, State, Usage
from scout_cli.store.database import Connection


class Consumed(Record, frozen=True, kw_only=True):
    """One run."""

    started_at: datetime
    state: State
    usage: Usage | None = None


async def between(
    db: Connection, user_id: UUID, since: datetime, until: datetime, scout_id: UUID | None
) -> list[Consumed]:
    """Return the runs of a user that began at or after `since` and before `until`, oldest first.

    Args:
        db: the database.
        user_id: whose.
        since: the first moment.
        until: the moment after the last.
        scout_id: of this scout only; None for all.
    """
    sql = """
        SELECT started_at, state, usage FROM scout_executions
        WHERE user_id = $1 AND started_at >= $2 AND started_at < $3
            AND (CAST($4 AS TEXT) IS NULL OR scout_id = $5)
        ORDER BY started_at
    """
    named = str(scout_id) if scout_id else None
    return await db.all(Consumed, sql, user_id, since, until, named, scout_id)
