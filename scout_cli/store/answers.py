"""What outside parts answered in a run that has not ended, so that a restart need not ask again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection, Statement
from scout_cli.store.executions import held
from scout_cli.store.statements import insert, values


class StoredAnswer(Record, frozen=True, kw_only=True):
    """One answer."""

    execution_id: UUID
    user_id: UUID
    number: int
    part: str
    key: str
    """Hash of the request."""
    answer: str
    """JSON."""


async def add_many(db: Connection, answers: Sequence[StoredAnswer], fence: int) -> None:
    """Keep answers of one run.

    Raises:
        FenceLost: the run is no longer ours; nothing is written.
    """
    sql = insert("execution_answers", StoredAnswer)
    rows = (Statement(sql, values(answer)) for answer in answers)
    await db.together(held(db, answers[0].execution_id, fence), *rows)


async def of_execution(db: Connection, execution_id: UUID) -> list[StoredAnswer]:
    """Return the answers of one run in their order."""
    sql = "SELECT * FROM execution_answers WHERE execution_id = $1 ORDER BY number"
    return await db.all(StoredAnswer, sql, execution_id)


async def forget(db: Connection, execution_id: UUID) -> None:
    """Remove the answers of a run that has ended."""
    await db.execute("DELETE FROM execution_answers WHERE execution_id = $1", execution_id)
