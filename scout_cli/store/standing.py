"""Where things stand: what is due, what comes next, what was found lately, what went wrong."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Outcome, Record
from scout_cli.store.database import Connection

_OWNED = "user_id = (SELECT id FROM users WHERE is_local)"
_SCOUTS = f"SELECT id, title, is_active, next_run_at, notify FROM scouts WHERE {_OWNED}"  # noqa: S608 - a constant
_NEW = f"""
    SELECT count(*) FROM scout_findings
    WHERE {_OWNED} AND created_at >= $1 AND novelty IN ('new', 'update', 'possible_repeat')
"""  # noqa: S608 - a constant
_FAILED = f"""
    SELECT scouts.id, scouts.title, run.outcome, run.error_message, run.started_at
    FROM scouts JOIN scout_executions AS run ON run.id = (
        SELECT id FROM scout_executions WHERE scout_id = scouts.id AND outcome IS NOT NULL
        ORDER BY started_at DESC, id DESC LIMIT 1)
    WHERE scouts.{_OWNED} AND run.outcome IN ('could_not_look', 'failed')
    ORDER BY run.started_at DESC, scouts.id
"""  # noqa: S608 - a constant


class Waiting(Record, frozen=True, kw_only=True):
    """A scout and when it runs next."""

    id: UUID
    title: str
    is_active: bool
    next_run_at: datetime | None
    notify: list[str]


class Failed(Record, frozen=True, kw_only=True):
    """A scout whose last run came to nothing."""

    id: UUID
    title: str
    outcome: Outcome
    error_message: str | None
    started_at: datetime


class Standing(Record, frozen=True, kw_only=True):
    """What a person should know who looks in."""

    scouts: list[Waiting]
    new: int
    """Reported findings since the moment that was asked for."""
    failed: list[Failed]
    """The latest failure first."""

    def due(self, now: datetime) -> list[Waiting]:
        """Return the scouts whose time has come, the one that waits longest first."""
        return [each for each in self.upcoming() if _when(each) <= now]

    def upcoming(self) -> list[Waiting]:
        """Return the active scouts in the order in which they run."""
        found = [each for each in self.scouts if each.is_active and each.next_run_at]
        return sorted(found, key=lambda each: (_when(each), each.id))


async def of_local_owner(db: Connection, since: datetime) -> Standing:
    """Return where the scouts of the command line stand; nothing is written.

    Args:
        db: the database.
        since: findings made at this moment or later are counted.
    """
    return Standing(
        scouts=await db.all(Waiting, _SCOUTS),
        new=await db.value(int, _NEW, since) or 0,
        failed=await db.all(Failed, _FAILED),
    )


def _when(scout: Waiting) -> datetime:
    assert scout.next_run_at is not None
    return scout.next_run_at
