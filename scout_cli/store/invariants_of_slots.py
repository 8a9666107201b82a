"""Slots and runs: whether each slot had its run, and whether each scout waits for its next one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from itertools import pairwise
from uuid import UUID

from cronsim import CronSimError

from scout_cli.core import schedule
from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput
from scout_cli.store import marks
from scout_cli.store.database import Connection

KEPT_SINCE = "executions kept since"
"""The mark whose moment is before every run that retention has left."""
_PAGE = 500


class _Scout(Record, frozen=True, kw_only=True):
    id: UUID
    schedule: str
    timezone: str
    anchor: datetime | None
    created_at: datetime
    last_run_at: datetime | None
    next_run_at: datetime | None
    is_active: bool

    @property
    def base(self) -> datetime:
        """Return slot 0."""
        return self.anchor or self.created_at

    def after(self, moment: datetime) -> datetime:
        """Return the first slot after a moment."""
        return schedule.next_after(self.schedule, self.timezone, moment, anchor=self.base)


class _Covered(Record, frozen=True, kw_only=True):
    slot_at: datetime
    covers_from: datetime


async def uncovered(db: Connection, now: datetime) -> list[str]:
    """Return the slots without a run, and those with two.

    Args:
        db: a database in which no scout rested and no rhythm changed.
        now: slots count up to this moment.
    """
    mark = await marks.get(db, KEPT_SINCE)
    found: list[str] = []
    async for scout in _scouts(db):
        runs = await db.all(
            _Covered,
            """SELECT slot_at, coalesce(covers_from, slot_at) AS covers_from
               FROM scout_executions WHERE scout_id = $1 AND slot_at IS NOT NULL
               ORDER BY slot_at""",
            scout.id,
        )
        kept = [run for run in runs if mark is None or run.covers_from >= mark.at]
        if scout.is_active:
            found += _told(scout, partial(_holes, scout, kept, now))
    return found


def _holes(scout: _Scout, runs: list[_Covered], now: datetime) -> str:
    for run, following in pairwise(runs):
        if following.covers_from <= run.slot_at:
            return f"slot {run.slot_at} was run twice"
        if (missed := scout.after(run.slot_at)) < following.covers_from:
            return f"slot {missed} was not run"
    if runs and (missed := scout.after(runs[-1].slot_at)) <= now:
        return f"slot {missed} was not run"
    return ""


async def misplaced(db: Connection, now: datetime, *, steady: bool) -> list[str]:
    """Return the active scouts whose next run is not their next slot.

    Args:
        db: the database.
        now: its present.
        steady: whether all that is due was run: then the next run lies ahead.
    """
    found: list[str] = []
    async for scout in _scouts(db):
        if scout.is_active:
            found += _told(scout, partial(_misplaced, scout, now, steady=steady))
    return found


def _misplaced(scout: _Scout, now: datetime, *, steady: bool) -> str:
    _check_rhythm(scout)
    upcoming = scout.next_run_at
    if upcoming is None or (steady and upcoming <= now):
        return f"its next run is {upcoming}, which is not ahead" if steady else ""
    if scout.last_run_at is None:
        return ""  # a new scout runs at once, slot or not
    latest = schedule.latest(scout.schedule, scout.timezone, upcoming, anchor=scout.base)
    if latest != upcoming:
        return f"its next run {upcoming} is no slot of {scout.schedule!r}"
    if upcoming > (following := scout.after(now)):
        return f"its next run {upcoming} leaves out the slot {following}"
    return ""


def _check_rhythm(scout: _Scout) -> None:
    named = scout.schedule in schedule.PERIODS
    schedule.parse(
        scout.schedule if named else None, None if named else scout.schedule, scout.timezone
    )


def _told(scout: _Scout, look: Callable[[], str]) -> list[str]:
    try:
        told = look()
    except (InvalidInput, CronSimError) as error:
        told = f"its rhythm cannot be read: {error}"
    except (OverflowError, StopIteration):
        told = "its slots lie beyond the calendar"
    return [f"scout {scout.id}: {told}"] if told else []


async def _scouts(db: Connection) -> AsyncIterator[_Scout]:
    last: UUID | None = None
    while True:
        page = await db.all(
            _Scout,
            """SELECT id, schedule, timezone, anchor, created_at, last_run_at, next_run_at,
                   is_active AND goal IS NOT NULL AS is_active
               FROM scouts WHERE CAST($1 AS TEXT) IS NULL OR id > $2 ORDER BY id LIMIT $3""",
            str(last) if last else None,
            last,
            _PAGE,
        )
        for scout in page:
            yield scout
        if len(page) < _PAGE:
            return
        last = page[-1].id
