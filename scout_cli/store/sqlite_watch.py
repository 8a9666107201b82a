"""Notices that a transaction of any process was committed to an SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from scout_cli.store.finishing import to_the_end

_INTERVAL = 0.03
"""Seconds between two looks; one look costs some microseconds and reads no page of the file."""


class SqliteWatch:
    """Looks at `PRAGMA data_version` on a connection that does nothing else.

    A thread of its own looks, so that the event loop is not woken when nothing happens.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._look, name="scout-watch", daemon=True)
        self._thread.start()

    async def wait(self, seconds: float) -> None:
        """Return when something may have been committed, at the latest after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    async def close(self) -> None:
        """Stop looking."""
        self._gone.set()
        await to_the_end(asyncio.to_thread(self._thread.join))

    def _look(self) -> None:
        while not self._gone.is_set():
            try:
                self._follow()
            except sqlite3.Error:
                # A file that cannot be read is told by whoever reads the changes.
                self._wake()
                self._gone.wait(1.0)

    def _follow(self) -> None:
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=1.0)) as connection:
            seen = -1
            while not self._gone.wait(_INTERVAL):
                (version,) = connection.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    self._wake()

    def _wake(self) -> None:
        if not self._gone.is_set():
            self._loop.call_soon_threadsafe(self._woken.set)
