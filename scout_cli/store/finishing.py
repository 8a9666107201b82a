"""Work that must end before a cancellation may go on: commits and roll-backs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def to_the_end(work: Awaitable[T]) -> T:
    """Await `work` wholly, even when the caller is cancelled meanwhile, then let that go on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            # Looked at, so that asyncio does not report it as forgotten: the cancellation goes on.
            task.exception()
        raise
