"""Search engines over real HTTP on loopback: result pages as ddgs reads them, JSON as SearXNG's.

    async with SearchServer(lambda asked: duckduckgo_page(asked.query, FOUND)) as server:
        DdgsSearch(["duckduckgo"], sessions, bases={"duckduckgo": server.url})

A script gets what was asked and returns a body, or a `Serves` for everything that can go wrong.
"""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Found:
    """One result."""

    url: str
    title: str = "A title"
    snippet: str = "A few words about it."


FOUND = (
    Found(url="https://news.example/ferry", title="Ferry line reopens", snippet="From 14 March."),
    Found(url="https://other.example/a?b=1&c=2", title="Tickets", snippet="They cost more."),
)


@dataclass(frozen=True, kw_only=True)
class Serves:
    """One answer, good or bad."""

    body: str | bytes = ""
    status: int = 200
    kind: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    """Say nothing until the client goes away."""
    drop: bool = False
    """Cut the connection instead of answering."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One search that arrived."""

    path: str
    fields: dict[str, str]
    headers: dict[str, str]

    @property
    def query(self) -> str:
        """Return the words of the search, whatever the engine calls the field."""
        named = (self.fields.get(name) for name in ("q", "query", "p"))
        return next((words for words in named if words), "")


Script = Callable[[Asked], str | bytes | Serves]


class SearchServer:
    """A search engine on a free port of the loopback address; every path is a search."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.arrived = asyncio.Event()
        self.left = asyncio.Event()
        """A client went away before it was answered."""
        self._port = 0
        self._transports: set[asyncio.Transport] = set()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for transport in self._transports:
            transport.abort()
        await self._runner.cleanup()

    @property
    def host(self) -> str:
        """Return `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Return the root of the server."""
        return f"http://{self.host}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._transports.add(request.transport)
        fields = {name: str(value) for name, value in (await request.post()).items()}
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(path=request.path, fields={**request.query, **fields}, headers=headers)
        self.asked.append(asked)
        self.arrived.set()
        answer = self.script(asked)
        serves = answer if isinstance(answer, Serves) else Serves(body=answer)
        try:
            return await self._serve(request, serves)
        except (asyncio.CancelledError, ConnectionError):
            self.left.set()
            raise

    async def _serve(self, request: web.Request, serves: Serves) -> web.StreamResponse:
        if serves.hang:
            await asyncio.Event().wait()
        if serves.drop:
            assert request.transport
            request.transport.abort()
        body = serves.body.encode() if isinstance(serves.body, str) else serves.body
        headers = {"Content-Type": f"{serves.kind}; charset=utf-8", **serves.headers}
        return web.Response(body=body, status=serves.status, headers=headers)


def duckduckgo_page(query: str, found: Sequence[Found]) -> str:
    """Return a page as DuckDuckGo's plain HTML search writes it."""
    results = "".join(
        '<div class="result results_links"><div class="links_main result__body">'
        f'<h2 class="result__title">{one.title}</h2>'
        f'<a class="result__snippet" href="{html.escape(one.url)}">{one.snippet}</a></div></div>'
        for one in found
    )
    nothing = "" if found else '<div class="no-results">No results.</div>'
    return _page(query, results + nothing)


def mojeek_page(query: str, found: Sequence[Found]) -> str:
    """Return a page as Mojeek writes it."""
    results = "".join(
        f'<li><h2><a href="{html.escape(one.url)}">{one.title}</a></h2>'
        f'<p class="s">{one.snippet}</p></li>'
        for one in found
    )
    return _page(query, f'<ul class="results-standard">{results}</ul>')


def challenge_page(query: str) -> str:
    """Return a page that wants to know whether a person is asking."""
    tiles = '<div class="anomaly-modal__title">Select all squares containing a duck</div>'
    return _page(
        query, f'<form id="challenge-form" action="//duckduckgo.com/anomaly.js">{tiles}</form>'
    )


def changed_page(query: str, found: Sequence[Found]) -> str:
    """Return a page of results in a markup that no engine class knows."""
    links = "".join(f'<article><a href="{html.escape(one.url)}">x</a></article>' for one in found)
    return _page(query, links)


def searxng_reply(
    results: Sequence[dict[str, Any]], unresponsive: Sequence[Sequence[str]] = ()
) -> Serves:
    """Return a reply of SearXNG's JSON API, with the fields around that scout does not read."""
    body = {
        "query": "q",
        "number_of_results": 0,
        "results": [
            {"engines": ["x"], "score": 1.0, "category": "general", **one} for one in results
        ],
        "answers": [],
        "corrections": [],
        "infoboxes": [],
        "suggestions": ["other"],
        "unresponsive_engines": unresponsive,
    }
    return Serves(body=json.dumps(body), kind="application/json")


def _page(query: str, content: str) -> str:
    field_ = f'<input name="q" value="{html.escape(query)}">'
    return f"<!DOCTYPE html><html><body><form>{field_}</form>{content}</body></html>"
