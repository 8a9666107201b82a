"""What users said of findings: one word each, the last one counts, and it can be taken back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Opinion, Record
from scout_cli.core.tastes import Said
from scout_cli.store.database import Connection
from scout_cli.store.statements import upsert, values


class OpinionRow(Record, frozen=True, kw_only=True):
    """What a user said of one finding."""

    finding_id: UUID
    user_id: UUID
    scout_id: UUID
    opinion: Opinion
    created_at: datetime


async def put(db: Connection, row: OpinionRow) -> None:
    """Store what a user says of a finding, over what was said before.

    Raises:
        NotFound: the finding is not there.
    """
    await db.execute(upsert("finding_opinions", OpinionRow, ("finding_id",)), *values(row))


async def remove(db: Connection, finding_id: UUID) -> bool:
    """Take back what was said of a finding, and return whether there was something."""
    return bool(await db.execute("DELETE FROM finding_opinions WHERE finding_id = $1", finding_id))


async def get(db: Connection, finding_id: UUID) -> OpinionRow | None:
    """Return what was said of a finding, or None."""
    sql = "SELECT * FROM finding_opinions WHERE finding_id = $1"
    return await db.one(OpinionRow, sql, finding_id)


async def of_scout(db: Connection, scout_id: UUID, until: datetime | None = None) -> list[Said]:
    """Return what was said of a scout's findings, oldest first.

    Args:
        db: the database.
        scout_id: the scout.
        until: what was said before this moment; None for all.
    """
    earlier = "AND o.created_at < $2" if until else ""
    sql = f"""
        SELECT o.opinion, f.novelty, f.host, f.fact
        FROM finding_opinions o JOIN scout_findings f ON f.id = o.finding_id
        WHERE o.scout_id = $1 {earlier} ORDER BY o.created_at, o.finding_id
    """  # noqa: S608 - a constant
    return await db.all(Said, sql, scout_id, *([until] if until else []))
