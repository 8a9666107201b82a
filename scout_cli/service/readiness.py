"""Whether a server can do its work: its database, its model, its search engines, its backlog.

Without the database it can answer nothing. Everything else is said and gets better by itself:
runs are tried again, and what is due is caught up with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

from scout_cli.core.models import Record
from scout_cli.errors import DatabaseUnavailable, ScoutError
from scout_cli.store import figures
from scout_cli.store.database import Database

_DATABASE_SECONDS = 5.0
_CONNECT_SECONDS = 2.0
_KEPT = 5.0
"""Seconds for which an answer is good: many may ask."""
_LATE = timedelta(minutes=5)
"""After which due work that nobody does is worth a word."""

State = Literal["ready", "degraded", "unavailable"]


class Part(Record, frozen=True, kw_only=True):
    """One part and whether it works; no address and no secret."""

    name: Literal["database", "model", "search", "backlog"]
    ok: bool
    detail: str


class Readiness(Record, frozen=True, kw_only=True):
    """How a server is."""

    status: State
    parts: tuple[Part, ...]


class Place(Record, frozen=True, kw_only=True):
    """Where a part listens."""

    host: str
    port: int


class Readying:
    """Asks the parts of a server whether they are there.

    Args:
        db: the database.
        model: where the model listens; None for an engine in this process.
        search: where search engines of one's own listen; none for those on the web, which are not
            asked: they count every question.
    """

    def __init__(self, db: Database, model: Place | None, search: Sequence[Place]) -> None:
        self._db = db
        self._model = model
        self._search = search
        self._asking = asyncio.Lock()
        self._known: tuple[float, Readiness] | None = None

    async def ask(self) -> Readiness:
        """Return how everything is, from at most five seconds ago."""
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if self._known is None or now - self._known[0] > _KEPT:
                self._known = now, await self._look()
            return self._known[1]

    async def _look(self) -> Readiness:
        parts = await asyncio.gather(self._stored(), self._thinks(), self._searches())
        (database, backlog), model, search = parts
        told = tuple(part for part in (database, model, search, backlog) if part is not None)
        if not database.ok:
            return Readiness(status="unavailable", parts=told)
        fine = all(part.ok for part in told)
        return Readiness(status="ready" if fine else "degraded", parts=told)

    async def _stored(self) -> tuple[Part, Part | None]:
        try:
            async with asyncio.timeout(_DATABASE_SECONDS):
                now = await self._db.now()
                waiting = await _oldest(self._db, now)
        except (DatabaseUnavailable, TimeoutError):
            return Part(name="database", ok=False, detail="it does not answer"), None
        late = waiting.oldest is not None and now - waiting.oldest > _LATE
        detail = f"{waiting.count} runs wait" if waiting.count else "nothing waits"
        if late and waiting.oldest is not None:
            minutes = int((now - waiting.oldest).total_seconds() // 60)
            detail += f", the first of them for {minutes} minutes"
        backlog = Part(name="backlog", ok=not late, detail=detail)
        return Part(name="database", ok=True, detail="it answers"), backlog

    async def _thinks(self) -> Part:
        if self._model is None:
            return Part(name="model", ok=True, detail="the built-in engine")
        return _answering("model", [await _reaches(self._model)])

    async def _searches(self) -> Part:
        if not self._search:
            return Part(name="search", ok=True, detail="on the web, not asked here")
        return _answering("search", await asyncio.gather(*map(_reaches, self._search)))


def _answering(name: Literal["model", "search"], reached: Sequence[bool]) -> Part:
    if all(reached):
        return Part(name=name, ok=True, detail="it answers")
    some = any(reached)
    return Part(name=name, ok=some, detail="some do not answer" if some else "it does not answer")


async def _oldest(db: Database, now: datetime) -> figures.Waiting:
    queued, due = await figures.queued(db, now), await figures.due(db, now)
    moments = [each.oldest for each in (queued, due) if each.oldest is not None]
    return figures.Waiting(count=queued.count + due.count, oldest=min(moments) if moments else None)


async def _reaches(place: Place) -> bool:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(place.host, place.port)
    except (OSError, TimeoutError, ScoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
