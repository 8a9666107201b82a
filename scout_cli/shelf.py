"""Things that are opened when they are first asked for, and closed together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Shelf:
    """Keeps what is open, by name; what was opened last is closed first."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._things: dict[str, Any] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, name: str, opener: Callable[[], Awaitable[T]]) -> T:
        """Return the thing of this name, opening it the first time.

        Whoever asks meanwhile waits; an opener may ask for other things.
        """
        if name not in self._things:
            async with self._locks[name]:
                if name not in self._things:
                    self._things[name] = await opener()
        thing: T = self._things[name]
        return thing

    def closing(self, close: Callable[[], Awaitable[object]]) -> None:
        """Call `close` at the end."""
        self._stack.push_async_callback(close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
