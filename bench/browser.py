"""Pages that only their scripts make readable: pages a minute and memory of 1, 2 and 4 browsers.

The page lies on this machine: a shell of 1 KB, a script, and 12 KB of JSON that becomes its text.
Every page goes through scout's own fetcher whole (guard, filtering proxy, Crawl4AI with Chromium,
reading child), each in a fresh context. Beside it stands the same text as plain HTML, fetched and
read without a browser, in the same run. Memory is what the processes hold for themselves: of all
browsers together with the children that drive them, at its highest.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from measure import Row, options, show

from scout_cli.core.ports import FetchRequest
from scout_cli.fetch import OpenFetcher, groups, launching, open_fetcher
from scout_cli.fetch.show import Show
from scout_cli.net.sessions import Sessions
from tests.pages import PageServer, article

BROWSERS = (1, 2, 4)
PAGES, SHORT_PAGES = 40, 8
GOAL_MB = 700.0
"""One browser with its drivers: what the settings page promises, and a sixth."""
STORY = [
    f"Sentence number {n} of this story says what happened in town on day {n}." for n in range(150)
]


def main() -> int:
    """Measure and print."""
    given = options(__doc__)
    program = launching.find(Path.home())
    if program is None:
        sys.stderr.write("no Chromium on this machine\n")
        return 1
    pages = SHORT_PAGES if given.short else PAGES
    rows = asyncio.run(_measure(pages))
    return show("Pages that need a browser", rows, as_json=given.json, pages=pages)


async def _measure(pages: int) -> list[Row]:
    rows: list[Row] = []
    async with PageServer() as server:
        plain, scripted = _serve(server)
        async with _fetcher(server, 1) as fetcher:
            seconds, _ = await _round(fetcher, plain, 10 * pages, at_once=4)
        rows.append(_rate("plain HTTP, 4 at once", 10 * pages, seconds))
        for number in BROWSERS:
            async with _fetcher(server, number) as fetcher:
                await _round(fetcher, scripted, number, at_once=number)  # started, and warm
                seconds, peak = await _round(fetcher, scripted, pages, at_once=number)
            rows.append(_rate(f"browser, {number} at once", pages, seconds))
            goal = GOAL_MB if number == 1 else None
            what = f"memory of {number} browser{'s' if number > 1 else ''}"
            rows.append(Row(what=what, value=peak / 1e6, unit="MB", goal=goal))
    return rows


def _rate(what: str, pages: int, seconds: float) -> Row:
    return Row(what=what, value=60 * pages / seconds, unit="pages/min")


def _serve(server: PageServer) -> tuple[str, str]:
    plain = server.serve("/plain", article("A day in town", *STORY))
    server.serve("/data.json", json.dumps(STORY), kind="application/json")
    server.serve(
        "/app.js",
        """fetch("/data.json").then(r => r.json()).then(lines => {
        document.getElementById("root").innerHTML =
          "<main><h1>A day in town</h1>" + lines.map(l => `<p>${l}</p>`).join("") + "</main>" })""",
        kind="text/javascript",
    )
    shell = """<!doctype html><html><head><title>A day in town</title></head><body>
    <div id="root"></div><noscript>You need to enable JavaScript.</noscript>
    <script src="/app.js"></script></body></html>"""
    return plain, server.serve("/shell", shell)


@asynccontextmanager
async def _fetcher(server: PageServer, browsers: int) -> AsyncIterator[OpenFetcher]:
    async with Sessions(server.guard(), "scout/bench", per_host=16, spacing=0) as sessions:
        fetcher = open_fetcher("crawl4ai://auto", sessions, show=Show(at_once=browsers))
        try:
            await fetcher.warm_up()
            yield fetcher
        finally:
            await fetcher.close()


async def _round(fetcher: OpenFetcher, url: str, pages: int, *, at_once: int) -> tuple[float, int]:
    """Fetch a page so many times; return the seconds, and the highest memory of the browsers."""
    places, peak = asyncio.Semaphore(at_once), 0

    async def one() -> None:
        async with places:
            page = await fetcher.fetch(FetchRequest(url=url))
        assert page.outcome == "read", page.detail
        assert STORY[-1] in page.text

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, await asyncio.to_thread(_memory))
            await asyncio.sleep(0.25)

    watching = asyncio.create_task(watch())
    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(pages)))
    seconds = time.perf_counter() - began
    watching.cancel()
    return seconds, peak


def _memory() -> int:
    folders = Path(tempfile.gettempdir()).glob("scout-browser-*")
    return groups.memory(*(group for folder in folders for group in groups.recorded(folder)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sb-", ignore_cleanup_errors=True) as place:
        tempfile.tempdir = place  # so that no other scout's browsers are counted
        sys.exit(main())
