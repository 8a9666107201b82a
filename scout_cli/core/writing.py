"""The questions that turn verified facts into prose: the brief and its headline.

What comes back may say no more than the facts do; an item that does is dropped, a fact that was
left out is added as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from scout_cli.core import extractive
from scout_cli.core.answers import SummaryAnswer, WriteAnswer
from scout_cli.core.grounds import has_link, shared, supported, tells
from scout_cli.core.models import Record
from scout_cli.core.questions import bullets
from scout_cli.core.report import clean
from scout_cli.core.signature import negated, numbers
from scout_cli.core.words import language_of, shorten
from scout_cli.errors import InvalidInput

_CITES = re.compile(r"\s*\[S\d{1,2}(?:\s*[,;]\s*S?\d{1,2}|\s+S\d{1,2})*\]")
_CITED = re.compile(r"\d{1,2}")
_OF_TRANSLATION = 0.2
"""The share of known words to ask of a translation, which keeps little but the names."""


class CitedFact(Record, frozen=True, kw_only=True):
    """A verified fact as the writer sees it."""

    sources: tuple[int, ...]
    fact: str
    quote: str
    date: str = ""


class Write(Record, frozen=True, kw_only=True):
    """Write the brief from verified facts."""

    goal: str
    facts: tuple[CitedFact, ...]
    language: str = ""
    task: ClassVar[str] = "write"
    answer: ClassVar[type] = WriteAnswer
    max_tokens: ClassVar[int] = 1_200

    def slots(self, _characters: int) -> Mapping[str, str]:
        """Return what the prompt file wants."""
        listed = (
            f"{_marks(fact.sources)} {fact.fact}" + (f" ({fact.date})" if fact.date else "")
            for fact in self.facts
        )
        return {
            "goal": self.goal,
            "facts": "\n".join(listed),
            "language": self.language or "the language of the facts",
        }

    def check(self, answer: WriteAnswer) -> WriteAnswer:
        """Keep items that cite known facts and say no more than they do; add what was left out."""
        kept = [item for each in answer.items if (item := self._grounded(clean(each)))]
        if not kept:
            raise InvalidInput("no item cites its source as in [S1] and keeps to the facts")
        missing = [fact for fact in self.facts if not any(self._tells(item, fact) for item in kept)]
        return WriteAnswer(items=[*kept, *map(_as_item, missing)])

    def from_lines(self, text: str) -> WriteAnswer | None:
        """Read a list, one item a line."""
        found = [item[:400] for item in bullets(text)]
        return WriteAnswer(items=found[:12]) if found else None

    def built_in(self) -> WriteAnswer:
        """List the facts as they are."""
        return WriteAnswer(items=[_as_item(fact) for fact in self.facts])

    def _grounded(self, item: str) -> str:
        """Return an item with those of its sources that bear it out; empty when it says more."""
        text, cited = without_cites(item), cites(item)
        likeness = {
            fact: _likeness(text, fact.fact)
            for fact in self.facts
            if set(cited).intersection(fact.sources)
        }
        if not likeness or has_link(text):
            return ""
        nearest = max(likeness, key=likeness.__getitem__)
        used = [fact for fact in likeness if likeness[fact] >= 0.6 * likeness[nearest]]
        ground = " ".join(f"{fact.fact} {fact.quote} {fact.date}" for fact in used)
        if not numbers(text) <= numbers(ground) or negated(text) != negated(nearest.fact):
            return ""
        if not self._borne_out(text, ground):
            return ""
        borne = {number for fact in used for number in fact.sources}
        return f"{text} {_marks([number for number in cited if number in borne])}"

    def _borne_out(self, text: str, ground: str) -> bool:
        if _translates(self.language, [fact.fact for fact in self.facts]):
            return shared(text, ground) >= _OF_TRANSLATION
        return tells(ground, text)

    def _tells(self, item: str, fact: CitedFact) -> bool:
        """Return whether nothing of `fact` is lost when only `item` is shown."""
        text = without_cites(item)
        return (
            bool(set(cites(item)).intersection(fact.sources))
            and numbers(fact.fact) <= numbers(text)
            and _likeness(text, fact.fact) >= self._least
        )

    @property
    def _least(self) -> float:
        """The share of known words from which an item and a fact tell the same."""
        translates = _translates(self.language, [fact.fact for fact in self.facts])
        return _OF_TRANSLATION if translates else 0.5


class Summarise(Record, frozen=True, kw_only=True):
    """Say the news in one sentence."""

    goal: str
    facts: tuple[str, ...]
    language: str = ""
    task: ClassVar[str] = "summarise"
    answer: ClassVar[type] = SummaryAnswer
    max_tokens: ClassVar[int] = 120

    def slots(self, _characters: int) -> Mapping[str, str]:
        """Return what the prompt file wants."""
        return {
            "goal": self.goal,
            "facts": "\n".join(f"- {fact}" for fact in self.facts),
            "language": self.language or "the language of the facts",
        }

    def check(self, answer: SummaryAnswer) -> SummaryAnswer:
        """Refuse a sentence that says more than the facts do."""
        sentence = shorten(clean(without_cites(answer.sentence)), 150)
        nearest = max(self.facts, key=lambda fact: _likeness(sentence, fact), default="")
        overlap = _OF_TRANSLATION if _translates(self.language, self.facts) else None
        if not supported(sentence, nearest, overlap=overlap):
            raise InvalidInput("the sentence says something that the news does not")
        return SummaryAnswer(sentence=sentence)

    def from_lines(self, text: str) -> SummaryAnswer | None:
        """Take a single line of prose."""
        found = [line.strip() for line in text.splitlines() if line.strip()]
        if len(found) != 1 or not 10 <= len(found[0]) <= 150:
            return None
        return SummaryAnswer(sentence=found[0])

    def built_in(self) -> SummaryAnswer:
        """Take the first fact."""
        return SummaryAnswer(sentence=extractive.headline(self.facts))


def cites(item: str) -> list[int]:
    """Return the source numbers that an item cites, as in [S3], in their order."""
    marks = "".join(_CITES.findall(item))
    return list(dict.fromkeys(int(number) for number in _CITED.findall(marks)))


def without_cites(item: str) -> str:
    """Return the item's words alone."""
    return " ".join(_CITES.sub("", item).split())


def _as_item(fact: CitedFact) -> str:
    return f"{shorten(fact.fact, 340)} {_marks(fact.sources)}"


def _marks(sources: Sequence[int]) -> str:
    return "".join(f"[S{number}]" for number in sources)


def _likeness(left: str, right: str) -> float:
    """Return how much of the shorter telling is in the other, 0..1."""
    return max(shared(left, right), shared(right, left))


def _translates(language: str, facts: Sequence[str]) -> bool:
    """Return whether facts are to be told in another language than theirs."""
    wanted = language.partition("-")[0].lower()
    return bool(wanted) and language_of(" ".join(facts)) != wanted
