"""The steps of a run; a run that has lost its fence writes none."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from scout_cli.core.models import Execution, Step
from scout_cli.errors import NotFound
from scout_cli.store.database import Connection, Statement
from scout_cli.store.executions import held
from scout_cli.store.statements import assignments, insert, values

_FIXED = {
    "id",
    "execution_id",
    "user_id",
    "step_number",
    "step_type",
    "started_at",
    "created_at",
    "fence",
}


async def start(db: Connection, step: Step) -> None:
    """Store a step that begins, or one that has begun and ended.

    Raises:
        FenceLost: the run is no longer ours; nothing is written.
        Conflict: the run has a step of this number.
        InvalidInput: input or output is a bare value, not an object or an array.
    """
    await db.together(held(db, step.execution_id, step.fence), started(step))


def started(step: Step) -> Statement:
    """Return what stores a step; it belongs behind the guard of its run."""
    return Statement(insert("scout_execution_steps", Step), values(step))


async def finish(db: Connection, step: Step) -> None:
    """Write what a step came to: every column but its identity, kind, start and fence.

    Raises:
        FenceLost: the run is no longer ours; nothing is written.
        NotFound: the run has no such step.
    """
    await db.together(held(db, step.execution_id, step.fence), finished(step))


def finished(step: Step) -> Statement:
    """Return what writes what a step came to; it belongs behind the guard of its run."""
    changed, args = assignments(step, keep=_FIXED, first=4)
    sql = f"""UPDATE scout_execution_steps SET {changed}
        WHERE id = $1 AND execution_id = $2 AND fence = $3"""  # noqa: S608 - the names are Step's fields
    missing = partial(NotFound, f"run {step.execution_id} has no step {step.step_number}")
    return Statement(sql, (step.id, step.execution_id, step.fence, *args), missing)


async def of_execution(db: Connection, execution_id: UUID) -> list[Step]:
    """Return the steps of a run in their order."""
    sql = """
        SELECT * FROM scout_execution_steps WHERE execution_id = $1 ORDER BY step_number, fence
    """
    return await db.all(Step, sql, execution_id)


async def fail_open(db: Connection, execution: Execution, reason: str) -> None:
    """End the steps that were under way when a run broke off.

    Args:
        db: the database.
        execution: the run as it ended; steps of another fence are left alone.
        reason: why they did not finish.
    """
    sql = """
        UPDATE scout_execution_steps
        SET status = 'failed', completed_at = $3, error_message = $4
        WHERE execution_id = $1 AND fence = $2 AND status = 'running'
    """
    await db.execute(sql, execution.id, execution.fence, execution.completed_at, reason)
