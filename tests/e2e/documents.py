"""A folder of HTML served on loopback with a search endpoint that answers like SearXNG."""

from __future__ import annotations

import re
import sqlite3
from html import unescape
from pathlib import Path
from typing import Self

from aiohttp import web

_TITLE = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HIDDEN = re.compile(r"<(script|style|svg)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


class Documents:
    """The pages of a folder, indexed by SQLite's full text search.

    Args:
        folder: holds `*.html`.
        limit: how many files at most; documentation trees are large.
    """

    def __init__(self, folder: Path, limit: int = 300) -> None:
        self._folder = folder
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        self._index.execute("CREATE VIRTUAL TABLE page USING fts5(path, title, text)")
        for path in sorted(folder.glob("*.html"))[:limit]:
            source = path.read_text(encoding="utf-8", errors="replace")
            title = _TITLE.search(source)
            text = unescape(_TAG.sub(" ", _HIDDEN.sub(" ", source)))
            row = (path.name, unescape(title.group(1)).strip() if title else path.name, text)
            self._index.execute("INSERT INTO page VALUES (?, ?, ?)", row)
        self.queries: list[str] = []
        self.fetched: list[str] = []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.get("/search", self._search), web.get("/docs/{name}", self._page)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        self._index.close()

    @property
    def host(self) -> str:
        """Return `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    async def _search(self, request: web.Request) -> web.Response:
        asked = request.query["q"]
        self.queries.append(asked)
        wanted = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", asked))
        rows = self._index.execute(
            "SELECT path, title, snippet(page, 2, '', '', ' ', 30) FROM page WHERE page MATCH ? "
            "ORDER BY bm25(page, 0, 5, 1) LIMIT 10",
            (wanted,),
        )
        results = [
            {"url": f"http://{self.host}/docs/{path}", "title": title, "content": snippet}
            for path, title, snippet in rows
        ]
        return web.json_response({"query": asked, "results": results})

    async def _page(self, request: web.Request) -> web.FileResponse:
        name = request.match_info["name"]
        self.fetched.append(name)
        return web.FileResponse(self._folder / name)
