"""Cleaning up: what is old goes, in small transactions, and a full disk is helped out."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.core.ports import Clock
from scout_cli.errors import DatabaseUnavailable
from scout_cli.service import meaning, repeats
from scout_cli.service.ballast import Ballast, is_full
from scout_cli.service.screenshots import Screenshots
from scout_cli.store import marks, pages, retention
from scout_cli.store.database import Database
from scout_cli.store.finishing import to_the_end
from scout_cli.store.invariants_of_slots import KEPT_SINCE
from scout_cli.store.marks import Mark
from scout_cli.store.retention import Prunable

MARK = "clean"
_EVERY = timedelta(hours=1)
_AGES = (
    (retention.SESSIONS, timedelta(hours=72)),
    (retention.TOKENS, timedelta(days=30)),
    (retention.CODES, timedelta(days=1)),
    (retention.ALLOWANCES, timedelta(0)),
    (retention.CHANGES, timedelta(hours=24)),
    (retention.CHAT_ITEMS, timedelta(days=30)),
)
"""How long after its end, or its making, something of the server's goes."""
_BALLAST_SECONDS = 30.0
"""Between two looks at whether the reserve can be made again."""


class Retention(Record, frozen=True, kw_only=True):
    """How long things are kept, in days; 0 keeps them for ever."""

    pages: int = 30
    steps: int = 30
    executions: int = 180
    outbox_sent: int = 30
    outbox_dead: int = 90
    search_minutes: int = 15
    """Answers of search engines, in minutes."""
    audit: int = 365
    """The log of who did what."""


class Cleaned(Record, frozen=True, kw_only=True):
    """What a clean-up removed, or would remove."""

    pages: int = 0
    steps: int = 0
    executions: int = 0
    outbox_sent: int = 0
    outbox_dead: int = 0
    searches: int = 0
    answers: int = 0
    requests: int = 0
    """Answers kept for requests that might have been sent again."""
    screenshots: int = 0
    """Pictures of pages."""
    events: int = 0
    """What the agent said in its runs."""
    sessions: int = 0
    tokens: int = 0
    codes: int = 0
    allowances: int = 0
    """Allowances that are full again."""
    changes: int = 0
    """Changes that watchers have long been told of."""
    chat_items: int = 0
    audit: int = 0
    """Lines of the log of who did what."""
    freed_bytes: int = 0
    """By how much an SQLite file shrank."""


class Upkeep:
    """The clean-up of one database.

    Args:
        db: the database.
        clock: measures the time between looks at the disk.
        settings: how long things are kept.
        ballast: the reserve of an SQLite database; None for none.
        screenshots: pictures of pages, kept as long as the texts of the pages are; None for none.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        settings: Retention,
        ballast: Ballast | None = None,
        screenshots: Screenshots | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self._ballast = ballast
        self._screenshots = screenshots
        self._looked: float | None = None

    async def preview(self) -> Cleaned:
        """Return what `clean` would remove now."""
        now = await self._db.now()
        found = {
            what.name: await retention.count(self._db, what, before)
            for what, before in [*self._rules(now), *self._runs(now)]
        }
        return Cleaned(**found)

    async def clean(self) -> Cleaned:
        """Remove what is older than it is kept, at most 500 rows in a transaction.

        Findings with their vectors, the pages seen, the five newest runs of each scout and its
        newest one with news always stay. What searches look through is put in order.

        Raises:
            DatabaseUnavailable: what was removed so far stays so.
        """
        now = await self._db.now()
        await marks.put(self._db, Mark(name=MARK, at=now))
        done = {what.name: await self._prune(what, before) for what, before in self._rules(now)}
        for what, before in self._runs(now):
            done[what.name] = await self._prune_runs(before)
        done["screenshots"] = await self._forget_screenshots()
        await meaning.pack_all(self._db)
        freed = 0
        if self._db.kind == "sqlite":
            path = Path((await self._db.describe()).location)
            freed = await to_the_end(asyncio.to_thread(retention.tidy_file, path))
        return Cleaned(**done, freed_bytes=freed)

    async def due(self) -> bool:
        """Return whether the last clean-up of this database was an hour ago."""
        last = await marks.get(self._db, MARK)
        now = await self._db.now()
        return last is None or not last.at <= now < last.at + _EVERY

    async def clean_when_due(self) -> Cleaned | None:
        """Look after disk and database: a chore for workers, cheap as often as they like.

        Returns:
            What was removed; None when there was nothing to do yet.

        Raises:
            DatabaseUnavailable: call it again.
        """
        if made := await self.make_room_when_short():
            return made
        await self._keep_ballast()
        try:
            return await self.clean() if await self.due() else None
        except DatabaseUnavailable as error:
            if not await self.relieve(error):
                raise
            return None

    async def make_room_when_short(self) -> Cleaned | None:
        """Give up the reserve and clean up when the disk is as good as full.

        Returns:
            What was removed; None when there is room, or no reserve is left.

        Raises:
            DatabaseUnavailable: even so it could not be cleaned up.
        """
        if self._ballast is None or not await asyncio.to_thread(self._ballast.is_short):
            return None
        return await self._make_room()

    async def relieve(self, error: BaseException) -> bool:
        """After an error: when the disk is full, give up the reserve and clean up.

        Args:
            error: what a write raised.

        Returns:
            Whether it is worth trying again.
        """
        if self._ballast is None or not is_full(error):
            return False
        return await self._make_room() is not None

    async def _make_room(self) -> Cleaned | None:
        assert self._ballast is not None
        released = await asyncio.to_thread(self._ballast.release)
        return await self.clean() if released else None

    async def _keep_ballast(self) -> None:
        now = self._clock.monotonic()
        if self._ballast is None or (self._looked and now - self._looked < _BALLAST_SECONDS):
            return
        self._looked = now
        await asyncio.to_thread(self._ballast.make)

    def _rules(self, now: datetime) -> list[tuple[Prunable, datetime]]:
        kept = self._settings
        rules = [
            (retention.PAGES, kept.pages),
            (retention.STEPS, kept.steps),
            (retention.EVENTS, kept.steps),
            (retention.AUDIT, kept.audit),
            (retention.SENT, kept.outbox_sent),
            (retention.DEAD, kept.outbox_dead),
        ]
        old = now - timedelta(minutes=kept.search_minutes)
        return [
            (retention.ANSWERS, now),
            (retention.SEARCHES, old),
            (retention.REPEATS, now - repeats.KEPT),
            *((what, now - age) for what, age in _AGES),
            *((what, now - timedelta(days=days)) for what, days in rules if days),
        ]

    def _runs(self, now: datetime) -> list[tuple[Prunable, datetime]]:
        days = self._settings.executions
        return [(retention.EXECUTIONS, now - timedelta(days=days))] if days else []

    async def _forget_screenshots(self) -> int:
        """Remove the pictures of runs without pages, whether these aged or their scout went."""
        if self._screenshots is None:
            return 0
        taken = await asyncio.to_thread(self._screenshots.executions)
        gone: list[UUID] = []
        for at in range(0, len(taken), retention.BATCH):
            some = taken[at : at + retention.BATCH]
            kept = set(await pages.kept_of(self._db, some))
            gone += [each for each in some if each not in kept]
        return await to_the_end(asyncio.to_thread(self._screenshots.forget, gone))

    async def _prune(self, what: Prunable, before: datetime) -> int:
        total = 0
        while True:
            done = await retention.prune(self._db, what, before)
            total += done
            if done < retention.BATCH:
                return total

    async def _prune_runs(self, before: datetime) -> int:
        await marks.put(self._db, Mark(name=KEPT_SINCE, at=before))
        total = 0
        while True:
            runs, _ = await retention.prune_runs(self._db, before)
            if not runs:
                return total
            total += runs
