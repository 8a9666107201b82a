"""Search engines, each chosen by the scheme of a URL: `ddgs://` and `searxng+http(s)://`.

Several URLs in order, caches and circuit breakers are not known here; one URL is one engine.
"""

from __future__ import annotations

from typing import Any, Protocol

from scout_cli import plug
from scout_cli.core.ports import SearchEngine

SCHEMES = {
    "ddgs": "scout_cli.search.ddgs:open_ddgs",
    "searxng+http": "scout_cli.search.searxng:open_searxng",
    "searxng+https": "scout_cli.search.searxng:open_searxng",
}


class OutwardSessions(Protocol):
    """Where the ways out come from; `net.sessions.Sessions` fits."""

    @property
    def guard(self) -> Any:
        """Return the `net.guard.Guard` that decides which addresses may be dialled."""
        ...

    def trusted(self) -> Any:
        """Return an `aiohttp.ClientSession` for endpoints that the operator configured.

        Its owner closes it.
        """
        ...


def open_search(url: str, sessions: OutwardSessions) -> SearchEngine:
    """Return the search engine that `url` names. Nothing is asked of the network yet.

    Raises:
        ConfigError: no such scheme, or a URL that cannot be used.
        MissingPackage: the package of this engine is not installed.
    """
    factory = plug.load(url, SCHEMES, setting="search_url")
    engine: SearchEngine = factory(url, sessions)
    return engine
