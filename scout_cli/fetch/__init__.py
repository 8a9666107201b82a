"""Pages and feeds from the web: fetched within limits, read in a child process, given as text.

A page whose text only appears when its scripts run is shown in a browser by `crawl4ai://auto` and
`empty` to `crawl4ai://http`; `crawl4ai://browser` shows every page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from scout_cli.core.ports import Fetcher
from scout_cli.plug import load

if TYPE_CHECKING:  # importing it costs aiohttp, which most commands do without
    from scout_cli.net.sessions import Sessions

SCHEMES = {"crawl4ai": "scout_cli.fetch.web:from_url"}


class OpenFetcher(Fetcher, Protocol):
    """A fetcher with a lifetime."""

    async def close(self) -> None:
        """End its child process; nothing of it stays behind."""
        ...


def open_fetcher(url: str, sessions: Sessions, **bounds: Any) -> OpenFetcher:
    """Return the fetcher that the setting `fetch_url` names; nothing is started yet.

    Args:
        url: `crawl4ai://auto`, `crawl4ai://http` or `crawl4ai://browser`.
        sessions: for all requests; stays the caller's to close.
        bounds: `limits`, `page_seconds`, `start_seconds`, `memory`, `show`, as of
            `fetch.web.from_url`.

    Raises:
        ConfigError: no such fetcher.
        MissingPackage: a package it needs is not installed.
    """
    fetcher: OpenFetcher = load(url, SCHEMES, setting="fetch_url")(url, sessions, **bounds)
    return fetcher
