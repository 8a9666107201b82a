"""The labelled web: invented sites of four days, on which every sentence that counts is marked.

The files mark a sentence with `data-fact` (which fact it tells) and `data-as` (how); the marks are
taken out before a page is served, so that nobody who reads it can see them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from importlib.resources import files
from typing import Literal
from urllib.parse import urlsplit

from msgspec.structs import replace

from scout_cli.core.models import Record
from scout_cli.core.shape import convert
from scout_cli.core.words import fold, words
from scout_cli.demo.pages import Leaf, Library

How = Literal[
    "new", "template", "update", "negation", "words", "language", "stale", "lies", "orders"
]
"""`new`, `template` (another fact in known words), `update` and `negation` are news the first time;
`words` and `language` repeat a fact in other words or another language; `stale` is old and says so,
`lies` is old and pretends to be of today, `orders` speaks to the reader's machine."""

NEVER_NEWS: frozenset[How] = frozenset(("stale", "lies", "orders"))

DAYS: Mapping[int, datetime] = {
    day: datetime(2026, 5, 3 + day, 9, tzinfo=UTC) for day in (1, 2, 3, 4)
}

_MARKED = re.compile(r'<p data-fact="([^"]+)" data-as="([^"]+)">(.*?)</p>')
_MARKS = re.compile(r' data-(?:fact|as)="[^"]*"')
_LEAST = 4
"""Words of a quote that must stand in a marked sentence to be recognised as a part of it."""


class Topic(Record, frozen=True, kw_only=True):
    """A wish whose answers are marked; `name` opens the names of its facts."""

    name: str
    goal: str
    queries: tuple[str, ...]


TOPICS = (
    Topic(
        name="corvid",
        goal="The Corvid web framework: new releases and security holes",
        queries=("Corvid web framework release", "Corvid CVE advisory"),
    ),
    Topic(
        name="elm",
        goal="The Elm bridge in Alder: closure, repair, costs, detours and reopening",
        queries=("Elm bridge Alder", "pont Elm Alder"),
    ),
)


class Mention(Record, frozen=True, kw_only=True):
    """A sentence of a page, and which fact it tells."""

    fact: str
    how: How
    day: int
    text: str

    @property
    def topic(self) -> str:
        """Return the name of the wish that it belongs to."""
        return self.fact.partition("/")[0]


class LabelledLibrary(Library):
    """The pages of the labelled web, without their marks."""

    def __init__(self) -> None:
        super().__init__(files("scout_cli.evaluation") / "data" / "sites", DAYS)

    @cached_property
    def leaves(self) -> dict[tuple[str, str], Leaf]:
        """Return the pages by host and path, as they are served."""
        return {
            place: replace(leaf, body=_MARKS.sub("", leaf.body))
            for place, leaf in super().leaves.items()
        }

    @cached_property
    def mentions(self) -> dict[tuple[str, str], list[Mention]]:
        """Return the marked sentences by the host and path of their page."""
        marked = Library(files("scout_cli.evaluation") / "data" / "sites", DAYS)
        return {place: _mentions(leaf) for place, leaf in marked.leaves.items()}

    def mention(self, url: str, quote: str) -> Mention | None:
        """Return the marked sentence that a quote is taken from, or None for any other sentence.

        Args:
            url: the page.
            quote: words of it.
        """
        parts = urlsplit(url)
        given = _spelled(quote)
        for mention in self.mentions.get((parts.hostname or "", parts.path), ()):
            known = _spelled(mention.text)
            shorter, longer = sorted((given, known), key=len)
            if len(shorter.split()) >= _LEAST and f" {shorter} " in f" {longer} ":
                return mention
        return None

    def news(self, topic: str, last: int = max(DAYS)) -> dict[str, int]:
        """Return the facts that a scout should tell of up to a day, with their first day.

        Args:
            topic: the wish.
            last: the last day that counts.
        """
        found: dict[str, int] = {}
        for mention in (each for page in self.mentions.values() for each in page):
            if mention.topic == topic and mention.how not in NEVER_NEWS and mention.day <= last:
                found[mention.fact] = min(mention.day, found.get(mention.fact, mention.day))
        return found


def _mentions(leaf: Leaf) -> list[Mention]:
    return [
        Mention(
            fact=fact,
            how=convert(how, How, what=f"{leaf.host}{leaf.path}"),  # type: ignore[arg-type]  # a Literal is a type to msgspec
            day=leaf.front.day,
            text=html.unescape(text),
        )
        for fact, how, text in _MARKED.findall(leaf.body)
    ]


def _spelled(text: str) -> str:
    return " ".join(fold(word) for word in words(text))
