"""Several browsers, so that pages are shown side by side; those that nobody needs are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from scout_cli.fetch.browser import Browser, BrowserFailed
from scout_cli.fetch.wire import Rendered
from scout_cli.net.traffic import Traffic


class Browsers:
    """Some browsers, each started when the others are busy.

    Args:
        make: makes one, not yet started.
        limit: how many at once.
        idle: seconds after which those that nobody needs are closed.
    """

    def __init__(self, make: Callable[[], Browser], *, limit: int = 1, idle: float = 60.0) -> None:
        self._make = make
        self._idle = idle
        self._places = asyncio.Semaphore(limit)
        self._free: list[Browser] = []
        self._all: list[Browser] = []
        self._tiring: asyncio.Task[None] | None = None
        self._closed = False

    async def render(self, url: str, *, language: str = "") -> tuple[Rendered, Traffic]:
        """Show one page; see `Browser.render`."""
        async with self._places:
            await self._stay_awake()
            browser = self._free.pop() if self._free else self._another()
            try:
                return await browser.render(url, language=language)
            finally:
                self._free.append(browser)
                if len(self._free) == len(self._all) and not self._closed:
                    self._tiring = asyncio.create_task(self._tire())

    async def close(self) -> None:
        """End all of them."""
        self._closed = True
        await self._stay_awake()
        await asyncio.gather(*(browser.close() for browser in self._all))

    def _another(self) -> Browser:
        if self._closed:
            raise BrowserFailed("absent", "the browser is closed")
        browser = self._make()
        self._all.append(browser)
        return browser

    async def _tire(self) -> None:
        await asyncio.sleep(self._idle)
        await asyncio.gather(*(browser.rest() for browser in self._all))

    async def _stay_awake(self) -> None:
        tiring, self._tiring = self._tiring, None
        if tiring is not None:
            tiring.cancel()
            with suppress(asyncio.CancelledError):
                await tiring
