"""A small web for end-to-end tests: three pages, and results in DuckDuckGo's markup."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Self

from aiohttp import web

GOAL = "Tell me when the Quernmore water mill reopens"

ARTICLES = {
    "mill": (
        "Quernmore water mill to reopen",
        "The Quernmore water mill will reopen to visitors on 14 May 2026, the mill trust announced "
        "on Monday. Repairs to the wheel of the water mill cost 310,000 pounds and took 26 months. "
        "Tickets for the Quernmore water mill cost 6 pounds and go on sale on 1 April 2026.",
    ),
    "wheel": (
        "New oak wheel for the Quernmore mill",
        "A new oak wheel of 5.2 metres was fitted to the Quernmore water mill on 3 February 2026. "
        "It replaces the wheel of the water mill that broke in the flood of 2023.",
    ),
    "weather": (
        "Weather for the valley",
        "Rain is expected on 12 days of the month, with wind from the west on most of the others.",
    ),
}

_PAGE = """<!doctype html><html lang="en"><head><title>{title}</title>
<meta property="article:published_time" content="2026-03-0{day}T08:00:00Z"></head><body>
<nav><a href="/">Home</a> <a href="/login">Sign in</a></nav>
<article><h1>{title}</h1><p>{text}</p>
<p>The trust has looked after the valley's buildings since 1974 and is run by volunteers who meet
every second Thursday in the old school house, where questions are always welcome.</p></article>
<footer>All rights reserved</footer></body></html>"""


class Village:
    """Serves the pages and `/html/`, a result page as DuckDuckGo's plain one looks."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.read: list[str] = []
        self.release = asyncio.Event()
        self.release.set()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.route("*", "/html/", self._results),
                web.get("/page/{name}", self._page),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def host(self) -> str:
        """Return `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    async def _results(self, request: web.Request) -> web.Response:
        form = await request.post() if request.method == "POST" else request.query
        self.asked.append(str(form.get("q", "")))
        found = "".join(
            f'<div class="result results_links"><div class="links_main result__body">'
            f'<h2 class="result__title"><a href="http://{self.host}/page/{name}">{escape(title)}'
            f'</a></h2><a class="result__snippet" href="http://{self.host}/page/{name}">'
            f"{escape(text[:120])}</a></div></div>"
            for name, (title, text) in ARTICLES.items()
        )
        return web.Response(text=f"<html><body>{found}</body></html>", content_type="text/html")

    async def _page(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.read.append(name)
        title, text = ARTICLES[name]
        day = 1 + list(ARTICLES).index(name)
        body = _PAGE.format(title=escape(title), text=escape(text), day=day)
        return web.Response(text=body, content_type="text/html", headers={"ETag": f'"{name}-1"'})
