"""How many requests are being answered: a server that stops waits for them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import web


class UnderWay:
    """Counts requests between their header and the end of their answer: a block for each."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def __enter__(self) -> None:
        """Count one more."""
        self._count += 1
        self._none.clear()

    def __exit__(self, *_: object) -> None:
        """Count one less."""
        self._count -= 1
        if not self._count:
            self._none.set()

    async def settle(self, seconds: float) -> None:
        """Wait until none is under way, so long at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._none.wait()


UNDER_WAY: web.AppKey[UnderWay] = web.AppKey("UNDER_WAY", UnderWay)
