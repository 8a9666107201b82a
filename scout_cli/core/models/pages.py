"""A page as a run read it, and what is remembered of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from scout_cli.core.models.record import Record

PageOutcome = Literal[
    "read",
    "unchanged",
    "not_found",
    "blocked",
    "consent",
    "captcha",
    "needs_browser",
    "empty",
    "http_error",
    "too_large",
    "timeout",
    "unreachable",
    "redirects",
    "unsupported_type",
    "unreadable",
    "refused",
    "robots",
]
"""What became of one page. Only `read` and `unchanged` count as "looked"."""

DateOrigin = Literal["json-ld", "meta", "time", "feed", "url", "header", "search", "none"]
"""Where a publish date was found, best first."""


class SeenPage(Record, frozen=True, kw_only=True):
    """What scout remembers of a page so as not to read it again unchanged."""

    scout_id: UUID
    user_id: UUID
    canonical_url: str
    etag: str | None = None
    last_modified: str | None = None
    content_hash: str
    """Of the text that was taken in; empty for a page that is owed: read and not taken in."""
    read_at: datetime
    """For a page that is owed: when the scout had last taken in all that it read."""
    text: str = ""
    """What it said then, if the scout watches it for itself and took it in; else empty."""


class PageSnapshot(Record, frozen=True, kw_only=True):
    """The text of a page as a run read it; quotes are checked against this."""

    id: UUID
    execution_id: UUID
    scout_id: UUID
    user_id: UUID
    source: int | None
    url: str
    final_url: str
    canonical_url: str
    outcome: PageOutcome
    http_status: int | None = None
    detail: str = ""
    title: str = ""
    text: str = ""
    content_hash: str = ""
    published_at: datetime | None = None
    published_from: DateOrigin = "none"
    fetched_at: datetime
