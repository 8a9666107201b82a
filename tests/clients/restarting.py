"""A server that goes away and comes back under the same address, as after an update."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.server.application import create
from scout_cli.server.running import LogListener, Place, Running, listening, serve


class Restarting:
    """A server that can be started again.

    Args:
        settings: of the server.
        runs: also run what is due, as `scout serve` does.
    """

    def __init__(self, settings: Settings, *, runs: bool = False) -> None:
        self._settings = settings
        self._runs = runs
        self._stack = AsyncExitStack()
        self.place = Place(host="127.0.0.1", port=0)

    @property
    def url(self) -> str:
        """Return its root."""
        return self.place.url

    async def start(self) -> None:
        """Serve."""
        app = await self._stack.enter_async_context(App.open(self._settings))
        await app.database()
        running = await self._stack.enter_async_context(listening(create(app), self.place))
        if self._runs:
            await self._stack.enter_async_context(_running(app, running))
        self.place = running.place

    async def stop(self, _: Any = None) -> None:
        """Serve no more."""
        await self._stack.aclose()

    async def restart(self, _: Any = None) -> dict[str, str]:
        """Stop, and serve again; return where."""
        await self.stop()
        await self.start()
        return {"url": self.url}


@asynccontextmanager
async def _running(app: App, running: Running) -> Any:
    worker = await app.worker(LogListener(), stays=True)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(running, worker, stop))
        yield
        stop.set()
