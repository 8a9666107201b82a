"""Which outcome of a page follows from a failure, a status or a verdict, and what to say of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scout_cli.core.models import PageOutcome
from scout_cli.fetch.reader import ReaderFailed
from scout_cli.fetch.tidy import one_line
from scout_cli.fetch.wire import Verdict
from scout_cli.net.failure import Kind
from scout_cli.net.http import Response

_FEEDS = frozenset(
    "application/rss+xml application/atom+xml application/rdf+xml application/xml text/xml".split()
)
FAILED: Mapping[Kind, PageOutcome] = MappingProxyType(
    {
        "refused": "refused",
        "robots": "robots",
        "unreachable": "unreachable",
        "timeout": "timeout",
        "redirects": "redirects",
        "too_large": "too_large",
        "garbled": "unreadable",
        "asked_to_wait": "blocked",
    }
)
JUDGED: Mapping[Verdict, tuple[PageOutcome, str, str]] = MappingProxyType(
    {
        "page": ("read", "", ""),
        "captcha": (
            "captcha",
            "the site asks visitors to prove that they are human",
            "Open it in a browser, or exclude this site.",
        ),
        "blocked": (
            "blocked",
            "the site turns programs away",
            "Look for a feed of this site, or exclude it.",
        ),
        "consent": (
            "consent",
            "the site shows only a consent wall",
            "Look for a feed of this site, or exclude it.",
        ),
        "scripts": ("needs_browser", "the page shows nothing until its scripts run", ""),
        "empty": ("empty", "the page holds no text", ""),
        "binary": ("unsupported_type", "the page is not text", ""),
        "unreadable": ("unreadable", "the page cannot be read", ""),
    }
)


def by_status(response: Response) -> tuple[PageOutcome, str, str]:
    """Return outcome, detail and hint of an answer that is not a page."""
    wait = response.retry_after
    outcome, detail, _ = refusing(response.status)
    hint = f"The site asks to wait {wait:.0f} s before the next request." if wait else ""
    return outcome, detail, hint


def refusing(status: int) -> tuple[PageOutcome, str, str]:
    """Return outcome, detail and hint of a status that is not a page's."""
    hint = ""
    if status in {404, 410}:
        return "not_found", f"HTTP {status}: the page does not exist", hint
    if status == 429:
        return "blocked", "HTTP 429: the site was asked too often", hint
    if status in {401, 403}:
        return "blocked", f"HTTP {status}: the site does not let scout in", hint
    return "http_error", f"HTTP {status}", hint


def gave_up(failed: ReaderFailed) -> PageOutcome:
    """Return the outcome of a document that the reading child could not finish."""
    return "timeout" if failed.kind == "timeout" else "unreadable"


def unsupported(media_type: str) -> tuple[str, str]:
    """Return detail and hint for a media type that is not read."""
    if media_type in _FEEDS:
        return f"{media_type} is not a page", "If this is a feed, add it as one: --feed URL"
    return f"{one_line(media_type, 80)} is not a type that scout reads", ""
