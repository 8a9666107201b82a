"""What changes in the database, told to everybody in this process who watches.

One reader for all, whoever wrote: this process or another one. It reads only while somebody
watches. What a watcher does not fetch in time is dropped, and the watcher is told to start anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from scout_cli.errors import DatabaseUnavailable, Unavailable
from scout_cli.service.subscription import QUEUE, Item, Reset, Subscription, Told, Wanted
from scout_cli.store import changed_rows
from scout_cli.store import changes as log
from scout_cli.store.changed_rows import RowNow
from scout_cli.store.changes import Change, Position
from scout_cli.store.database import Database, Watch

LOG = logging.getLogger("scout.feed")

_PIECE = 500
"""Changes of one read."""
_LOOK_SECONDS = 5.0
"""Between two looks when nothing wakes the reader, such as behind a proxy that keeps notices."""
_HELD_UP = (0.01, 0.25)
"""Seconds until the next look while an older transaction holds changes up, first and longest."""
_PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0)
"""Seconds until the next try while the database is away; the last one repeats."""


class Feed:
    """Tells of changes in one database.

    Args:
        db: the database; it stays open longer than this.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._watchers: defaultdict[UUID | None, set[Subscription]] = defaultdict(set)
        self._position = Position(0, 0)
        self._reader: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    @asynccontextmanager
    async def subscribe(
        self,
        user_id: UUID | None = None,
        *,
        tables: Collection[str] = (),
        execution_id: UUID | None = None,
        scout_id: UUID | None = None,
        after: str = "",
        records: bool = False,
        most: int = QUEUE,
    ) -> AsyncIterator[Subscription]:
        """Hear of every change that is committed from now on.

        What was committed just before may be heard of too.

        Args:
            user_id: whose rows; None for everybody's.
            tables: rows of these; empty for all.
            execution_id: only what belongs to this run.
            scout_id: only what names this scout.
            after: a cursor of an earlier subscription; what came after it comes first.
            records: add the rows as they are.
            most: changes that wait for it at the most, before it must start anew.

        Raises:
            InvalidInput: `after` was never given out.
            Unavailable: the database does not answer, or the feed is closed.
        """
        wanted = Wanted(
            user_id=user_id,
            tables=frozenset(tables),
            execution_id=execution_id,
            scout_id=scout_id,
            records=records,
        )
        start = log.position_of(after) if after else None
        async with self._opening:
            reached = await self._started()
            # Nothing is awaited in between: from `reached` on, the reader brings what is new.
            watcher = Subscription(wanted, max(reached, start or reached), most)
            self._watchers[user_id].add(watcher)
        try:
            if start is not None:
                watcher.precede(await self._missed(wanted, start, reached))
            yield watcher
        finally:
            await self._leave(watcher)

    async def close(self) -> None:
        """End every subscription."""
        self._closed = True
        self._end_all()
        await self._stop()

    async def _started(self) -> Position:
        """Return how far the reader is, starting it if nobody watched so far."""
        if self._closed:
            raise Unavailable("the server is stopping")
        if self._reader is None:
            self._position = await log.newest(self._db)
            self._reader = asyncio.create_task(self._read_on(), name="scout-feed")
        return self._position

    async def _leave(self, watcher: Subscription) -> None:
        user_id = watcher.wanted.user_id
        self._watchers[user_id].discard(watcher)
        if not self._watchers[user_id]:
            del self._watchers[user_id]
        if not self._watchers:
            await self._stop()

    async def _stop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.wait({reader})

    async def _missed(self, wanted: Wanted, start: Position, reached: Position) -> list[Item]:
        """Return what is wanted of the changes after `start` and up to `reached`."""
        if not await log.is_kept(self._db, start):
            return [Reset(cursor=str(reached), why="retention")]
        missed: list[Change] = []
        more = start < reached
        while more:
            read = await log.after(
                self._db, start, _PIECE, user_id=wanted.user_id, tables=wanted.tables
            )
            known = [each for each in read.changes if each.position <= reached]
            missed += [each for each in known if wanted.takes(each)]
            if len(missed) > QUEUE:
                return [Reset(cursor=str(reached), why="overflow")]
            more = read.more and len(known) == len(read.changes)
            start = known[-1].position if known else start
        rows = await changed_rows.rows_of(self._db, missed) if wanted.records else {}
        return [_told(change, rows) for change in missed]

    async def _read_on(self) -> None:
        """Read for as long as somebody watches."""
        watch = self._db.watch()
        try:
            await self._follow(watch)
        except Exception:  # those who watch would wait for ever
            self._end_all()
            raise
        finally:
            await watch.close()

    async def _follow(self, watch: Watch) -> None:
        away, held_up = 0, 0.0
        while True:
            try:
                if away:
                    await self._check_kept()
                late = await self._read()
            except DatabaseUnavailable as error:
                LOG.warning("cannot read what changed: %s", error)
                await asyncio.sleep(_PAUSES[min(away, len(_PAUSES) - 1)])
                away += 1
                continue
            away = 0
            held_up = min(held_up * 1.5 or _HELD_UP[0], _HELD_UP[1]) if late else 0.0
            await watch.wait(held_up or _LOOK_SECONDS)

    async def _read(self) -> bool:
        """Tell of everything that is new; return whether something is held up."""
        while True:
            read = await log.after(self._db, self._position, _PIECE)
            wanted = [(each, self._takers(each)) for each in read.changes]
            shown = [
                change for change, takers in wanted if any(one.wanted.records for one in takers)
            ]
            rows = await changed_rows.rows_of(self._db, shown)
            if read.changes:
                self._position = read.changes[-1].position
            for change in read.changes:
                # Asked again: somebody may have come, or gone, meanwhile.
                for watcher in self._takers(change):
                    watcher.put(_told(change, rows if watcher.wanted.records else {}))
            if not read.more:
                return read.held_up

    async def _check_kept(self) -> None:
        """After the database was away: tell everybody to start anew if the log went on without."""
        if await log.is_kept(self._db, self._position):
            return
        self._position = await log.newest(self._db)
        for watcher in self._all():
            watcher.reset(self._position)

    def _takers(self, change: Change) -> list[Subscription]:
        near = (self._watchers.get(each, ()) for each in (change.user_id, None))
        return [one for some in near for one in some if one.wanted.takes(change)]

    def _all(self) -> list[Subscription]:
        return [each for some in self._watchers.values() for each in some]

    def _end_all(self) -> None:
        for watcher in self._all():
            watcher.end()


def _told(change: Change, rows: Mapping[str, RowNow]) -> Told:
    return Told(cursor=str(change.position), change=change, record=rows.get(change.row_id))
