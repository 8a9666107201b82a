"""Courtesy towards one host."""

from __future__ import annotations

import asyncio
from time import monotonic

from scout_cli.net.pace import Pace


async def test_a_host_is_asked_twice_at_once_at_most():
    """The third request to a host waits until one of two is done; another host does not wait."""
    pace, inside, leave = Pace(per_host=2, spacing=0), [], asyncio.Event()
    three = asyncio.Event()

    async def visit(host: str) -> None:
        async with pace.turn(host):
            inside.append(host)
            if len(inside) == 3:
                three.set()
            await leave.wait()

    async with asyncio.TaskGroup() as group:
        for host in ("a.test", "a.test", "a.test", "b.test"):
            group.create_task(visit(host))
        await three.wait()
        await asyncio.sleep(0)
        assert sorted(inside) == ["a.test", "a.test", "b.test"]
        leave.set()
    assert len(inside) == 4


async def test_starts_are_apart():
    """Requests to one host start at least the spacing apart."""
    pace, starts, before = Pace(per_host=5, spacing=0.03), [], monotonic()

    async def visit() -> None:
        async with pace.turn("a.test"):
            starts.append(monotonic())

    await asyncio.gather(*(visit() for _ in range(3)))
    # Not from one to the next: a busy machine notes the first one late.
    assert [start - before >= 0.03 * number for number, start in enumerate(starts)] == [True] * 3


async def test_a_host_that_asks_for_silence_gets_it():
    """What a host asked for is remembered, and other hosts are not affected."""
    pace = Pace(per_host=2, spacing=0)
    pace.hold_back("a.test", 60)
    assert 59 < pace.silence("a.test") <= 60
    assert pace.silence("b.test") == 0


async def test_a_cancelled_visit_gives_its_place_back():
    """Cancelling a request that waits does not use up the host's places."""
    pace = Pace(per_host=1, spacing=0)
    pace.hold_back("a.test", 60)
    waiting = asyncio.create_task(_visit(pace))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not pace._hosts["a.test"].slots.locked()


async def _visit(pace: Pace) -> None:
    async with pace.turn("a.test"):
        raise AssertionError
