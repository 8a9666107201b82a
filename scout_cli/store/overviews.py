"""Scouts with their last run and how much they have, in as many queries for a thousand as for one.

`owned` reads everything, `glances` only what a table shows: for a thousand scouts it takes a
third of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Execution, Outcome, Record, Scout, State
from scout_cli.store import scouts
from scout_cli.store.database import Connection
from scout_cli.store.statements import placeholders

_LAST = """
    scout_executions AS run ON run.id = (
        SELECT id FROM scout_executions WHERE scout_id = scouts.id
        ORDER BY started_at DESC, id DESC LIMIT 1)
    WHERE scouts.user_id = $1
"""
_FINDINGS = "(SELECT count(*) FROM scout_findings WHERE scout_id = scouts.id) AS findings"
_RUNS = "(SELECT count(*) FROM scout_executions WHERE scout_id = scouts.id) AS runs"


class Glance(Record, frozen=True, kw_only=True):
    """A line of a list of scouts."""

    id: UUID
    title: str
    schedule: str
    is_active: bool
    next_run_at: datetime | None = None
    started_at: datetime | None = None
    """When its last run began."""
    outcome: Outcome | None = None
    state: State | None = None
    """Where its last run is in its life."""
    findings: int


class Overview(Record, frozen=True, kw_only=True):
    """A scout at a glance."""

    scout: Scout
    last: Execution | None
    findings: int


class Belongings(Record, frozen=True, kw_only=True):
    """How much a scout has, all of which goes when it is removed."""

    scout_id: UUID
    runs: int = 0
    findings: int = 0


async def owned(db: Connection, user_id: UUID) -> list[Overview]:
    """Return the scouts of a user at a glance, oldest first."""
    runs = await db.all(Execution, f"SELECT run.* FROM scouts JOIN {_LAST}", user_id)  # noqa: S608 - a constant
    last = {run.scout_id: run for run in runs}
    sql = f"SELECT id AS scout_id, {_FINDINGS} FROM scouts WHERE user_id = $1"  # noqa: S608 - a constant
    counted = await db.all(Belongings, sql, user_id)
    found = {each.scout_id: each.findings for each in counted}
    return [
        Overview(scout=scout, last=last.get(scout.id), findings=found.get(scout.id, 0))
        for scout in await scouts.owned(db, user_id)
    ]


async def glances(db: Connection, user_id: UUID) -> list[Glance]:
    """Return one line for each scout of a user, oldest first."""
    sql = f"""
        SELECT scouts.id, title, schedule, is_active, next_run_at, run.started_at, run.outcome,
            run.state, {_FINDINGS}
        FROM scouts LEFT JOIN {_LAST} ORDER BY scouts.created_at, scouts.id
    """  # noqa: S608 - two constants
    return await db.all(Glance, sql, user_id)


async def last_with_news(db: Connection, scout_id: UUID) -> Execution | None:
    """Return the newest run of a scout that found something new, or None."""
    sql = """
        SELECT * FROM scout_executions WHERE scout_id = $1 AND outcome = 'new'
        ORDER BY started_at DESC, id DESC LIMIT 1
    """
    return await db.one(Execution, sql, scout_id)


async def belongings(db: Connection, ids: Sequence[UUID]) -> list[Belongings]:
    """Return how much each scout has, in the order of `ids`; those that are gone are left out."""
    if not ids:
        return []
    sql = f"""
        SELECT id AS scout_id, {_RUNS}, {_FINDINGS} FROM scouts
        WHERE id IN ({placeholders(ids, first=1)})
    """  # noqa: S608 - two constants, and placeholders
    found = {each.scout_id: each for each in await db.all(Belongings, sql, *ids)}
    return [found[each] for each in ids if each in found]
