"""A result as text: the brief with numbered sources, and one line about the run."""

from __future__ import annotations

import html
import re
import sys

from scout_cli.cli import streams, times
from scout_cli.core import report
from scout_cli.core.job import Item, Result, Source
from scout_cli.core.models import Counts

_LINK = re.compile(r"\[([^\]\n]*)\]\((https?://[^)\s]*)\)")
_WIDTH = 100


def show(result: Result, title: str) -> None:
    """Print a result to stdout; nothing at all when nothing is new.

    Args:
        result: what a run found.
        title: the heading, empty for none.
    """
    if not result.items:
        return
    paragraphs = [(_item(item), "  ") for item in result.items]
    if result.sources:
        paragraphs += [("", ""), ("Sources", "")]
    for source in result.sources:
        paragraphs += [(_source(source), "     "), (f"     {streams.line(source.url)}", "     ")]
    heading = [(streams.line(title), ""), ("", "")] if title else []
    _print([*heading, *paragraphs])


def show_stored(markdown: str) -> None:
    """Print a stored brief, which is Markdown with links, to stdout."""
    text = html.unescape(_LINK.sub(r"\1 <\2>", markdown))
    _print([(row, "  ") for row in streams.block(text).splitlines()])


def closing(result: Result, seconds: float) -> str:
    """Return one line: what was new, what was a repeat, what could not be read, what it cost."""
    counts, usage = result.counts, result.usage
    head = {
        "new": f"{counts.reported} new",
        "nothing_new": "Nothing new",
        "degraded": "Nothing new in what could be read",
        "could_not_look": "Could not look",
        "failed": "Failed",
    }[result.outcome]
    tokens = usage.prompt_tokens + usage.completion_tokens
    cost = [
        _count(usage.searches, "search", "searches"),
        _count(usage.calls, "model call"),
        f"{tokens:,} tokens",
        times.lasted(seconds),
    ]
    return "; ".join([head, *_told(counts)]) + f" ({', '.join(cost)})"


def _told(counts: Counts) -> list[str]:
    told = [
        (counts.updates, f"{counts.updates} of them an update"),
        (counts.possible_repeats, f"{counts.possible_repeats} of them perhaps a repeat"),
        (counts.repeats, _count(counts.repeats, "repeat")),
        (counts.stale, f"{counts.stale} too old"),
        (counts.suppressed, f"{counts.suppressed} held back as you said"),
        (counts.dropped, f"{_count(counts.dropped, 'claim')} without proof dropped"),
    ]
    pages = counts.read + counts.unchanged + counts.unread
    unread = f", {counts.unread} could not be read" if counts.unread else ""
    same = f", {counts.unchanged} unchanged" if counts.unchanged else ""
    return [text for number, text in told if number] + [f"{_count(pages, 'page')}{same}{unread}"]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _item(item: Item) -> str:
    label = report.label(item)
    marks = "".join(f"[{number}]" for number in item.sources)
    return f"- {label}{streams.line(item.text)} {marks}".rstrip()


def _source(source: Source) -> str:
    dated = f", {source.published_at:%Y-%m-%d}" if source.published_at else ""
    named = f"{source.host}: {source.title}" if source.title else source.host
    return f"[{source.number}]{'' if source.number > 9 else ' '} {streams.line(named)}{dated}"


def _print(paragraphs: list[tuple[str, str]]) -> None:
    """Wrap for a person; leave lines whole for a pipe, so that URLs and facts can be searched."""
    person = streams.is_terminal(sys.stdout)
    for text, indent in paragraphs:
        streams.put(_wrapped(text, indent) if person and text.strip() else text)


def _wrapped(text: str, indent: str) -> str:
    import shutil  # noqa: PLC0415 - only a person's terminal needs it
    import textwrap  # noqa: PLC0415 - only a person's terminal needs it

    width = max(20, min(_WIDTH, shutil.get_terminal_size().columns))
    return textwrap.fill(
        text,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
