"""What people are told, in words: a run's news, and the notices about scout itself.

Texts are stripped of control and invisible characters here, so that any database keeps them;
escaping for a format is the channel's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

from scout_cli.core.job import Item, Result, Source
from scout_cli.core.models import REPORTED, Execution, Scout
from scout_cli.core.news import Link, News, NewsItem, Notice
from scout_cli.core.report import clean, label
from scout_cli.core.urls import is_web
from scout_cli.store.outbox import Content, OutboxRow

_SUBJECT = 150
"""Characters of a subject."""


def news_of(scout: Scout, execution: Execution, result: Result, now: datetime) -> News:
    """Return what a run has to say.

    Args:
        scout: whose run it was.
        execution: the run.
        result: what it found.
        now: when it ended.
    """
    sources = {source.number: source for source in result.sources}
    return News(
        scout_id=scout.id,
        execution_id=execution.id,
        title=clean(scout.title),
        summary=clean(result.summary),
        items=tuple(_item(item, sources) for item in result.items),
        finding_ids=tuple(fact.id for fact in result.facts if fact.novelty in REPORTED),
        repeats=result.counts.repeats,
        unread=result.counts.unread,
        at=now,
    )


def _item(item: Item, sources: dict[int, Source]) -> NewsItem:
    known = (sources[number] for number in item.sources if number in sources)
    return NewsItem(
        text=clean(item.text if item.possible_repeat else label(item) + item.text),
        links=tuple(_link(source) for source in known if is_web(source.url)),
        possible_repeat=item.possible_repeat,
    )


def _link(source: Source) -> Link:
    return Link(
        number=source.number,
        url=clean(source.url),
        title=clean(source.title),
        host=clean(source.host),
    )


def content(news: News) -> Content:
    """Return the news of one run as a row of the outbox holds it."""
    said = news.summary or f"{len(news.items)} new"
    return Content(subject=cut(f"{news.title}: {said}"), news=(news,))


def paused(scout: Scout, reason: str, now: datetime) -> Content:
    """Return the notice that scout paused a scout."""
    hint = f"Resume it with: scout resume {str(scout.id)[:8]}"
    why = clean(reason)
    lines = (f"{why[:1].upper()}{why[1:]}", hint)
    return _notice(scout, f"Paused: {clean(scout.title)}", lines, now)


def late(scout: Scout, slot: datetime, now: datetime) -> Content:
    """Return the notice that a scout missed its slot."""
    local = slot.astimezone(ZoneInfo(scout.timezone))
    missed = f"{local:%Y-%m-%d at %H:%M} ({scout.timezone})"
    lines = (
        f"It was due on {missed} and had not run by the time it was due again.",
        "Is `scout tick` still called, or `scout worker` running? `scout doctor` tells.",
    )
    return _notice(scout, f"Late: {clean(scout.title)}", lines, now)


def channel_lost(name: str, reason: str, channel_id: UUID, now: datetime) -> Content:
    """Return the notice that a channel takes nothing any more.

    Args:
        name: what people may see of it.
        reason: what happened.
        channel_id: for the command that enables it again.
        now: the present.
    """
    lines = (
        f"scout sends nothing to it any more: {clean(reason)}.",
        f"Once it works again: scout notify enable {str(channel_id)[:8]}",
    )
    return _notice(None, f"Channel lost: {clean(name)}", lines, now)


def quiet_week(looked: int, silent: int, blind: int, now: datetime) -> Content:
    """Return the sign of life of a week without news.

    Args:
        looked: runs that read something.
        silent: those of them that could read everything they wanted and found nothing new.
        blind: runs that could not look.
        now: the present.
    """
    subject = f"scout looked {_times(looked)} in the last 7 days; nothing new in {silent}"
    lines = []
    partly = looked - silent
    if partly:
        lines.append(f"In {partly} not everything could be read.")
    if blind:
        lines.append(f"It could not look {_times(blind)}: scout history says why.")
    if not looked:
        subject = "scout has not looked in the last 7 days"
    return _notice(None, subject, lines, now)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _notice(scout: Scout | None, subject: str, lines: Sequence[str], now: datetime) -> Content:
    news = News(
        scout_id=scout.id if scout else None,
        title=cut(subject),
        items=tuple(NewsItem(text=text) for text in lines),
        at=now,
    )
    return Content(subject=cut(subject), news=(news,))


def trial(id_: str, now: datetime) -> Notice:
    """Return a test message.

    Args:
        id_: a fresh one.
        now: the present.
    """
    told = _notice(None, "A test message from scout", ("scout's news arrives here.",), now)
    return Notice(id=id_, kind="test", subject=told.subject, news=told.news, created_at=now)


def message(rows: Sequence[OutboxRow]) -> Notice:
    """Return the message that rows of one batch are, the same on every attempt.

    Args:
        rows: all of its rows, in order.
    """
    first = rows[0]
    news = tuple(news for row in rows for news in row.message.news)
    return Notice(
        id=message_id(first.channel_id, first.batch),
        kind=first.kind,
        subject=first.message.subject if len(rows) == 1 else _digest_subject(news),
        news=news,
        created_at=first.created_at,
    )


def message_id(channel_id: UUID, batch: str) -> str:
    """Return the id of a message: it follows from what is sent where, not from when or by whom."""
    return sha256(f"{channel_id} {batch}".encode()).hexdigest()[:32]


def _digest_subject(news: Sequence[News]) -> str:
    found = sum(len(each.items) for each in news)
    titles = list(dict.fromkeys(each.title for each in news))
    return cut(f"{found} new: {', '.join(titles)}")


def cut(text: str) -> str:
    """Return `text` as a subject, its end an ellipsis when it is too long."""
    return text if len(text) <= _SUBJECT else f"{text[: _SUBJECT - 1].rstrip()}…"
