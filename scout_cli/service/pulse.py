"""Signs of life for what is held by a lease, and the end of the work that has lost it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from scout_cli.core.ports import Clock
from scout_cli.errors import DatabaseUnavailable, FenceLost

T = TypeVar("T")

_BEATS = 4
"""Signs of life in the time of one lease."""
_AGAIN = 1.0
"""Seconds, at most, until a database that did not answer is asked again."""


async def while_held(
    work: Awaitable[T],
    renew: Callable[[], Awaitable[bool]],
    clock: Clock,
    lease: timedelta,
    what: str,
) -> T:
    """Do `work` while giving signs of life; losing the lease ends it at once.

    Args:
        work: what to do.
        renew: moves the end of the lease; raises `FenceLost` when it is somebody else's, and
            returns False when there is nothing left to hold.
        clock: tells how long this process has been silent, even stopped.
        lease: how long it holds without a sign of life.
        what: is held, for people.

    Raises:
        FenceLost: another process has taken it over, or this one was stopped or cut off from the
            database for longer than the lease.
    """
    task = asyncio.ensure_future(work)
    pulse = asyncio.create_task(_pulse(renew, clock, lease.total_seconds(), what))
    try:
        await asyncio.wait({task, pulse}, return_when=asyncio.FIRST_COMPLETED)
        if pulse.done() and not task.done():
            pulse.result()
        return await task
    finally:
        for each in (pulse, task):
            each.cancel()
        await asyncio.gather(pulse, task, return_exceptions=True)


async def _pulse(
    renew: Callable[[], Awaitable[bool]], clock: Clock, lease: float, what: str
) -> None:
    last = clock.monotonic()
    wait = lease / _BEATS
    while True:
        await asyncio.sleep(wait)
        if clock.monotonic() - last > lease:
            raise FenceLost(
                f"{what} gave no sign of life for {lease:g} s and was let go",
                hint="the machine slept, or the database was gone; the next tick goes on with it",
            )
        began = clock.monotonic()
        try:
            if not await renew():
                return
        except DatabaseUnavailable:
            wait = min(_AGAIN, lease / _BEATS)
            continue
        last, wait = began, lease / _BEATS
