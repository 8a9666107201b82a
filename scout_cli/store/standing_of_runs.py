"""Where a run is in its life, for those who follow it."""

from __future__ import annotations

from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection


class Standing(Record, frozen=True, kw_only=True):
    """As much of a run as tells whether it is over, and how it ended."""

    state: str
    outcome: str | None = None
    error_message: str | None = None


async def get(db: Connection, execution_id: UUID, user_id: UUID) -> Standing | None:
    """Return where a run of a user is; None for another's, and for none."""
    sql = """SELECT state, outcome, error_message FROM scout_executions
        WHERE id = $1 AND user_id = $2"""
    return await db.one(Standing, sql, execution_id, user_id)
