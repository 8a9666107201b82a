"""Runs and what followed from them: messages to channels, and failures that were counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Problem, Record, Secret, User
from scout_cli.core.retries import decide
from scout_cli.store import marks, users
from scout_cli.store.database import Connection
from scout_cli.store.invariants_of_slots import KEPT_SINCE
from scout_cli.store.takeover import WORKER_LOST

_LAST_FAILURES = """
    SELECT e.scout_id, e.error_class FROM scout_executions e
    WHERE e.state = 'failed' AND NOT (e."trigger" = 'manual' AND e.error_class = $1)
        AND NOT EXISTS (SELECT 1 FROM scout_executions c WHERE c.scout_id = e.scout_id
            AND c.state = 'completed' AND c.completed_at >= e.completed_at)
"""


class _News(Record, frozen=True, kw_only=True):
    id: UUID
    user_id: UUID
    completed_at: datetime
    notify: list[Secret]


class _Hearing(Record, frozen=True, kw_only=True):
    id: UUID
    user_id: UUID
    url: Secret


class _Failure(Record, frozen=True, kw_only=True):
    scout_id: UUID
    error_class: str | None


class _Counted(Record, frozen=True, kw_only=True):
    id: UUID
    consecutive_failures: int


async def untold(db: Connection, notify: Sequence[str]) -> list[str]:
    """Return the runs with news that a channel of their scout was not told.

    Args:
        db: a database in which no channel came or went.
        notify: the URLs of channels that hear of all scouts of the local owner.
    """
    mark = await marks.get(db, KEPT_SINCE)
    owner = await users.local(db)
    channels = await db.all(_Hearing, "SELECT id, user_id, url FROM channels")
    by_url = {(each.user_id, each.url): each.id for each in channels}
    told = {
        (row.execution_id, row.channel_id)
        for row in await db.all(
            _Told,
            """SELECT execution_id, channel_id FROM notification_outbox
               WHERE kind = 'news' AND execution_id IS NOT NULL""",
        )
    }
    runs = await db.all(
        _News,
        """SELECT e.id, e.user_id, e.completed_at, s.notify FROM scout_executions e
           JOIN scouts s ON s.id = e.scout_id
           WHERE e.state = 'completed' AND e.outcome = 'new' ORDER BY e.completed_at, e.id""",
    )
    return [
        f"run {run.id} has news, and a channel was not told"
        for run in runs
        if mark is None or run.completed_at >= mark.at
        for url in dict.fromkeys([*run.notify, *(notify if _is_of(owner, run) else ())])
        if (run.id, by_url.get((run.user_id, url))) not in told
    ]


def _is_of(owner: User | None, run: _News) -> bool:
    return owner is None or owner.id == run.user_id


class _Told(Record, frozen=True, kw_only=True):
    execution_id: UUID
    channel_id: UUID


async def miscounted(db: Connection, *, steady: bool) -> list[str]:
    """Return the scouts whose failures in a row are not those of their last runs.

    Args:
        db: the database.
        steady: whether no scout was resumed, which forgets failures: then too few are told, too.
    """
    rows = await db.all(_Failure, _LAST_FAILURES, WORKER_LOST)
    happened = Counter(row.scout_id for row in rows if _is_own(row.error_class))
    sql = "SELECT id, consecutive_failures FROM scouts ORDER BY id"
    scouts = await db.all(_Counted, sql) if steady else []
    if not steady:
        sql = "SELECT id, consecutive_failures FROM scouts WHERE consecutive_failures > 0"
        scouts = await db.all(_Counted, f"{sql} ORDER BY id")
    return [
        f"scout {each.id} counts {each.consecutive_failures} failures in a row,"
        f" and its last runs have {happened[each.id]}"
        for each in scouts
        if each.consecutive_failures > happened[each.id]
        or (steady and each.consecutive_failures != happened[each.id])
    ]


def _is_own(error_class: str | None) -> bool:
    """Return whether a failure of this class counts towards a pause."""
    problem = Problem(code=error_class or "nothing_read", message="", retryable=False)
    return decide(problem, 1, "").attributable
