"""Browsers and those who started them are killed at any moment: nothing of them is left."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from scout_cli.fetch import scratch
from scout_cli.fetch.browser import Browser, BrowserFailed
from scout_cli.fetch.browsers import Browsers
from scout_cli.fetch.show import Bounds
from tests import browsers
from tests.chaos.harness import Outcome
from tests.pages import PageServer

pytestmark = pytest.mark.chaos

_ROOT = Path(__file__).resolve().parents[2]
_SENTENCE = "The bridge over the river opens in March, the town council of Lindental said."
_PAGE = f"""<!doctype html><html><head><title>Shop</title></head><body><div id="root"></div>
<noscript>You need to enable JavaScript.</noscript><script>
document.getElementById("root").innerHTML = "<p>{_SENTENCE}</p>"</script></body></html>"""


async def page_loads(seed: int, *, loads: int, kills: int) -> Outcome:
    """Show pages, two at once, while processes of the browsers die at random moments.

    Args:
        seed: of the moments and the victims.
        loads: pages to show.
        kills: SIGKILLs on the way; a few more than needed find nobody.
    """
    chance = random.Random(seed)
    began, counted = time.monotonic(), Counter[str]()
    with browsers.own_place() as place:
        async with PageServer() as server:
            url = server.serve("/shop", _PAGE)
            program = browsers.chromium()

            def make() -> Browser:
                bounds = Bounds(pages=20)
                return Browser(server.guard(), browsers.AGENT, program, bounds=bounds)

            shown = Browsers(make, limit=2)
            killer = asyncio.create_task(_kill(place, chance, kills, counted))
            waiting = [asyncio.create_task(_show(shown, url, counted)) for _ in range(loads)]
            await asyncio.gather(*waiting)
            killer.cancel()
            await asyncio.gather(killer, return_exceptions=True)
            for _ in range(2):  # nobody kills any more: both browsers work again
                await _show(shown, url, counted)
            await shown.close()
        left = await browsers.all_gone(place)
    known = counted["page"] + counted["lost"]
    return Outcome(
        test="browser kills",
        database="none",
        seed=seed,
        seconds=time.monotonic() - began,
        counts={"loads": loads + 2, "lost": 0, **counted},
        faults={
            "left behind": len(left),
            "other endings": loads + 2 - known,
            "without its text": counted.pop("without its text", 0),
        },
        details=left[:5],
    )


async def _show(shown: Browsers, url: str, counted: Counter[str]) -> None:
    try:
        rendered, _ = await shown.render(url)
    except BrowserFailed as failed:
        counted["lost"] += failed.kind in ("died", "absent", "killed")
        return
    counted[f"{rendered.ending} {rendered.detail[:60]}".strip()] += 1
    if rendered.ending == "page" and _SENTENCE.encode() not in rendered.html:
        counted["without its text"] += 1


async def _kill(place: Path, chance: random.Random, kills: int, counted: Counter[str]) -> None:
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.1, 2.5))
        if victims := sorted(browsers.processes(place)):
            with suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
                counted["killed"] += 1


async def parents(seed: int, *, times: int) -> Outcome:
    """End a scout that shows pages, again and again, each time at another moment.

    SIGTERM and SIGINT let it clean up; after SIGKILL its children do.
    """
    chance = random.Random(seed)
    began, counted, found = time.monotonic(), Counter[str](), list[str]()
    with browsers.own_place() as place:
        async with PageServer() as server:
            url = server.serve("/shop", _PAGE)
            browsers.chromium()
            for turn in range(times):
                number = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[turn % 3]
                async with _scout(url, server.port, place) as process:
                    await _shown_once(process, hurry=turn % 2 == 1, chance=chance)
                    process.send_signal(number)
                    await process.wait()
                left = await browsers.all_gone(place)
                counted[number.name] += 1
                found += [f"after {number.name}: {line}" for line in left]
        scratch.sweep()
    return Outcome(
        test="browser parents",
        database="none",
        seed=seed,
        seconds=time.monotonic() - began,
        counts={"ended": times, **counted},
        faults={"left behind": len(found)},
        details=found[:5],
    )


async def _shown_once(
    process: asyncio.subprocess.Process, *, hurry: bool, chance: random.Random
) -> None:
    """Wait for a page, or only for a moment in which the browser may just be starting."""
    assert process.stdout is not None
    if hurry:
        await asyncio.sleep(chance.uniform(0.5, 5.0))
        return
    line = await process.stdout.readline()
    assert line == b"read\n", line
    await asyncio.sleep(chance.uniform(0.0, 1.0))


@asynccontextmanager
async def _scout(url: str, port: int, place: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.chaos.browser_process", url, str(port)),
        cwd=_ROOT,
        env={**os.environ, "TMPDIR": str(place)},
        stdout=PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.timeout(300)
async def test_killed_browsers_leave_nothing():
    """F16, F32: 20 page loads under random kills: all end, few are lost, and nothing is left."""
    outcome = await page_loads(20261121, loads=20, kills=8)
    assert not any(outcome.faults.values()), outcome.line
    assert outcome.counts["killed"] >= 4
    assert outcome.counts["lost"] <= 2


@pytest.mark.timeout(300)
async def test_a_scout_that_ends_takes_its_browser_along():
    """F32: SIGKILL, SIGTERM and SIGINT at any moment: 0 processes, 0 temporary profiles."""
    outcome = await parents(20261121, times=6)
    assert not any(outcome.faults.values()), outcome.line


async def test_the_next_start_ends_what_a_killed_pair_left():
    """F32: when parent and child die together, the next start sweeps up.

    It removes the folder, and ends a browser that hangs in spite of its closed pipe.
    """
    with browsers.own_place() as place:
        async with PageServer() as server:
            url = server.serve("/shop", _PAGE)
            browsers.chromium()
            async with _scout(url, server.port, place) as process:
                await _shown_once(process, hurry=False, chance=random.Random(1))
                main = browsers.main_process(place)
                os.kill(main, signal.SIGSTOP)  # it will not notice that its pipe is closed
                child = next(
                    pid
                    for pid, command in browsers.processes(place).items()
                    if "browser_child" in command
                )
                os.kill(child, signal.SIGSTOP)
                process.kill()
                await process.wait()
                os.kill(child, signal.SIGKILL)
        assert main in browsers.processes(place)
        await asyncio.to_thread(scratch.sweep)
        assert await browsers.all_gone(place) == []
