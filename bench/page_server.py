"""The web of `fetching.py`: pages of 19 KB that take 50 ms, with ETag and Last-Modified.

It lives in a process of its own, so that its work is not counted as a client's, and counts what it
was asked. A change of version alters every tenth page.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection
from typing import Self

from aiohttp import web

LATENCY_SECONDS = 0.05
PAGE_BYTES = 19_000
CHANGED = 10
"""Every how-manieth page a new version alters."""

_BEGINNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
_WORDS = (
    "the ferry council bridge harbour reported opened measured between several winter engineers "
    "night crossing service passengers tickets announced valley repair season island north budget "
    "station morning traffic after before during weather channel captain public voted line school"
).split()


@dataclass
class Answered:
    """What the server saw of one round."""

    full: int = 0
    """Answers of 200, with a page."""
    unmodified: int = 0
    """Answers of 304."""
    at_once: int = 0
    """The most requests that were waiting at the same time."""
    began: float = 0.0
    ended: float = 0.0
    """First request and last answer, in seconds of the monotonic clock."""

    @property
    def seconds(self) -> float:
        """Return the time from the first request to the last answer."""
        return self.ended - self.began


class PageServer:
    """Pages in another process; enter it to start them.

    Args:
        pages: how many; they lie at `/page/0` and so on, at `port`.
    """

    def __init__(self, pages: int) -> None:
        self._pages = pages

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._pages), daemon=True)
        self._process.start()
        self.port: int = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self._pipe.send("end")
        self._process.join(10)

    def change(self) -> None:
        """Put the next version of the pages up: every tenth is another, never the same twice."""
        self._pipe.send("change")
        self._pipe.recv()

    def answered(self) -> Answered:
        """Return what was asked and answered since the last call."""
        self._pipe.send("answered")
        return self._pipe.recv()


def html(number: int, version: int) -> str:
    """Return a page as news sites have them: a bar, an article, a foot; about 19 KB."""
    choose = random.Random(f"{number}/{version}")
    said = [f"Bulletin {version} of page {number}."]
    while sum(map(len, said)) < PAGE_BYTES - 2_300:
        said.append(" ".join(choose.choices(_WORDS, k=14)).capitalize() + ".")
    parts = [" ".join(said[at : at + 5]) for at in range(0, len(said), 5)]
    links = "".join(
        f'<li><a href="/page/{n}">Page {n}</a></li>' for n in range(number, number + 24)
    )
    article = "\n".join(f"<p>{part}</p>" for part in parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Page {number}</title>'
        f"</head><body><nav><ul>{links}</ul></nav>\n<main><article><h1>Page {number}</h1>\n"
        f"{article}\n</article></main><footer>Printed on recycled bytes.</footer></body></html>"
    )


def _serve(pipe: Connection, pages: int) -> None:
    asyncio.run(_Site(pipe, pages).run())


class _Site:
    def __init__(self, pipe: Connection, pages: int) -> None:
        self._pipe = pipe
        self._version = 0
        self._since = [0] * pages
        self._bodies = [html(number, 0).encode() for number in range(pages)]
        self._answered = Answered()
        self._now = 0

    async def run(self) -> None:
        application = web.Application()
        application.router.add_get("/page/{number}", self._page)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._pipe.send(runner.addresses[0][1])
        done, loop = asyncio.Event(), asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop, done), daemon=True).start()
        await done.wait()
        await runner.cleanup()

    def _listen(self, loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
        while (order := self._pipe.recv()) != "end":
            if order == "change":
                self._change()
            self._pipe.send(self._answered)
            self._answered = Answered()
        loop.call_soon_threadsafe(done.set)

    def _change(self) -> None:
        self._version += 1
        for number in range(self._version % CHANGED, len(self._since), CHANGED):
            self._since[number] = self._version
            self._bodies[number] = html(number, self._version).encode()

    async def _page(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        async with self._late():
            moment = _BEGINNING + timedelta(days=self._since[number])
        said = {
            "ETag": f'"{number}-{self._since[number]}"',
            "Last-Modified": format_datetime(moment, usegmt=True),
        }
        if _known(request, said["ETag"], moment):
            self._answered.unmodified += 1
            return web.Response(status=304, headers=said)
        self._answered.full += 1
        return web.Response(body=self._bodies[number], content_type="text/html", headers=said)

    @asynccontextmanager
    async def _late(self) -> AsyncIterator[None]:
        self._now += 1
        self._answered.began = self._answered.began or time.monotonic()
        self._answered.at_once = max(self._answered.at_once, self._now)
        await asyncio.sleep(LATENCY_SECONDS)
        yield
        self._answered.ended = time.monotonic()
        self._now -= 1


def _known(request: web.Request, etag: str, moment: datetime) -> bool:
    """Return whether the client has this version (RFC 9110, section 13.2.2)."""
    if (match := request.headers.get("If-None-Match")) is not None:
        return etag in match
    return request.if_modified_since is not None and request.if_modified_since >= moment
