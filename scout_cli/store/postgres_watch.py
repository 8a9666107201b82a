"""Notices that a transaction with changes was committed to a PostgreSQL database."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import asyncpg

from scout_cli.store.finishing import to_the_end

LOG = logging.getLogger("scout.watch")

_CHANNEL = "scout_changes"
_CONNECT_SECONDS = 10.0
_PAUSES = (0.1, 0.25, 0.5, 1.0, 2.0)
"""Seconds between two tries to connect again; the last one repeats."""


class PostgresWatch:
    """Listens on a connection of its own, and connects again when that is lost.

    A notice says only that it is worth looking: after a lost connection it is, too.

    Args:
        dsn: where to connect.
        settings: of the session.
    """

    def __init__(self, dsn: str, settings: dict[str, str]) -> None:
        self._dsn = dsn
        self._settings = settings
        self._woken = asyncio.Event()
        self._task = asyncio.create_task(self._keep_listening(), name="scout-watch")

    async def wait(self, seconds: float) -> None:
        """Return when something may have been committed, at the latest after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    async def close(self) -> None:
        """Stop listening."""
        self._task.cancel()
        await to_the_end(asyncio.wait({self._task}))

    async def _keep_listening(self) -> None:
        tried = 0
        while True:
            try:
                await self._listen()
                tried = 0
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                LOG.warning("lost the connection that listens for changes: %s", error)
            await asyncio.sleep(_PAUSES[min(tried, len(_PAUSES) - 1)])
            tried += 1

    async def _listen(self) -> None:
        """Listen until the connection is lost."""
        connection = await asyncpg.connect(
            self._dsn, timeout=_CONNECT_SECONDS, server_settings=self._settings
        )
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(_CHANNEL, self._told)
            self._woken.set()  # whatever was committed before is not announced again
            await lost.wait()
        finally:
            await to_the_end(_close(connection))

    def _told(self, *_: Any) -> None:
        self._woken.set()


async def _close(connection: Any) -> None:
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        await connection.close(timeout=2.0)
