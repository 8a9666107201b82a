"""Messages to send in tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from scout_cli.core.news import Link, News, NewsItem, Notice

SCOUT = UUID("6f2b1c9e-0d3a-4b7e-9a51-7f3c2d1e0b9a")
OTHER = UUID("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d")
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ID = "4f8c1d2e-9b3a-4c5d-8e7f-0a1b2c3d4e5f"


def link(number: int = 3, url: str = "https://news.example/ferry", **more: Any) -> Link:
    """Return a link."""
    fields = {"title": "Ferry line reopens", "host": "news.example"} | more
    return Link(number=number, url=url, **fields)


def item(text: str = "The ferry to Hollen sails again from 14 March.", **more: Any) -> NewsItem:
    """Return a line of news with one link."""
    return NewsItem(text=text, **({"links": (link(),)} | more))


def news(**fields: Any) -> News:
    """Return the news of one run."""
    given = {
        "scout_id": SCOUT,
        "title": "Saltmere ferry",
        "summary": "The ferry sails again.",
        "items": (item(),),
        "at": AT,
    }
    return News(**(given | fields))


def notice(*runs: News, **fields: Any) -> Notice:
    """Return a message with the news of one run, or of those given."""
    given = {
        "id": ID,
        "kind": "news",
        "subject": "Saltmere ferry: sails again",
        "news": runs or (news(),),
        "created_at": AT,
    }
    return Notice(**(given | fields))
