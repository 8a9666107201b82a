"""Search engines and pages."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from scout_cli.core.job import Recency
from scout_cli.core.models import DateOrigin, PageOutcome, Record


class SearchQuery(Record, frozen=True, kw_only=True):
    """One search."""

    text: str
    limit: int = 10
    recency: Recency | None = None
    language: str = ""
    """BCP 47 tag, empty for any."""
    country: str = ""
    """ISO 3166 alpha-2, empty for any."""


class Hit(Record, frozen=True, kw_only=True):
    """One search result or feed entry."""

    url: str
    title: str = ""
    snippet: str = ""
    published_at: datetime | None = None
    published_from: DateOrigin = "none"
    engine: str = ""


SearchOutcome = Literal["found", "empty", "limited", "unavailable"]
"""`empty` is said only when an engine really answered that there is nothing."""


class SearchAnswer(Record, frozen=True, kw_only=True):
    """What one search engine said to one query."""

    outcome: SearchOutcome
    hits: tuple[Hit, ...] = ()
    engine: str = ""
    detail: str = ""
    """For `limited` and `unavailable`: what happened, in one line."""
    hint: str = ""
    retry_after: float | None = None
    """Seconds, when the engine named them."""


class SearchEngine(Protocol):
    """Finds pages on the open web."""

    @property
    def name(self) -> str:
        """Return the engine's name for people, such as `ddgs/duckduckgo`."""
        ...

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Run one query; every failure is an outcome, none is raised."""
        ...


class FetchRequest(Record, frozen=True, kw_only=True):
    """One page to fetch."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    language: str = ""
    named: bool = False
    """Somebody named this very page, as with `--url`: no robots.txt is asked."""


class Page(Record, frozen=True, kw_only=True):
    """What became of one page, and its text when it was read."""

    url: str
    final_url: str
    outcome: PageOutcome
    status: int | None = None
    """HTTP status of the last hop."""
    title: str = ""
    text: str = ""
    """Markdown of the main content; what quotes are checked against."""
    content_hash: str = ""
    """SHA-256 of `text` with white space folded, hex."""
    published_at: datetime | None = None
    published_from: DateOrigin = "none"
    language: str = ""
    etag: str | None = None
    last_modified: str | None = None
    detail: str = ""
    """For every outcome but `read` and `unchanged`: what happened, in one line."""
    hint: str = ""
    size: int = 0
    """Decoded bytes received."""
    screenshot: str = ""
    """The name under which a picture of the page is kept; empty when none was taken."""


class Feed(Record, frozen=True, kw_only=True):
    """The entries of an RSS or Atom feed."""

    url: str
    outcome: PageOutcome
    hits: tuple[Hit, ...] = ()
    detail: str = ""
    hint: str = ""


class Fetcher(Protocol):
    """Reads pages and feeds, safely; every failure is an outcome, none is raised."""

    async def fetch(self, request: FetchRequest) -> Page:
        """Fetch one page and turn it into text."""
        ...

    async def feed(self, url: str) -> Feed:
        """Read one RSS or Atom feed, newest entries first."""
        ...

    async def warm_up(self) -> None:
        """Start what is slow to start, so that the first page does not wait for it."""
        ...
