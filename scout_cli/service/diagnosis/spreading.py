"""The queue that spreads runs over many machines: is it there, and does it hold what waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from scout_cli.service.checks import Check, Tell, attempt
from scout_cli.service.diagnosis.subject import Subject
from scout_cli.store import spread
from scout_cli.store.database import Database

NAME = "queue"
_LATE = timedelta(minutes=1)
"""For which a run may wait outside the queue while a worker is up."""
_MANY = 100


async def examine(subject: Subject, database: Database | None, tell: Tell) -> None:
    """Tell of the queue, where there is one beside the database."""
    executor = subject.executor
    if executor is None or database is None:
        return

    async def look() -> None:
        opened = await executor()
        if opened.tables:
            tell(await _judged(database, opened.tables, opened.name))

    await attempt(NAME, tell, subject.bounds.database, look)


async def _judged(database: Database, tables: str, name: str) -> Check:
    state = await spread.state(database, tables)
    data: dict[str, Any] = {"executor": name, "tables": state}
    if state != "ready":
        missing = "has no tables" if state == "absent" else "has tables of another version"
        detail = f"{name} {missing}"
        return Check(name=NAME, ok=False, detail=detail, hint="scout init-db", data=data)
    depth = await spread.depth(database)
    lacking = len(await spread.lacking(database, await database.now() - _LATE, _MANY))
    data |= {"waiting": depth.waiting, "taken": depth.taken, "lacking": lacking}
    detail = f"{name}: {depth.waiting} runs wait in it, {depth.taken} are with workers"
    if not lacking:
        return Check(name=NAME, ok=True, detail=detail, data=data)
    more = "+" if lacking == _MANY else ""
    detail = f"{name}: {lacking}{more} runs have waited outside of it for more than a minute"
    return Check(name=NAME, ok=True, warn=True, detail=detail, hint="scout worker", data=data)
