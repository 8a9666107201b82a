"""What a message says, in order, before any format: groups of scouts, their runs, their lines."""

from __future__ import annotations

from collections.abc import Sequence

from scout_cli.core.models import Record
from scout_cli.core.news import News, NewsItem, Notice

REPEAT = "Possible repeat: "
"""Stands before a line that may have been reported before."""


class Part(Record, frozen=True, kw_only=True):
    """The news of one run."""

    day: str = ""
    """Its date, when the scout tells of several runs."""
    summary: str = ""
    items: tuple[NewsItem, ...] = ()
    remarks: tuple[str, ...] = ()
    """What was kept in silence and what could not be read, in words."""


class Group(Record, frozen=True, kw_only=True):
    """The news of one scout."""

    title: str
    parts: tuple[Part, ...]


def groups(notice: Notice) -> tuple[Group, ...]:
    """Return the news of a notice by scout, in the order in which the scouts first appear.

    Args:
        notice: one that `safe` made.
    """
    by_scout: dict[object, list[News]] = {}
    for news in notice.news:
        by_scout.setdefault(news.scout_id or news.title, []).append(news)
    return tuple(_group(runs) for runs in by_scout.values())


def _group(runs: Sequence[News]) -> Group:
    several = len(runs) > 1
    return Group(title=runs[-1].title, parts=tuple(_part(run, dated=several) for run in runs))


def _part(news: News, *, dated: bool) -> Part:
    return Part(
        day=f"{news.at:%Y-%m-%d}" if dated else "",
        summary=news.summary,
        items=news.items,
        remarks=tuple(_remarks(news)),
    )


def _remarks(news: News) -> list[str]:
    told = []
    if news.repeats:
        facts = "known fact was" if news.repeats == 1 else "known facts were"
        told.append(f"{news.repeats} {facts} seen again.")
    if news.unread:
        pages = "page" if news.unread == 1 else "pages"
        told.append(f"{news.unread} {pages} could not be read.")
    return told
