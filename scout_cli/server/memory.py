"""The memory of a process that does nothing but serve, for months."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_NEW_OBJECTS = 10_000
"""Between two searches for garbage: some twenty pages of rows."""
_EVERY = 10.0
"""Seconds between two times that free memory is given back; it takes two milliseconds."""
_ARENA_MAX = -8
"""The parameter of mallopt(3)."""


def one_heap() -> None:
    """Let all threads share one heap, where glibc is; to be called before there are any.

    It would give each its own, and each keeps what it has freed. The interpreter lets one of them
    allocate at a time anyway.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(_ARENA_MAX, 1)


def settle() -> None:
    """Take what is open by now out of every later search for garbage: it stays until the end.

    Each page of rows is enough new objects to start such a search, and now and then one through all
    that was ever imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


@asynccontextmanager
async def giving_back() -> AsyncIterator[None]:
    """Search for garbage and hand free memory back to the system, again and again in the block.

    Python looks through objects that have lived for a while only once there are a quarter more of
    them, and glibc keeps what was freed between objects that stay.
    """
    task = asyncio.create_task(_keep_tidying())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_tidying() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    while True:
        await asyncio.sleep(_EVERY)
        gc.collect()
        if trim is not None:
            trim(0)
