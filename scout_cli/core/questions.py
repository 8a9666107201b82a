"""The small tasks that a run asks of a model, each with a flat, capped answer.

Every question knows its prompt, how to check an answer against what is known, how to read an
answer that came as lines instead of JSON, and how to answer itself without any model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from msgspec.structs import replace

from scout_cli.core import extractive, passages, tools
from scout_cli.core.answers import (
    MAX_FACTS,
    MAX_QUERIES,
    Claim,
    ExtractAnswer,
    FollowUpAnswer,
    PlanAnswer,
    SetUpAnswer,
)
from scout_cli.core.grounds import without_links
from scout_cli.core.models import Record
from scout_cli.core.ports import ToolCall
from scout_cli.core.report import clean
from scout_cli.core.words import fold, shorten, terms
from scout_cli.errors import InvalidInput

_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+(.*)$")
_FIELD = re.compile(
    r"^\s*(?:[-*•]\s*)?(fact|quote|date|title|query|sentence)\s*:\s*(.*)$", re.IGNORECASE
)
_OPERATORS = re.compile(r"\b(?:site|inurl|intitle|filetype|cache|related):\S*", re.IGNORECASE)


class SetUp(Record, frozen=True, kw_only=True):
    """Fill in a wish: title, description, queries."""

    goal: str
    place: str = ""
    language: str = ""
    task: ClassVar[str] = "set_up"
    answer: ClassVar[type] = SetUpAnswer
    max_tokens: ClassVar[int] = 400

    def slots(self, _characters: int) -> Mapping[str, str]:
        """Return what the prompt file wants."""
        return {
            "goal": self.goal,
            "place": self.place or "anywhere",
            "language": self.language or "the goal's",
        }

    def check(self, answer: SetUpAnswer) -> SetUpAnswer:
        """Tidy the answer: one-line title, distinct queries without operators."""
        title = shorten(" ".join(clean(answer.title).split()[:4]), 60)
        found = _clean_queries(answer.queries)
        if len(title) < 2 or not found:
            raise InvalidInput("a title and at least one query are needed")
        return replace(
            answer, title=title, description=shorten(clean(answer.description), 240), queries=found
        )

    def from_lines(self, text: str) -> SetUpAnswer | None:
        """Read `title:` and a list of queries."""
        fields = dict(_fields(text))
        found = bullets(text)
        if "title" not in fields or not found:
            return None
        return SetUpAnswer(title=fields["title"][:60], description="", queries=found[:MAX_QUERIES])

    def built_in(self) -> SetUpAnswer:
        """Take title and queries from the goal's own words."""
        return SetUpAnswer(
            title=extractive.title(self.goal),
            description=shorten(self.goal, 240),
            queries=extractive.queries(self.goal, place=self.place, count=3),
        )


class Plan(Record, frozen=True, kw_only=True):
    """Add diverse queries to those that a scout has."""

    goal: str
    have: tuple[str, ...] = ()
    place: str = ""
    language: str = ""
    today: str = ""
    count: int = 3
    task: ClassVar[str] = "plan"
    answer: ClassVar[type] = PlanAnswer
    max_tokens: ClassVar[int] = 300

    def slots(self, _characters: int) -> Mapping[str, str]:
        """Return what the prompt file wants."""
        return {
            "goal": self.goal,
            "have": "\n".join(f"- {query}" for query in self.have) or "(none yet)",
            "place": self.place or "anywhere",
            "language": self.language or "the goal's",
            "today": self.today,
            "count": str(self.count),
        }

    def check(self, answer: PlanAnswer) -> PlanAnswer:
        """Keep what differs from the queries that are there already."""
        have = {tuple(sorted(terms(query))) for query in self.have}
        fresh = [
            query
            for query in _clean_queries(answer.queries)
            if tuple(sorted(terms(query))) not in have
        ]
        if not fresh and not self.have:
            raise InvalidInput("at least one query is needed")
        return PlanAnswer(queries=fresh[: self.count])

    def from_lines(self, text: str) -> PlanAnswer | None:
        """Read a list of queries."""
        found = bullets(text)
        return PlanAnswer(queries=found[:MAX_QUERIES]) if found else None

    def built_in(self) -> PlanAnswer:
        """Vary the goal's own words."""
        count = self.count + len(self.have)
        found = extractive.queries(self.goal, place=self.place, count=count)
        return self.check(PlanAnswer(queries=found))


class Extract(Record, frozen=True, kw_only=True):
    """Take the facts out of one page."""

    goal: str
    title: str
    text: str
    published: str = ""
    opening: int = 0
    """So many sentences from the top are the answer without a model, where the goal names no topic;
    0 where it does."""
    added: bool = False
    """Whether `text` is only what was added to a page."""
    task: ClassVar[str] = "extract"
    answer: ClassVar[type] = ExtractAnswer
    max_tokens: ClassVar[int] = 1_200

    def slots(self, characters: int) -> Mapping[str, str]:
        """Return what the prompt file wants; the page is cut to its best passages."""
        topic = "" if self.opening else self.goal
        return {
            "goal": self.goal,
            "title": shorten(self.title, 200),
            "published": self.published or "unknown",
            "page": passages.cut(self.text, topic, characters) if characters else self.text,
        }

    def check(self, answer: ExtractAnswer) -> ExtractAnswer:
        """Accept as it is: quotes are verified against the page, not here."""
        return answer

    def from_lines(self, text: str) -> ExtractAnswer | None:
        """Read blocks of `fact:` and `quote:` lines."""
        claims: list[Claim] = []
        fact = ""
        for name, value in _fields(text):
            if name == "fact":
                fact = value
            elif name == "quote" and fact:
                claims.append(Claim(fact=fact[:300], quote=value.strip('"')[:500]))
                fact = ""
        return ExtractAnswer(facts=claims[:MAX_FACTS]) if claims else None

    def built_in(self) -> ExtractAnswer:
        """Quote the sentences that say most about the goal, or those at the top."""
        if self.added:
            found = extractive.additions(self.text, self.opening)
        elif self.opening:
            found = extractive.opening(self.text, self.opening)
        else:
            picked = extractive.excerpts(self.text, self.goal, page_title=self.title)
            found = [excerpt.sentence for excerpt in picked]
        return ExtractAnswer(facts=[Claim(fact=shorten(said, 300), quote=said) for said in found])


class FollowUp(Record, frozen=True, kw_only=True):
    """Ask whether something important is missing."""

    goal: str
    facts: tuple[str, ...]
    unread: Mapping[int, str]
    """Results that were not read: their number in the list and their title."""
    queries: tuple[str, ...]
    task: ClassVar[str] = "follow_up"
    answer: ClassVar[type] = FollowUpAnswer
    max_tokens: ClassVar[int] = 200

    def slots(self, _characters: int) -> Mapping[str, str]:
        """Return what the prompt file wants."""
        return {
            "goal": self.goal,
            "facts": "\n".join(f"- {fact}" for fact in self.facts) or "(none)",
            "unread": "\n".join(f"{n}. {title}" for n, title in self.unread.items()) or "(none)",
            "queries": "\n".join(f"- {query}" for query in self.queries),
        }

    def check(self, answer: FollowUpAnswer) -> FollowUpAnswer:
        """Drop results that are not in the list and searches that were made."""
        made = {fold(query) for query in self.queries}
        searches = [q for q in _clean_queries(answer.searches) if fold(q) not in made]
        results = [number for number in answer.results if number in self.unread]
        return FollowUpAnswer(searches=searches, results=list(dict.fromkeys(results)))

    def from_calls(self, calls: Sequence[ToolCall]) -> FollowUpAnswer:
        """Read the answer of a model that was trained to call tools; unknown calls are ignored."""
        searches: list[str] = []
        results: list[int] = []
        for call in calls:
            try:
                arguments = tools.read(call)
            except InvalidInput:
                continue
            if isinstance(arguments, tools.SearchWeb):
                searches.append(arguments.query)
            else:
                results.append(arguments.result)
        return self.check(FollowUpAnswer(searches=searches[:2], results=results[:2]))

    def from_lines(self, _text: str) -> FollowUpAnswer | None:
        """Say that prose asks for nothing."""
        return FollowUpAnswer()

    def built_in(self) -> FollowUpAnswer:
        """Ask for nothing."""
        return FollowUpAnswer()


def _clean_queries(queries: Sequence[str]) -> list[str]:
    """One line each, search operators and addresses removed, no two with the same words."""
    distinct: dict[tuple[str, ...], str] = {}
    for query in queries:
        plain = without_links(_OPERATORS.sub(" ", clean(query)))
        text = " ".join(plain.split()).strip("\"'- ")
        if key := tuple(sorted(set(terms(text)))):
            distinct.setdefault(key, text[:120])
    return list(distinct.values())


def bullets(text: str) -> list[str]:
    """Return the items of a list that came as lines, without their bullets or numbers."""
    found = (match.group(1).strip() for line in text.splitlines() if (match := _BULLET.match(line)))
    return [item for item in found if len(item) > 1]


def _fields(text: str) -> list[tuple[str, str]]:
    found = (match for line in text.splitlines() if (match := _FIELD.match(line)))
    return [(match.group(1).lower(), match.group(2).strip()) for match in found]
