"""What the agent is asked to do, within what bounds, and what it gives back."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from scout_cli.core.models import (
    AnsweredBy,
    Counts,
    DateOrigin,
    Location,
    Novelty,
    Outcome,
    Path,
    Problem,
    Record,
    ResultsSummary,
    Usage,
)
from scout_cli.core.urls import canonical
from scout_cli.core.words import names_topic

Recency = Literal["d", "w", "m", "y"]
"""The time windows that search engines offer: last day, week, month, year."""


class Window(Record, frozen=True, kw_only=True):
    """How far back to look."""

    recency: Recency | None = None
    """What to ask of a search engine; None asks for everything."""
    since: datetime | None = None
    """Facts known to be older than this are stale, unless it is the scout's first run."""


class Budget(Record, frozen=True, kw_only=True):
    """The bounds of one run; whatever runs out first ends it with what was verified so far."""

    searches: int = 8
    pages: int = 8
    calls: int = 12
    """Calls of the language model."""
    tokens: int = 50_000
    """Prompt tokens, all calls together."""
    seconds: float = 1_800.0
    rounds: int = 2
    """Follow-up rounds after the first, when the model asks for them."""


class Job(Record, frozen=True, kw_only=True):
    """A wish, ready to run."""

    goal: str
    title: str = ""
    description: str = ""
    queries: tuple[str, ...] = ()
    planned: tuple[str, ...] | None = None
    """Queries the model added in an earlier run, maybe none; None asks it."""
    location: Location | None = None
    language: str = ""
    urls: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    include_domains: tuple[str, ...] = ()
    exclude_domains: tuple[str, ...] = ()
    window: Window = Window()
    first: bool = True
    """The first run is a baseline: everything found is reported."""
    budget: Budget = Budget()
    id: UUID | None = None
    asked_at: datetime | None = None
    """The present of this run, which freshness follows from; None for the clock's."""

    @property
    def takes_what_comes(self) -> bool:
        """Whether it wants whatever its own feeds and pages bring, and names no topic.

        There is nothing to search for then. Its title is a name; a query that is more names a
        topic.
        """
        asked = [self.goal, *(query for query in self.queries if query != self.title)]
        return bool(self.feeds or self.urls) and not any(map(names_topic, asked))

    @property
    def watched(self) -> frozenset[str]:
        """The canonical URLs of pages that are watched for themselves, not for a topic."""
        return frozenset(map(canonical, self.urls)) if self.takes_what_comes else frozenset()


class ReportedFact(Record, frozen=True, kw_only=True):
    """A verified fact with its novelty, as a run reports it."""

    id: UUID
    source: int
    fact: str
    quote: str
    url: str
    canonical_url: str
    host: str
    title: str
    published_at: datetime | None = None
    published_from: DateOrigin = "none"
    novelty: Novelty
    same_as: UUID | None = None
    similarity: float | None = None
    reason: str = ""
    stated_date: str = ""
    """When it happens, in the page's words, if the page says so."""
    answered_by: AnsweredBy = "model"
    story_id: UUID | None = None
    """The first finding of the event that this one belongs to."""
    changed: str = ""
    """For an update: what is different now, in a few words."""
    path: Path | None = None
    """How the novelty was decided."""


class Item(Record, frozen=True, kw_only=True):
    """One line of the brief and the pages that prove it."""

    text: str
    sources: tuple[int, ...]
    possible_repeat: bool = False
    changed: str = ""
    """For an update of an earlier finding: what is different now."""


class Source(Record, frozen=True, kw_only=True):
    """A page that was read in this run and may be cited."""

    number: int
    url: str
    host: str
    title: str
    published_at: datetime | None = None
    published_from: DateOrigin = "none"


class Result(Record, frozen=True, kw_only=True):
    """What a run found."""

    outcome: Outcome
    results_summary: ResultsSummary
    """`response` is the brief, Markdown with links."""
    summary: str = ""
    """One sentence of at most 150 characters; empty when nothing is new."""
    items: tuple[Item, ...] = ()
    """The brief line by line, for renderers other than Markdown."""
    facts: tuple[ReportedFact, ...] = ()
    sources: tuple[Source, ...] = ()
    counts: Counts = Counts()
    usage: Usage = Usage()
    problems: tuple[Problem, ...] = ()
    unfinished: tuple[str, ...] = ()
    """Canonical URLs of pages that were read and not wholly taken in, for want of time or budget:
    the next run reads them again."""
    planned: tuple[str, ...] | None = None
    """Queries the model added; None when it was not asked."""
