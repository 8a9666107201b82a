"""The world of `overhead.py`: a model, a search engine and pages that take a known time.

It lives in a process of its own, so that its work is not counted as scout's, and it remembers when
it kept its callers waiting.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import threading
import time
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Self

from aiohttp import web
from measure import ROOT

from scout_cli.core import extractive, shape
from tests.ollama_server import OllamaServer, Says, prompt_of

assert ROOT

HOSTS = [f"site-{number}.example" for number in range(1, 9)]
PLAN_SECONDS, MODEL_SECONDS, SEARCH_SECONDS, PAGE_SECONDS = 3.0, 0.1, 0.2, 0.2

_PAGE = re.compile(r"^page-[0-9a-f]+$(.*)^page-[0-9a-f]+$", re.DOTALL | re.MULTILINE)
_GOAL = re.compile(r"(?:wants to know|Their wish|to be told):\n\n(.*)")
_FACT = re.compile(r"^((?:\[S\d+\])+) (.*)$", re.MULTILINE)
_LISTED = re.compile(r"^- (.*)$", re.MULTILINE)


def reply(body: dict) -> str:
    """Answer as a model without ideas of its own would, and correctly.

    Queries are the goal's own words, facts are sentences of the page, the brief lists the facts.
    """
    wanted, prompt = (body.get("format") or {}).get("properties", {}), prompt_of(body)
    goal = found[1] if (found := _GOAL.search(prompt)) else ""
    if "facts" in wanted:
        page = found[1] if (found := _PAGE.search(prompt)) else ""
        best = [excerpt.sentence for excerpt in extractive.excerpts(page, goal, limit=5)]
        answer = {"facts": [{"fact": s[:300], "quote": s, "date": ""} for s in best]}
    elif "queries" in wanted:
        named = {"title": extractive.title(goal), "description": goal[:240]}
        queries = extractive.queries(goal, count=3)
        answer = {**{key: named[key] for key in wanted if key in named}, "queries": queries}
    elif "items" in wanted:
        answer = {"items": [f"{fact[:300]} {cited}" for cited, fact in _FACT.findall(prompt)][:12]}
    elif "sentence" in wanted:
        answer = {"sentence": _LISTED.findall(prompt)[0][:150]}
    elif wanted:
        answer = {key: [] for key in wanted}
    else:
        return "done"
    return shape.encode(answer).decode()


class World:
    """Servers in another process.

    Enter it to start them; `urls` says where they are, `waits()` gives the spans, in seconds of
    the monotonic clock, in which a caller was kept waiting since the last call.
    """

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        self.urls: dict[str, str] = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("end")
        self._process.join(10)

    def waits(self) -> list[tuple[float, float]]:
        """Return the spans since the last call."""
        self._pipe.send("waits")
        return self._pipe.recv()


def waited(spans: list[tuple[float, float]], begin: float, end: float) -> float:
    """Return the seconds between `begin` and `end` that lie in at least one span."""
    total, reached = 0.0, begin
    for start, stop in sorted(spans):
        total += max(0.0, min(stop, end) - max(start, reached))
        reached = max(reached, min(stop, end))
    return total


def _serve(pipe: Connection) -> None:
    asyncio.run(_Servers(pipe).run())


class _Servers:
    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._spans: list[tuple[float, float]] = []
        self._port = 0

    async def run(self) -> None:
        application = web.Application()
        application.router.add_get("/search", self._search)
        application.router.add_get("/{path:.*}", self._page)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._port = runner.addresses[0][1]
        async with OllamaServer(self._model) as ollama:
            self._pipe.send({"web": f"127.0.0.1:{self._port}", "ollama": ollama.host})
            await self._until_the_end()
        await runner.cleanup()

    async def _until_the_end(self) -> None:
        done, loop = asyncio.Event(), asyncio.get_running_loop()

        def listen() -> None:
            while self._pipe.recv() == "waits":
                self._pipe.send(list(self._spans))
                self._spans.clear()
            loop.call_soon_threadsafe(done.set)

        threading.Thread(target=listen, daemon=True).start()
        await done.wait()

    def _model(self, body: dict) -> Says:
        planning = "queries" in ((body.get("format") or {}).get("properties") or {})
        seconds = PLAN_SECONDS if planning else MODEL_SECONDS
        began = time.monotonic()  # what the stand-in needs to think is no cost of scout's either
        text = reply(body)
        self._spans.append((began, time.monotonic() + seconds))
        return Says(text=text, pieces=[text], delay=seconds)

    async def _search(self, _: web.Request) -> web.Response:
        with self._span():
            await asyncio.sleep(SEARCH_SECONDS)
        found = [
            {"url": f"http://{host}:{self._port}/tunnel", "title": f"Tunnel news {host}"}
            for host in HOSTS
        ]
        return web.json_response({"results": found, "unresponsive_engines": []})

    async def _page(self, request: web.Request) -> web.Response:
        with self._span():
            await asyncio.sleep(PAGE_SECONDS)
        return web.Response(text=_html(request.host.partition(":")[0]), content_type="text/html")

    @contextmanager
    def _span(self):
        began = time.monotonic()
        yield
        self._spans.append((began, time.monotonic()))


def _html(host: str) -> str:
    number = int(host.removeprefix("site-").partition(".")[0])
    facts = (
        f"The Halvorsen tunnel opens section {number} on {number} May 2026 at noon.",
        f"The toll of section {number} of the Halvorsen tunnel is {number}.50 crowns per car.",
    )
    filler = "Engineers praised the weather, the coffee and the patience of the neighbours. " * 4
    body = "\n".join(f"<p>{text}</p>" for text in (*facts, *[filler] * 12))
    return (
        f"<!doctype html><html lang=en><head><title>Tunnel {host}</title></head><body>"
        f"<nav><a href=/>Home</a></nav><main><h1>Tunnel {number}</h1>{body}</main></body></html>"
    )
