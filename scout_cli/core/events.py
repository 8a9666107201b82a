"""What the agent says while it works: one typed stream for terminal, database, server and tests.

Every event is JSON with an `event` field; `scout run --json` prints them verbatim, one a line.
Steps, pages and facts are durable; tokens are not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from msgspec import Struct

from scout_cli.core.job import Budget, ReportedFact, Result, Window
from scout_cli.core.models import (
    AnsweredBy,
    DateOrigin,
    PageOutcome,
    Problem,
    Status,
    StepKind,
)

SCHEMA = "scout.events/1"
"""The version of the stream. Fields and events are added within a version; what goes away, or
changes its meaning, makes a new one."""


def _tag(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class _Event(Struct, frozen=True, kw_only=True, tag_field="event", tag=_tag):
    at: datetime


class RunStarted(_Event, frozen=True, kw_only=True):
    """The run begins; who will think, embed and search."""

    schema: str = SCHEMA
    """The version of this stream, and of the schema file that describes it."""
    id: UUID | None
    goal: str
    title: str
    model: str
    embedder: str
    search: str
    window: Window
    budget: Budget


class StepStarted(_Event, frozen=True, kw_only=True):
    """A step begins. Numbers count from 1 in the order of starting."""

    number: int
    kind: StepKind
    description: str
    input: Any = None


class StepFinished(_Event, frozen=True, kw_only=True):
    """A step ends; every started step ends, in failure too."""

    number: int
    kind: StepKind
    status: Status
    output: Any = None
    error: str | None = None
    answered_by: AnsweredBy | None = None
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class TokenDelta(_Event, frozen=True, kw_only=True):
    """A piece of a model's answer as it appears. Not durable."""

    step: int
    text: str


class PageSeen(_Event, frozen=True, kw_only=True):
    """A page was fetched, or was not; `source` is its number when it may be cited."""

    step: int
    source: int | None
    url: str
    final_url: str
    canonical_url: str
    host: str
    title: str
    outcome: PageOutcome
    http_status: int | None = None
    detail: str = ""
    text: str = ""
    content_hash: str = ""
    published_at: datetime | None = None
    published_from: DateOrigin = "none"
    etag: str | None = None
    last_modified: str | None = None


class FactVerified(_Event, frozen=True, kw_only=True):
    """A claim whose quote stands in its page."""

    step: int
    source: int
    fact: str
    quote: str
    repaired: bool
    """The model's quote was close; the stored one is the page's exact text."""


class FactDropped(_Event, frozen=True, kw_only=True):
    """A claim whose quote is not in its page: it is not reported."""

    step: int
    source: int
    fact: str
    quote: str
    reason: str


class FactCompared(_Event, frozen=True, kw_only=True):
    """A verified fact, compared with what was reported before."""

    fact: ReportedFact


class Trouble(_Event, frozen=True, kw_only=True):
    """Something could not be done; the run goes on."""

    problem: Problem


class RunFinished(_Event, frozen=True, kw_only=True):
    """The run is over."""

    result: Result
    seconds: float


Event: TypeAlias = (
    RunStarted
    | StepStarted
    | StepFinished
    | TokenDelta
    | PageSeen
    | FactVerified
    | FactDropped
    | FactCompared
    | Trouble
    | RunFinished
)

Emit: TypeAlias = Callable[[Event], Awaitable[None]]
"""The awaited sink of a run. It raises `FenceLost` when the run must stop at once."""
