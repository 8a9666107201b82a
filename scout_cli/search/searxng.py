"""The port `SearchEngine` on a SearXNG instance and its JSON API.

Source: https://docs.searxng.org/dev/search_api.html
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from aiohttp import ClientError, ClientResponse, ClientTimeout
from msgspec import Struct, field

from scout_cli.core import shape
from scout_cli.core.ports import Hit, SearchAnswer, SearchOutcome, SearchQuery
from scout_cli.errors import ConfigError, InvalidInput
from scout_cli.search import OutwardSessions, clean
from scout_cli.search.region import locale

LARGEST_REPLY = 2 * 1024 * 1024
"""Bytes of one JSON reply, unpacked."""

_RANGES = {"d": "day", "w": "week", "m": "month", "y": "year"}
_OK, _FORBIDDEN, _TOO_MANY = 200, 403, 429
_REDIRECTS = (301, 302, 303, 307, 308)
_FORMATS_HINT = "Allow JSON in its settings.yml: search: {formats: [html, json]}"
_WAIT_HINT = "Wait some minutes, or turn on more engines in its settings.yml"
_LIMITED = re.compile(r"too many|captcha|denied|suspended|rate|blocked", re.IGNORECASE)


class _Result(Struct, frozen=True, kw_only=True):
    """One result. Unlike elsewhere unknown fields are let through: each engine adds its own."""

    url: str | None = None
    title: str | None = None
    content: str | None = None
    published: Any = field(default=None, name="publishedDate")
    engine: str | None = None


class _Reply(Struct, frozen=True, kw_only=True):
    """A reply. Unknown fields are let through: SearXNG adds some with every release."""

    results: list[_Result]
    unresponsive: list[list[Any]] = field(default_factory=list, name="unresponsive_engines")


def open_searxng(url: str, sessions: OutwardSessions) -> SearxngSearch:
    """Return the search of `searxng+http://host:port[/path]` or `searxng+https://...`.

    Raises:
        ConfigError: no host, or a broken port.
    """
    return SearxngSearch(url.partition("+")[2], sessions)


class SearxngSearch:
    """One SearXNG instance.

    Args:
        base: its `http(s)` address, with a path when it does not live at the root.
        sessions: gives the HTTP session; it is asked for at the first search.
        timeout: seconds for one search.

    Raises:
        ConfigError: `base` has no host or a broken port.
    """

    def __init__(self, base: str, sessions: OutwardSessions, *, timeout: float = 15.0) -> None:
        try:
            parts = urlsplit(base)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"search_url: {error}") from error
        if not parts.hostname:
            raise ConfigError(
                "search_url: the address of the SearXNG is missing",
                hint="For example: searxng+http://127.0.0.1:8080",
            )
        path = parts.path.rstrip("/").removesuffix("/search")
        self._url = urlunsplit((parts.scheme, parts.netloc, f"{path}/search", "", ""))
        self._host = f"{parts.hostname}:{port}" if port else parts.hostname
        self._sessions = sessions
        self._timeout = timeout

    @property
    def name(self) -> str:
        """Return `searxng/` and the host."""
        return f"searxng/{self._host}"

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Run one query; every failure is an outcome."""
        try:
            # The total covers the reading of the body, which aiohttp's own limit would split.
            async with asyncio.timeout(self._timeout):
                return await self._ask(query)
        except TimeoutError:
            return self._failed(f"did not answer within {self._timeout:g} s")
        except (ClientError, OSError) as error:
            line = " ".join(str(error).split()) or type(error).__name__
            return self._failed(f"cannot be reached ({line[:200]})", hint="Is it running?")

    async def _ask(self, query: SearchQuery) -> SearchAnswer:
        asked = self._sessions.trusted().get(
            self._url,
            params=_parameters(query),
            headers={"Accept": "application/json"},
            allow_redirects=False,
            timeout=ClientTimeout(total=None),
        )
        async with asked as response:
            if response.status != _OK:
                return self._refused(response)
            body = await _bounded(response)
        if body is None:
            return self._failed(f"sent more than {LARGEST_REPLY} bytes")
        try:
            reply = shape.decode(body, _Reply, what="its answer")
        except InvalidInput:
            return self._failed("sent something that is not its JSON", hint=_FORMATS_HINT)
        return self._answer(query, reply)

    def _answer(self, query: SearchQuery, reply: _Reply) -> SearchAnswer:
        hits = clean.distinct((_hit(result) for result in reply.results), query.limit)
        silent = "; ".join(_silence(entry) for entry in reply.unresponsive)
        if hits or not silent:
            outcome: SearchOutcome = "found" if hits else "empty"
            return SearchAnswer(outcome=outcome, hits=hits, engine=self.name, detail=silent)
        return SearchAnswer(
            outcome="limited" if _LIMITED.search(silent) else "unavailable",
            engine=self.name,
            detail=f"{self._host} found nothing, but not all its engines answered ({silent})",
            hint=_WAIT_HINT,
        )

    def _refused(self, response: ClientResponse) -> SearchAnswer:
        status = response.status
        if status == _TOO_MANY:
            return SearchAnswer(
                outcome="limited",
                engine=self.name,
                detail=f"{self._host} is limiting this address (HTTP 429)",
                hint="Set server.limiter: false in the settings.yml of a SearXNG of your own",
                retry_after=_seconds(response.headers.get("Retry-After", "")),
            )
        if status == _FORBIDDEN:
            return self._failed("refuses JSON (HTTP 403)", hint=_FORMATS_HINT)
        if status in _REDIRECTS:
            target = clean.text(response.headers.get("Location", "elsewhere"), 200)
            return self._failed(f"sends scout to {target}", hint="Set search_url to that address")
        return self._failed(f"answered HTTP {status}", hint="See the log of the SearXNG")

    def _failed(self, what: str, *, hint: str = "") -> SearchAnswer:
        return SearchAnswer(
            outcome="unavailable", engine=self.name, detail=f"{self._host} {what}", hint=hint
        )


def _parameters(query: SearchQuery) -> dict[str, str]:
    asked = {
        "q": query.text,
        "format": "json",
        "language": locale(query.language, query.country),
    }
    return asked | ({"time_range": _RANGES[query.recency]} if query.recency else {})


async def _bounded(response: ClientResponse) -> bytes | None:
    """Return the body, or None when it is too large."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > LARGEST_REPLY:
            return None
    return bytes(body)


def _hit(result: _Result) -> Hit:
    published = _moment(result.published)
    return Hit(
        url=clean.link(result.url or ""),
        title=clean.title(result.title or ""),
        snippet=clean.text(result.content or ""),
        published_at=published,
        published_from="search" if published else "none",
        engine=f"searxng/{result.engine}" if result.engine else "searxng",
    )


def _moment(value: Any) -> datetime | None:
    """Return the date of a result; a date without a zone is taken as UTC, a broken one as none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _silence(entry: Sequence[Any]) -> str:
    """Return `engine: reason` of an entry such as `["google", "CAPTCHA"]`."""
    return clean.text(": ".join(str(part) for part in entry[:2]), 120)


def _seconds(header: str) -> float | None:
    return float(header) if re.fullmatch(r"\d{1,6}", header.strip()) else None
