"""RSS and Atom feeds become hits. Runs in the child."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from lxml import html
from lxml.etree import ParserError

from scout_cli.core.ports import Hit
from scout_cli.fetch.tidy import one_line
from scout_cli.fetch.wire import Entries, ReadFeed

_MOST = 200
_SNIPPET = 500
_START = datetime.min.replace(tzinfo=UTC)


def read(feed: ReadFeed) -> Entries:
    """Return the entries of a feed, newest first; those without a date come last."""
    # Only bytes in a stream: feedparser takes a text for a file name or URL.
    parsed = feedparser.parse(
        io.BytesIO(feed.body),
        response_headers={"content-type": feed.content_type, "content-location": feed.url},
    )
    if not parsed.get("version") and not parsed.entries:
        return Entries(is_feed=False, detail="this is not an RSS or Atom feed")
    name = one_line(_text(parsed.feed.get("title")))
    hits = [hit for entry in parsed.entries if (hit := _hit(entry, feed.url, name)) is not None]
    hits.sort(key=lambda hit: hit.published_at or _START, reverse=True)
    cut = f"the newest {_MOST} of {len(hits)} entries" if len(hits) > _MOST else ""
    return Entries(is_feed=True, hits=tuple(hits[:_MOST]), detail=cut)


def _hit(entry: dict[str, Any], base: str, feed: str) -> Hit | None:
    try:
        url = urljoin(base, str(entry.get("link") or ""))
        web = urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return None
    if not web or not entry.get("link") or not url.isprintable():
        return None
    moment = _moment(entry)
    return Hit(
        url=url,
        title=one_line(_text(entry.get("title"))),
        snippet=one_line(_text(entry.get("summary")), _SNIPPET),
        published_at=moment,
        published_from="feed" if moment else "none",
        engine=feed,
    )


def _moment(entry: dict[str, Any]) -> datetime | None:
    # dict's own get: feedparser's maps one date to the other, and warns of it each time.
    parts = entry.get("published_parsed") or dict.get(entry, "updated_parsed")
    if parts is None:
        return None
    try:
        year, month, day, hour, minute, second = parts[:6]
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (ValueError, TypeError):
        return None


def _text(markup: Any) -> str:
    text = str(markup or "")
    if "<" not in text and "&" not in text:
        return text
    try:
        return str(html.fragment_fromstring(text, create_parent=True).text_content())
    except (ParserError, ValueError):
        return text
