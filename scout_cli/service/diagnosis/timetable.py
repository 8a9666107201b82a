"""Does anything run the scouts: a schedule that silently stopped is the worst fault of all."""

from __future__ import annotations

from datetime import datetime, timedelta

from scout_cli.service.checks import Check, Tell, attempt
from scout_cli.service.diagnosis.subject import Subject
from scout_cli.service.scheduler import MARK
from scout_cli.store import due, marks
from scout_cli.store.database import Database

NAME = "schedule"
_LATE = timedelta(minutes=5)
"""For which a due scout may wait while nothing is wrong."""
_HINT = "scout tick --print-crontab, or keep `scout worker` running"


async def examine(subject: Subject, database: Database | None, tell: Tell) -> None:
    """Tell when the clock was last looked at, and which scouts wait in vain."""
    if database is None:
        return

    async def look() -> None:
        now = await database.now()
        mark = await marks.get(database, MARK)
        waiting = await due.overdue(database, now - _LATE)
        tell(judged(now, mark.at if mark else None, waiting))

    await attempt(NAME, tell, subject.bounds.database, look)


def judged(now: datetime, last: datetime | None, waiting: int) -> Check:
    """Return what to think of the last tick.

    Args:
        now: the present moment.
        last: when a tick or a worker last looked at the clock; None for never.
        waiting: active scouts that have been due for five minutes.
    """
    data = {"last_tick_at": last, "overdue": waiting}
    seen = f"last tick {_ago(now - last)}" if last else "no tick so far"
    if not waiting:
        return Check(name=NAME, ok=True, detail=f"{seen}; nothing waits", data=data)
    scouts = "1 scout has" if waiting == 1 else f"{waiting} scouts have"
    detail = f"{seen}; {scouts} been due for more than five minutes"
    return Check(name=NAME, ok=True, warn=True, detail=detail, hint=_HINT, data=data)


def _ago(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    if minutes < 120:
        return f"{max(minutes, 0)} min ago"
    return f"{minutes // 60} h ago" if minutes < 2_880 else f"{minutes // 1_440} d ago"
