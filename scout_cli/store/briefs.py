"""What scouts reported: runs with news, and the facts of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import REPORTED, Finding, Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import placeholders


class Brief(Record, frozen=True, kw_only=True):
    """A run that found something new."""

    id: UUID
    started_at: datetime
    completed_at: datetime | None
    summary_text: str | None


async def of_scout(db: Connection, scout_id: UUID, limit: int) -> list[Brief]:
    """Return the newest runs of a scout that found something new, newest first."""
    sql = """
        SELECT id, started_at, completed_at, summary_text FROM scout_executions
        WHERE scout_id = $1 AND state = 'completed' AND outcome = 'new'
        ORDER BY started_at DESC, id DESC LIMIT $2
    """
    return await db.all(Brief, sql, scout_id, limit)


async def facts_of(db: Connection, execution_ids: Sequence[UUID]) -> list[Finding]:
    """Return the findings that these runs reported, in the order they were found."""
    if not execution_ids:
        return []
    runs = placeholders(execution_ids, first=1)
    kinds = placeholders(REPORTED, first=len(execution_ids) + 1)
    sql = f"""
        SELECT * FROM scout_findings WHERE execution_id IN ({runs}) AND novelty IN ({kinds})
        ORDER BY created_at, source, id
    """  # noqa: S608 - placeholders
    return await db.all(Finding, sql, *execution_ids, *REPORTED)


async def forget_tokens(db: Connection, user_id: UUID, scout_id: UUID) -> int:
    """Delete the tokens of the feed of a scout; return how many there were."""
    sql = "DELETE FROM tokens WHERE kind = 'feed' AND user_id = $1 AND scout_id = $2"
    return await db.execute(sql, user_id, scout_id)
