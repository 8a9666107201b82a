"""The rows behind changes as they are now, without what is large or secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from scout_cli.core.models import Location, Novelty, Outcome, Record, State, Status, StepKind
from scout_cli.store.changes import Change, listed
from scout_cli.store.database import Connection
from scout_cli.store.rows import columns
from scout_cli.store.statements import placeholders

_MOST = 200
"""Rows of one query."""


class ScoutNow(Record, frozen=True, kw_only=True):
    """A scout."""

    id: UUID
    user_id: UUID
    title: str
    description: str | None
    goal: str | None
    search_queries: list[str]
    location: Location | None
    frequency: str | None
    schedule: str
    timezone: str
    is_active: bool
    last_run_at: datetime | None
    consecutive_failures: int
    created_at: datetime
    updated_at: datetime


class ExecutionNow(Record, frozen=True, kw_only=True):
    """A run."""

    id: UUID
    scout_id: UUID
    status: Status
    started_at: datetime
    completed_at: datetime | None
    error_message: str | None
    summary_text: str | None
    created_at: datetime
    state: State
    outcome: Outcome | None
    trigger: str
    slot_at: datetime | None
    attempt: int


class StepNow(Record, frozen=True, kw_only=True):
    """A step of a run."""

    id: UUID
    execution_id: UUID
    step_number: int
    step_type: StepKind
    description: str
    status: Status
    started_at: datetime
    completed_at: datetime | None
    error_message: str | None
    created_at: datetime


class FindingNow(Record, frozen=True, kw_only=True):
    """A finding."""

    id: UUID
    scout_id: UUID
    execution_id: UUID | None
    fact: str
    quote: str
    url: str
    host: str
    title: str
    novelty: Novelty
    created_at: datetime


class MessageNow(Record, frozen=True, kw_only=True):
    """A message of the interview."""

    id: UUID
    scout_id: UUID
    role: str
    created_at: datetime


class PreferencesNow(Record, frozen=True, kw_only=True):
    """What a user prefers, without keys."""

    id: UUID
    user_id: UUID
    updated_at: datetime


RowNow: TypeAlias = ScoutNow | ExecutionNow | StepNow | FindingNow | MessageNow | PreferencesNow

TABLES: dict[str, Any] = {
    "scouts": ScoutNow,
    "scout_executions": ExecutionNow,
    "scout_execution_steps": StepNow,
    "scout_findings": FindingNow,
    "scout_messages": MessageNow,
    "user_preferences": PreferencesNow,
}


async def rows_of(db: Connection, changes: Sequence[Change]) -> Mapping[str, RowNow]:
    """Return the rows that were changed, by id; those that are gone meanwhile are left out."""
    found: dict[str, RowNow] = {}
    for table in dict.fromkeys(each.table_name for each in changes if each.table_name in TABLES):
        of = TABLES[table]
        ids = listed(changes, table)
        for first in range(0, len(ids), _MOST):
            some = ids[first : first + _MOST]
            names = ", ".join(f'"{name}"' for name in columns(of))
            sql = f"SELECT {names} FROM {table} WHERE id IN ({placeholders(some, first=1)})"  # noqa: S608 - names are fields, see TABLES
            found |= {str(row.id): row for row in await db.all(of, sql, *some)}
    return found
