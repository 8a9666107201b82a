"""What works here and what does not: every part of an installation is tried, within bounds.

Three lanes run side by side. What would spoil each other's figures or needs the database stands in
one of them: database, model, embedder and page reader one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from scout_cli.core.ports import Clock
from scout_cli.service.checks import Check, Tell
from scout_cli.service.diagnosis.mending import make_private, mend
from scout_cli.service.diagnosis.subject import Bounds, Subject

__all__ = [
    "Bounds",
    "Subject",
    "examine",
    "examine_machine",
    "make_private",
    "mend",
    "place",
]

ORDER = (
    "configuration",
    "database",
    "invariants",
    "clock",
    "time zone",
    "model",
    "memory",
    "embedder",
    "embedding vectors",
    "search",
    "fetching",
    "browser",
    "schedule",
    "queue",
    "channel",
    "channels",
    "network guard",
)
"""How checks are sorted where the moment they ended does not matter, by the start of their name."""

Lane = Callable[[Tell], Awaitable[object]]


def place(name: str) -> tuple[int, str]:
    """Return where the check called `name` stands among the others, for sorting."""
    fitting = [at for at, start in enumerate(ORDER) if f"{name} ".startswith(f"{start} ")]
    return (fitting[0] if fitting else len(ORDER), name)


def examine(subject: Subject) -> AsyncGenerator[Check, None]:
    """Yield a check for every part, each as soon as it is finished; close it to end early."""
    bounds = subject.bounds
    lanes: list[Lane] = [
        lambda tell: _inside(subject, tell),
        lambda tell: _search(subject, tell),
        lambda tell: _around(subject.timezone, subject.clock, subject.private, bounds, tell),
    ]
    return _together(lanes)


def examine_machine(
    zone: Callable[[], str], clock: Clock, bounds: Bounds | None = None
) -> AsyncGenerator[Check, None]:
    """Yield the checks that need no settings, for when those cannot be read.

    Args:
        zone: returns this machine's time zone.
        clock: tells the time.
        bounds: in seconds.
    """
    limits, closed = bounds or Bounds(), False
    return _together([lambda tell: _alone(zone, clock, closed, limits, tell)])


async def _inside(subject: Subject, tell: Tell) -> None:
    from scout_cli.service.diagnosis import (  # noqa: PLC0415 - a broken setting needs none of them
        browsing,
        channels,
        embedding,
        invariants,
        looking,
        spreading,
        storage,
        thinking,
        timetable,
    )

    database = await storage.examine(subject, tell)
    await invariants.examine(subject, database, tell)
    await storage.clock(subject, database, tell)
    await timetable.examine(subject, database, tell)
    await spreading.examine(subject, database, tell)
    await channels.examine(subject, database, tell)
    await thinking.examine(subject, database, tell)
    await embedding.examine(subject, database, tell)
    await looking.reader(subject, tell)
    await browsing.examine(subject, tell)


async def _search(subject: Subject, tell: Tell) -> None:
    from scout_cli.service.diagnosis import looking  # noqa: PLC0415 - see above

    await looking.search(subject, tell)


async def _around(
    zone: Callable[[], str],
    clock: Clock,
    private: bool | tuple[str, ...],  # noqa: FBT001 - the setting has this shape
    bounds: Bounds,
    tell: Tell,
) -> None:
    from scout_cli.service.diagnosis import machine  # noqa: PLC0415 - see above

    await machine.time_zone(zone, clock, bounds.local, tell)
    await machine.guard(private, bounds.local, tell)


async def _alone(
    zone: Callable[[], str],
    clock: Clock,
    private: bool | tuple[str, ...],  # noqa: FBT001 - the setting has this shape
    bounds: Bounds,
    tell: Tell,
) -> None:
    from scout_cli.service.diagnosis import browsing  # noqa: PLC0415 - see above

    await _around(zone, clock, private, bounds, tell)
    await browsing.present(bounds.browser, tell)


async def _together(lanes: Sequence[Lane]) -> AsyncGenerator[Check, None]:
    """Yield what the lanes tell; when the reader goes away, they end."""
    told: asyncio.Queue[Check | None] = asyncio.Queue()
    work = asyncio.create_task(_run(lanes, told))
    try:
        while (check := await told.get()) is not None:
            yield check
        await work
    finally:
        work.cancel()
        await asyncio.wait({work})


async def _run(lanes: Sequence[Lane], told: asyncio.Queue[Check | None]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(_driven(lane, told.put_nowait))
    finally:
        told.put_nowait(None)


async def _driven(lane: Lane, tell: Tell) -> None:
    await lane(tell)
