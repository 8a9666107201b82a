"""The Fetcher: one URL becomes a Page or a Feed, and every failure an outcome."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from scout_cli.core.ports import Feed, FetchRequest, Page
from scout_cli.errors import ConfigError
from scout_cli.fetch import outcomes, pages
from scout_cli.fetch.reader import Reader, ReaderFailed
from scout_cli.fetch.shelf import KeptFeed, MemoryShelf, Shelf, as_sent
from scout_cli.fetch.show import Show
from scout_cli.fetch.wire import ReadFeed, ReadPage
from scout_cli.net import http
from scout_cli.net.failure import FetchFailed
from scout_cli.net.http import Response
from scout_cli.net.limits import Limits
from scout_cli.net.sessions import Sessions

if TYPE_CHECKING:  # imported with the first page that needs a browser
    from scout_cli.fetch.showing import Showing

MODES = ("auto", "http", "browser")

_TYPES = frozenset(
    "text/html application/xhtml+xml text/plain text/markdown text/x-markdown application/json "
    "application/ld+json application/pdf application/x-pdf".split()
)
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_ACCEPT = "text/html,application/xhtml+xml,application/pdf;q=0.8,text/*;q=0.7,*/*;q=0.1"
_ACCEPT_FEED = "application/rss+xml,application/atom+xml,application/xml;q=0.9,*/*;q=0.5"
_WITHOUT = frozenset({"needs_browser", "timeout", "unreadable", "too_large"})
"""Outcomes of the browser's own making: such a page may have a text without it."""
_LIMITS = Limits(sizes={"application/pdf": 20 * 1024 * 1024})


def from_url(
    url: str,
    sessions: Sessions,
    *,
    limits: Limits = _LIMITS,
    page_seconds: float = 20.0,
    start_seconds: float = 120.0,
    memory: int = 2 * 1024**3,
    show: Show | None = None,
) -> WebFetcher:
    """Return the fetcher for `crawl4ai://auto`, `crawl4ai://http` or `crawl4ai://browser`.

    Args:
        url: the value of `fetch_url`.
        sessions: for all requests; stays the caller's to close.
        limits: of each request.
        page_seconds: how long reading one document may take in the child.
        start_seconds: how long the child may take to start.
        memory: address space of the child, bytes.
        show: how pages are shown in a browser.

    Raises:
        ConfigError: another mode.
    """
    mode = url.partition("://")[2].strip("/")
    if mode not in MODES:
        known = ", ".join(f"crawl4ai://{one}" for one in MODES)
        raise ConfigError(f"fetch_url: unknown mode {mode!r}", hint=f"Known: {known}")
    reader = Reader(page_seconds=page_seconds, start_seconds=start_seconds, memory=memory)
    show = None if mode == "http" else show or Show()
    return WebFetcher(sessions, reader, limits=limits, show=show, always=mode == "browser")


class WebFetcher:
    """Fetches with aiohttp and reads with Crawl4AI in a child process.

    Args:
        sessions: guarded HTTP.
        reader: the child; closed with the fetcher.
        limits: of each request.
        show: how pages are shown in a browser; None for never. A page that only its scripts make
            readable is `empty` then.
        always: show every page, not only those without a text of their own.
        shelf: keeps feeds between two looks; by default as long as the fetcher lives.
    """

    def __init__(
        self,
        sessions: Sessions,
        reader: Reader,
        *,
        limits: Limits,
        show: Show | None = None,
        always: bool = False,
        shelf: Shelf | None = None,
    ) -> None:
        self._shelf: Shelf = shelf or MemoryShelf()
        self._sessions = sessions
        self._reader = reader
        self._limits = limits
        self._show = show
        self._always = always
        self._showing: Showing | None = None

    async def fetch(self, request: FetchRequest) -> Page:
        """Fetch one page and turn it into text; every failure is an outcome."""
        url = request.url.strip()
        try:
            response = await http.get(
                self._sessions,
                url,
                headers=_headers(request),
                limits=self._limits,
                wanted=_is_readable,
                polite=not request.named,
            )
        except FetchFailed as failed:
            return pages.failed(request, failed)
        if response.status == 304:
            return pages.not_modified(request, response)
        if response.status < 400 and not _is_readable(response.media_type):
            said = outcomes.unsupported(response.media_type)
            return pages.answered(request, response, "unsupported_type", *said)
        if not 200 <= response.status < 300:
            return await self._refusal(request, response)
        return await self._read(request, response)

    async def feed(self, url: str) -> Feed:
        """Read one RSS or Atom feed, newest entries first; every failure is an outcome."""
        url = url.strip()
        kept = await self._shelf.get(url)
        try:
            response = await http.get(
                self._sessions, url, headers=_feed_headers(kept), limits=self._limits
            )
            if response.status == 304 and kept is not None:
                return kept.feed
            if not 200 <= response.status < 300:
                outcome, detail, hint = outcomes.by_status(response)
                return Feed(url=url, outcome=outcome, detail=detail, hint=hint)
            task = ReadFeed(
                body=response.body,
                content_type=response.headers.get("content-type", ""),
                url=response.final_url,
            )
            entries = await self._reader.feed(task)
        except FetchFailed as failed:
            return Feed(
                url=url,
                outcome=outcomes.FAILED[failed.kind],
                detail=failed.message,
                hint=failed.hint,
            )
        except ReaderFailed as failed:
            return Feed(url=url, outcome=outcomes.gave_up(failed), detail=failed.detail)
        if not entries.is_feed:
            hint = "Give the address of the feed itself; ordinary pages are urls."
            return Feed(url=url, outcome="unreadable", detail=entries.detail, hint=hint)
        feed = Feed(url=url, outcome="read", hits=entries.hits, detail=entries.detail)
        if (now := as_sent(feed, response.headers)) is not None:
            await self._shelf.put(url, now)
        return feed

    async def warm_up(self) -> None:
        """Start the reading child; a failure shows with the first page."""
        try:
            await self._reader.warm_up()
        except ReaderFailed:
            return

    async def close(self) -> None:
        """End the reading child, and the browser if there is one."""
        if self._showing is not None:
            await self._showing.close()
        await self._reader.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _read(self, request: FetchRequest, response: Response) -> Page:
        """Read a page as it came, or as a browser shows it.

        A browser only sees what was fetched plainly before: its type is known then, its size, and
        that its host lets programs in.
        """
        if self._show is None or response.media_type not in _HTML:
            return await self._plain(request, response)
        if not self._always:
            page = await self._plain(request, response)
            return page if page.outcome != "needs_browser" else await self._shown(request, response)
        page = await self._shown(request, response)
        if page.outcome not in _WITHOUT:
            return page
        plain = await self._plain(request, response)
        why = f"read without the browser: {page.detail}"
        return replace(plain, detail=why) if plain.outcome == "read" else page

    async def _plain(self, request: FetchRequest, response: Response) -> Page:
        try:
            reading = await self._reader.page(_task(response))
        except ReaderFailed as failed:
            return pages.answered(request, response, outcomes.gave_up(failed), failed.detail)
        outcome, detail, hint = outcomes.JUDGED[reading.verdict]
        if outcome == "needs_browser" and self._show is None:
            outcome = "empty"
        detail = reading.detail or ("" if outcome == "read" else detail)
        return pages.answered(request, response, outcome, detail, hint, reading)

    async def _shown(self, request: FetchRequest, response: Response) -> Page:
        from scout_cli.fetch.showing import Showing  # noqa: PLC0415 - most runs need no browser

        if self._showing is None:
            assert self._show is not None
            self._showing = Showing(self._sessions, self._reader, self._show)
        return pages.shown(request, await self._showing.view(request, response))

    async def _refusal(self, request: FetchRequest, response: Response) -> Page:
        """Say what an answer without a page means; a wall may stand behind any status."""
        outcome, detail, hint = outcomes.by_status(response)
        walled = response.status in {401, 403, 429, 503} and "html" in response.media_type
        if walled and response.body:
            try:
                reading = await self._reader.page(_task(response))
            except ReaderFailed:
                return pages.answered(request, response, outcome, detail, hint)
            if reading.verdict == "captcha" or (
                reading.verdict == "blocked" and outcome == "http_error"
            ):
                outcome, said, advice = outcomes.JUDGED[reading.verdict]
                detail, hint = f"{said} (HTTP {response.status})", hint or advice
        return pages.answered(request, response, outcome, detail, hint)


def _headers(request: FetchRequest) -> dict[str, str]:
    wanted = {
        "Accept": _ACCEPT,
        "Accept-Language": f"{request.language},en;q=0.5" if request.language else "en,*;q=0.5",
        **_conditions(request),
    }
    return _clean(wanted)


def _feed_headers(kept: KeptFeed | None) -> dict[str, str]:
    return _clean({"Accept": _ACCEPT_FEED, **(_conditions(kept) if kept else {})})


def _conditions(known: FetchRequest | KeptFeed) -> dict[str, str]:
    return {
        "If-None-Match": known.etag or "",
        "If-Modified-Since": known.last_modified or "",
    }


def _clean(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value and _is_clean(value)}


def _is_clean(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _is_readable(media_type: str) -> bool:
    return not media_type or media_type in _TYPES


def _task(response: Response) -> ReadPage:
    return ReadPage(
        body=response.body,
        media_type=response.media_type,
        content_type=response.headers.get("content-type", ""),
        url=response.final_url,
        status=response.status,
        language=response.headers.get("content-language", ""),
        last_modified=response.headers.get("last-modified", ""),
    )
