"""robots.txt from run to run: each run that cron starts is a process, which would ask anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from scout_cli.core.ports import Clock
from scout_cli.net.robots import KEPT_SECONDS, Kept
from scout_cli.store import robots
from scout_cli.store.database import Connection


class KeptRobots:
    """Keeps the files of sites in the database; a `net.robots.Shelf`.

    Args:
        database: opens it, when the first page is read.
        clock: ages them.
    """

    def __init__(self, database: Callable[[], Awaitable[Connection]], clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get(self, origin: str) -> Kept | None:
        """Return what a site said; how old that is, the caller judges."""
        mark = await robots.get(await self._database(), origin)
        if mark is None:
            return None
        return Kept(text=mark.detail, age=(self._clock.now() - mark.at).total_seconds())

    async def put(self, origin: str, text: str) -> None:
        """Keep what a site said now; what is too old to be used is forgotten."""
        now = self._clock.now()
        older = now - timedelta(seconds=KEPT_SECONDS)
        await robots.put(await self._database(), origin, text, at=now, older_than=older)
