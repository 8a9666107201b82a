"""A notice as plain text: for e-mail beside HTML, terminals, and channels without markup."""

from __future__ import annotations

from collections.abc import Iterator

from scout_cli.core.news import Link, NewsItem, Notice
from scout_cli.notify.outline import REPEAT, Group, Part, groups


def plain(notice: Notice) -> str:
    """Return the body of `notice` as text; its subject is left to the channel.

    Args:
        notice: one that `safe` made.
    """
    return "\n\n".join("\n".join(block) for block in blocks(notice))


def blocks(notice: Notice) -> list[list[str]]:
    """Return the same as paragraphs of lines, so that a channel can stop after any of them.

    Args:
        notice: one that `safe` made.
    """
    told = groups(notice)
    shown = [block for group in told for block in _group(group, headed=_headed(notice, told))]
    return shown or [[notice.subject]]


def links(item: NewsItem) -> list[str]:
    """Return the lines that prove an item, such as `[S3] news.example: https://news.example/a`."""
    return [_link(link) for link in item.links]


def _headed(notice: Notice, told: tuple[Group, ...]) -> bool:
    return len(told) > 1 or any(group.title != notice.subject for group in told)


def _group(group: Group, *, headed: bool) -> Iterator[list[str]]:
    if headed and group.title:
        yield [f"== {group.title} =="]
    for part in group.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[list[str]]:
    head = [text for text in (part.day, part.summary) if text]
    if head:
        yield [": ".join(head)]
    for item in part.items:
        label = REPEAT if item.possible_repeat else ""
        yield [f"- {label}{item.text}", *(f"  {line}" for line in links(item))]
    if part.remarks:
        yield [" ".join(part.remarks)]


def _link(link: Link) -> str:
    return f"[S{link.number}] {link.url}"
