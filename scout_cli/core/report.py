"""The brief as people read it: links put in by code, text made safe for every reader.

Source of the Markdown subset: what the web interface's renderer understands; it puts the text
into the page as HTML and breaks on two links in a line or on `_` and `*` inside a URL.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from scout_cli.core.job import Item, Source
from scout_cli.core.models import Outcome, Problem, ResultsSummary, TaskStatus
from scout_cli.core.urls import is_web

_HTML = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "_": "&#95;", "*": "&#42;"}
)
_MARKDOWN = str.maketrans({"[": "(", "]": ")", "`": "'"})
_IN_URLS = "%/:?#@!$&+,;=~"
_HIDDEN = ("Cf", "Cc", "Co", "Cs", "Cn")
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0").union(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Letters and marks that show as nothing; variation selectors can spell out a hidden text."""

STATUS: dict[Outcome, TaskStatus] = {
    "new": "completed",
    "nothing_new": "not_found",
    "degraded": "insufficient_data",
    "could_not_look": "insufficient_data",
    "failed": "insufficient_data",
}


def clean(text: str) -> str:
    """Return `text` on one line without control, invisible, direction and tag characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (" " if c.isspace() else c for c in text)
    shown = (c for c in kept if unicodedata.category(c) not in _HIDDEN and c not in _BLANK)
    return " ".join("".join(shown).split())


def brief(items: Sequence[Item], sources: Mapping[int, Source]) -> str:
    """Return the brief as Markdown, one item and at most one link a line.

    Args:
        items: what is new, most important first.
        sources: the pages by number; an item's first source becomes its link.
    """
    return "\n".join(_line(item, sources) for item in items)


def summary(
    outcome: Outcome, markdown: str, problems: Sequence[Problem], *, partial: bool
) -> ResultsSummary:
    """Return the record that the web interface reads.

    Args:
        outcome: how the run ended.
        markdown: the brief; empty when nothing is new.
        problems: what could not be done.
        partial: something new was found, but the run could not look everywhere.
    """
    return ResultsSummary(
        task_completed=outcome == "new",
        task_status="partial" if outcome == "new" and partial else STATUS[outcome],
        response=markdown or _silence(outcome, problems),
    )


def _line(item: Item, sources: Mapping[int, Source]) -> str:
    known = [sources[number] for number in item.sources if number in sources]
    text = f"- {_safe(label(item) + item.text)}"
    linked = next((source for source in known if is_web(source.url)), None)
    if linked is None:
        return text
    others = list(dict.fromkeys(s.host for s in known if s.host != linked.host))
    dated = f", {linked.published_at:%Y-%m-%d}" if linked.published_at else ""
    also = f"; also {_safe(', '.join(others))}" if others else ""
    return f"{text} ([{_safe(linked.host)}]({_address(linked.url)}){dated}{also})"


def label(item: Item) -> str:
    """Return what is said before an item: that it may be a repeat, or what it updates."""
    if item.possible_repeat:
        return "Possible repeat: "
    return f"Update ({item.changed}): " if item.changed else ""


def _address(url: str) -> str:
    """Return `url` with everything encoded that could end the link, the line or the tag."""
    return quote(url.strip(), safe=_IN_URLS, errors="replace").replace("_", "%5F")


def _safe(text: str) -> str:
    return clean(text).translate(_MARKDOWN).translate(_HTML)


def _silence(outcome: Outcome, problems: Sequence[Problem]) -> str:
    if outcome == "nothing_new":
        return "Nothing new."
    told = "\n".join(f"- {_safe(problem.message)}" for problem in problems[:5])
    head = {
        "degraded": "Nothing new in what could be read, but not everything could be read:",
        "could_not_look": "Could not look:",
    }.get(outcome, "The run failed:")
    return f"{head}\n{told}" if told else f"{head.removesuffix(':')}."
