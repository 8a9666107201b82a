"""What a scout reported, as an Atom feed.

Nothing of a page is markup here: text is escaped, and links are checked.

Source: RFC 4287.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from xml.etree import ElementTree as ET

from scout_cli.core.models import Finding
from scout_cli.core.report import clean
from scout_cli.core.urls import is_web
from scout_cli.service.syndication import News, ScoutFeed

CONTENT_TYPE = "application/atom+xml; charset=utf-8"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_TITLE = 120


def rendered(feed: ScoutFeed, address: str) -> bytes:
    """Return the feed as ET.

    Args:
        feed: what a scout reported.
        address: where it was read, with its token: its readers know it already.
    """
    root = ET.Element("feed", {"xmlns": _NAMESPACE})
    scout = feed.scout
    _text(root, "id", f"urn:uuid:{scout.id}")
    _text(root, "title", clean(scout.title) or "scout")
    if scout.goal:
        _text(root, "subtitle", clean(scout.goal))
    _text(root, "updated", _moment(feed.news[0].at if feed.news else scout.created_at))
    ET.SubElement(root, "link", {"rel": "self", "type": CONTENT_TYPE, "href": address})
    _text(ET.SubElement(root, "author"), "name", "scout")
    _text(root, "generator", "scout")
    for news in feed.news:
        root.append(_entry(news))
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode()


def _entry(news: News) -> ET.Element:
    entry = ET.Element("entry")
    summary = clean(news.summary) or "News"
    _text(entry, "id", f"urn:uuid:{news.execution_id}")
    _text(entry, "title", _shortened(summary))
    _text(entry, "updated", _moment(news.at))
    _text(entry, "published", _moment(news.at))
    linked = next((fact.url for fact in news.facts if is_web(fact.url)), None)
    if linked is not None:
        ET.SubElement(entry, "link", {"rel": "alternate", "href": clean(linked)})
    _text(entry, "summary", summary)
    items = "".join(f"<li>{_fact(fact)}</li>" for fact in news.facts)
    _text(entry, "content", f"<p>{escape(summary)}</p><ul>{items}</ul>").set("type", "html")
    return entry


def _fact(fact: Finding) -> str:
    text = escape(clean(fact.fact))
    if not is_web(fact.url):
        return text
    return f'{text} (<a href="{escape(clean(fact.url))}">{escape(clean(fact.host))}</a>)'


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = text
    return element


def _shortened(text: str) -> str:
    return text if len(text) <= _TITLE else f"{text[: _TITLE - 1].rstrip()}…"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
