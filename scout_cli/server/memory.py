"""The memory of a process that does nothing but serve, for months."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_NEW_OBJECTS = 10_000
"""Between two searches for garbage: some twenty pages of rows."""
_EVERY = 30.0
"""Seconds between two times that free memory is given back; it takes a few milliseconds."""


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
    """Hand free memory back to the system inside the block, where the C library can.

    Between objects that stay, glibc keeps what requests leave behind, and its heap grows by some
    megabytes in the first hours though nothing more is in it.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        yield
        return
    task = asyncio.create_task(_keep_trimming(trim))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_trimming(trim: ctypes._NamedFuncPointer) -> None:
    while True:
        await asyncio.sleep(_EVERY)
        trim(0)
