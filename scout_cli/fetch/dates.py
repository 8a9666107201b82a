"""Publish dates: where they stand in a page, best place first, always aware and in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from lxml.html import HtmlElement

from scout_cli.core.models import DateOrigin

_META = (
    "article:published_time og:published_time og:article:published_time datepublished "
    "parsely-pub-date sailthru.date dc.date.issued dcterms.issued dcterms.created dc.date "
    "dcterms.date citation_publication_date citation_date publish-date publish_date pubdate "
    "publication_date date"
).split()
_ARTICLES = ("Article", "Posting", "Report", "WebPage")
_IN_PATH = re.compile(r"/((?:19|20)\d\d)[/-](0?[1-9]|1[0-2])[/-](0?[1-9]|[12]\d|3[01])(?=[/_.-]|$)")
_COMPACT = re.compile(r"(\d{4})[/.]?(\d\d)[/.]?(\d\d)")
_MAX_JSON = 512 * 1024


def parse(text: str) -> datetime | None:
    """Return the moment that `text` spells in ISO 8601 or as in mail headers, UTC.

    A date without a time is its midnight; a time without a zone is taken as UTC.
    """
    text = text.strip()[:64]
    compact = _COMPACT.fullmatch(text)
    try:
        moment = datetime.fromisoformat("-".join(compact.groups()) if compact else text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
    return _utc(moment)


def _utc(moment: datetime) -> datetime | None:
    if not 1990 <= moment.year <= 2100:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def published(
    tree: HtmlElement, *, url: str, last_modified: str
) -> tuple[datetime | None, DateOrigin]:
    """Return when the page was published, and where it says so.

    Args:
        tree: the parsed page, scripts included.
        url: its address.
        last_modified: the response header, used when the page itself says nothing.
    """
    candidates: tuple[tuple[DateOrigin, Iterator[str]], ...] = (
        ("json-ld", _json_ld(tree)),
        ("meta", _meta(tree)),
        ("time", _time(tree)),
        ("url", _path(url)),
        ("header", iter([last_modified])),
    )
    for origin, texts in candidates:
        for text in texts:
            moment = parse(text)
            if moment is not None:
                return moment, origin
    return None, "none"


def _json_ld(tree: HtmlElement) -> Iterator[str]:
    found: list[tuple[bool, str]] = []
    for script in tree.iterfind('.//script[@type="application/ld+json"]'):
        text = script.text or ""
        if len(text) > _MAX_JSON:
            continue
        try:
            document = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            continue
        found.extend(_dated(document, 0))
    yield from (text for _, text in sorted(found, key=lambda pair: not pair[0]))


def _dated(node: Any, depth: int) -> Iterator[tuple[bool, str]]:
    """Yield every datePublished below `node`, with whether it is that of an article."""
    if depth > 12:
        return
    if isinstance(node, list):
        for item in node:
            yield from _dated(item, depth + 1)
    elif isinstance(node, dict):
        when = node.get("datePublished")
        if isinstance(when, str):
            yield str(node.get("@type")).rstrip("']").endswith(_ARTICLES), when
        for value in node.values():
            if isinstance(value, (dict, list)):
                yield from _dated(value, depth + 1)


def _meta(tree: HtmlElement) -> Iterator[str]:
    said: dict[str, str] = {}
    for tag in tree.iter("meta"):
        name = tag.get("property") or tag.get("name") or tag.get("itemprop") or ""
        said.setdefault(name.strip().lower(), tag.get("content") or "")
    yield from (said[name] for name in _META if name in said)


def _time(tree: HtmlElement) -> Iterator[str]:
    for place in (".//article//time[@datetime]", ".//main//time[@datetime]"):
        for tag in tree.iterfind(place):
            yield tag.get("datetime") or ""
    every = tree.findall(".//time[@datetime]")
    if len(every) == 1:  # of many, outside an article, none is known to be the page's own
        yield every[0].get("datetime") or ""


def _path(url: str) -> Iterator[str]:
    match = _IN_PATH.search(urlsplit(url).path)
    if match:
        year, month, day = match.groups()
        yield f"{year}-{month:0>2}-{day:0>2}"
