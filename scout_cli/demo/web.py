"""The demo web: a handful of invented sites and a search engine behind one port of this machine.

The sites are told apart by the Host header, as on any shared server. Their names exist nowhere
but in `DemoWeb.hosts`, which the address guard resolves instead of asking a name server.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from scout_cli.core.models import Record
from scout_cli.core.shape import encode
from scout_cli.demo import render
from scout_cli.demo.index import Index, Question
from scout_cli.demo.pages import Leaf, Library
from scout_cli.errors import InvalidInput

LOOPBACK = "127.0.0.1"

_RANGES = ("", "day", "week", "month", "year")
_XML = "application/rss+xml"


class Visit(Record, frozen=True, kw_only=True):
    """One request that the demo web answered."""

    host: str
    path: str
    status: int


class DemoWeb:
    """The demo web as an aiohttp server on the loopback address.

    Args:
        port: 0 takes any free port.
        day: the day of the story, 1 to 3; `web.day = 2` turns the page while the server runs.
        delay: seconds to wait before each answer, for measurements.
        library: sites and pages; the demo's own when None.

    Raises:
        OSError: on entering, when the port is taken.
    """

    def __init__(
        self, *, port: int = 0, day: int = 1, delay: float = 0.0, library: Library | None = None
    ) -> None:
        self._library = library or Library()
        self.day = day
        self.delay = delay
        self.visits: list[Visit] = []
        self._wanted = port
        self._port = 0

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._note])
        application.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._wanted)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        self._index = Index(
            (leaf, self._library.sites[leaf.host].language)
            for leaf in self._library.leaves.values()
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
        self._index.close()

    @property
    def day(self) -> int:
        """Return the day of the story."""
        return self._day

    @day.setter
    def day(self, number: int) -> None:
        days = self._library.days
        if number not in days:
            raise InvalidInput(f"the demo web has no day {number}", hint=f"Days: 1 to {len(days)}")
        self._day = number

    @property
    def now(self) -> datetime:
        """Return the moment at which the scout of the demo looks on this day, UTC."""
        return self._library.days[self._day]

    @property
    def port(self) -> int:
        """Return the port in use, 0 before the server runs."""
        return self._port

    @property
    def hosts(self) -> dict[str, str]:
        """Return the address of every host name of the demo web."""
        return dict.fromkeys(self._library.sites, LOOPBACK)

    @property
    def search_url(self) -> str:
        """Return the value of the setting `search_url`."""
        return f"searxng+http://{LOOPBACK}:{self._port}"

    @property
    def open_to(self) -> frozenset[str]:
        """Return the one private `address:port` that the guard must let through."""
        return frozenset({f"{LOOPBACK}:{self._port}"})

    def url(self, host: str, path: str = "/") -> str:
        """Return the address of a page as scout sees it."""
        return f"http://{host}:{self._port}{path}"

    @web.middleware
    async def _note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        await asyncio.sleep(self.delay)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            self._seen(request, error.status)
            raise
        self._seen(request, response.status)
        return response

    def _seen(self, request: web.Request, status: int) -> None:
        host = _host(request)
        self.visits.append(Visit(host=host, path=request.path, status=status))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host = _host(request)
        if host == LOOPBACK:
            return self._own(request)
        if host not in self._library.sites:
            raise web.HTTPNotFound(text=f"There is no site {host} in the demo web.\n")
        return self._page(request, host)

    def _own(self, request: web.Request) -> web.Response:
        if request.path == "/":
            text = render.index(self._library.sites, self._port)
            return web.Response(text=text, content_type="text/html")
        if request.path == "/search":
            return self._search(request)
        raise web.HTTPNotFound

    def _search(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("format") != "json":
            raise web.HTTPForbidden(text="Only format=json is answered here.\n")
        if not query.get("q") or query.get("time_range", "") not in _RANGES:
            raise web.HTTPBadRequest(text="q is needed; time_range is day, week, month or year.\n")
        page = query.get("pageno", "1")
        question = Question(
            text=query["q"],
            day=self._day,
            now=self.now,
            time_range=query.get("time_range", ""),
            language=query.get("language", ""),
            pageno=max(1, int(page)) if page.isdecimal() else 1,
        )
        body = encode(self._index.search(question, self._port))
        return web.Response(body=body, content_type="application/json")

    def _page(self, request: web.Request, host: str) -> web.StreamResponse:
        site = self._library.sites[host]
        origin = f"http://{host}:{self._port}"
        leaves = self._library.listing(host, self._day)
        newest = max(
            (leaf.front.published for leaf in leaves if leaf.front.published), default=None
        )
        if request.path == "/":
            return _fresh(request, render.listing(site, leaves, origin), newest)
        if request.path == "/feed.xml" and site.feed:
            return _fresh(request, render.feed(site, leaves, origin), newest, kind=_XML)
        leaf = self._leaf(host, request.path)
        if leaf.front.state == "consent" and request.cookies.get("consent") != "accept":
            return _fresh(request, render.wall(site), None)
        return _fresh(request, render.page(site, leaf, origin), leaf.front.published)

    def _leaf(self, host: str, path: str) -> Leaf:
        leaf = self._library.leaves.get((host, path))
        if leaf is None or leaf.front.day > self._day or leaf.front.state == "gone":
            raise web.HTTPNotFound(text="This page has drifted away.\n")
        return leaf


def _host(request: web.Request) -> str:
    return request.host.partition(":")[0].lower()


def _fresh(
    request: web.Request, text: str, changed: datetime | None, *, kind: str = "text/html"
) -> web.Response:
    """Answer with the text, or with 304 when the reader has it. Source: RFC 9110, section 13."""
    tag = hashlib.sha256(text.encode()).hexdigest()[:16]
    known = {etag.value for etag in request.if_none_match or ()}
    since = request.if_modified_since
    unchanged = tag in known or "*" in known
    if not known and since is not None and changed is not None:
        unchanged = changed.replace(microsecond=0) <= since.astimezone(UTC)
    response = (
        web.Response(status=304)
        if unchanged
        else web.Response(text=text, content_type=kind, charset="utf-8")
    )
    response.etag = tag
    if changed is not None:
        response.last_modified = changed
    return response
