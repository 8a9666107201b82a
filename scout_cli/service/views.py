"""What programs are shown of stored rows: no secret, nothing of how a run is held."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from scout_cli.core.models import (
    AnsweredBy,
    Counts,
    DateOrigin,
    Digest,
    Finding,
    Location,
    Novelty,
    Outcome,
    Problem,
    Record,
    ResultsSummary,
    Secret,
    State,
    Status,
    StepKind,
    Usage,
)
from scout_cli.core.news import MessageKind, OutboxState


class ScoutView(Record, frozen=True, kw_only=True):
    """A scout."""

    id: UUID
    title: str
    goal: str | None = None
    description: str | None = None
    is_active: bool
    paused_reason: str | None = None
    """Why scout paused it; null when a person did, or nobody."""
    schedule: str
    timezone: str
    frequency: str | None = None
    """The nearest of `daily`, `every_3_days` and `weekly`."""
    next_run_at: datetime | None = None
    last_run_at: datetime | None = None
    consecutive_failures: int
    location: Location | None = None
    language: str | None = None
    search_queries: list[str]
    planned_queries: list[str]
    """What the model added to `search_queries`."""
    urls: list[str]
    feeds: list[str]
    include_domains: list[str]
    exclude_domains: list[str]
    notify: list[Secret]
    """What may be seen of its channels: their URLs hold secrets and are never told."""
    digest: Digest | None = None
    created_at: datetime
    updated_at: datetime


class ExecutionGlance(Record, frozen=True, kw_only=True):
    """A run, as a line of a list."""

    id: UUID
    scout_id: UUID
    status: Status
    state: State
    """Where it is in its life: `queued` and `cancelled` are `running` and `failed` as a status."""
    outcome: Outcome | None = None
    """How it ended; null before."""
    trigger: str
    """`manual` at a terminal, `schedule` for a slot, `api` for a program."""
    started_at: datetime
    completed_at: datetime | None = None
    slot_at: datetime | None = None
    run_after: datetime | None = None
    """When it may begin, while it is queued."""
    attempt: int
    summary_text: str | None = None
    error_message: str | None = None
    error_class: str | None = None
    counts: Counts | None = None
    usage: Usage | None = None


class ExecutionView(ExecutionGlance, frozen=True, kw_only=True):
    """A run with what it found and who answered."""

    results_summary: ResultsSummary | None = None
    """`response` is the brief, Markdown."""
    problems: tuple[Problem, ...] = ()
    model: str | None = None
    embedder: str | None = None
    prompts: str | None = None
    """A hash of what was shown to the model whatever the wish: questions, schemas, tools."""


class StepView(Record, frozen=True, kw_only=True):
    """One step of a run."""

    id: UUID
    execution_id: UUID
    step_number: int
    step_type: StepKind
    description: str
    status: Status
    answered_by: AnsweredBy | None = None
    started_at: datetime
    completed_at: datetime | None = None
    error_message: str | None = None
    input_data: Any = None
    output_data: Any = None


class FindingView(Record, frozen=True, kw_only=True):
    """One fact, with the sentence that proves it."""

    id: UUID
    scout_id: UUID
    execution_id: UUID | None
    source: int
    """The number the brief cites it by, as in [S3]."""
    fact: str
    quote: str
    """Verbatim from the page."""
    url: str
    host: str
    title: str
    published_at: datetime | None = None
    published_from: DateOrigin
    stated_date: str
    novelty: Novelty
    changed: str
    """For an update: what is different now."""
    story_id: UUID | None = None
    same_as: UUID | None = None
    similarity: float | None = None
    reason: str
    answered_by: AnsweredBy
    created_at: datetime


class ChannelView(Record, frozen=True, kw_only=True):
    """A channel, without its secrets."""

    id: UUID
    name: str
    state: Literal["active", "disabled"]
    reason: str = ""
    """Why it is disabled."""
    failing_since: datetime | None = None
    pending: int
    dead: int
    unknown: int
    last_sent_at: datetime | None = None
    created_at: datetime


class PostView(Record, frozen=True, kw_only=True):
    """A message of the outbox."""

    id: UUID
    channel_id: UUID
    scout_id: UUID | None = None
    execution_id: UUID | None = None
    kind: MessageKind
    subject: str
    state: OutboxState
    attempt: int
    next_attempt_at: datetime
    last_error: str
    created_at: datetime
    sent_at: datetime | None = None


class MessageView(Record, frozen=True, kw_only=True):
    """A line of the conversation about a scout."""

    id: UUID
    scout_id: UUID
    role: Literal["user", "assistant"]
    content: str
    created_at: datetime


class Preferences(Record, frozen=True, kw_only=True):
    """What holds for all scouts of a user."""

    location: Location | None = None
    """Where the user is; null when they did not say."""
    updated_at: datetime | None = None
    """Null before anything was set."""


class Day(Record, frozen=True, kw_only=True):
    """What runs that began on one day (UTC) consumed."""

    day: date
    runs: int = 0
    failed: int = 0
    searches: int = 0
    pages: int = 0
    calls: int = 0
    """Calls of the language model."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


def finding_view(finding: Finding) -> FindingView:
    """Return what programs see of a finding."""
    return FindingView(**{name: getattr(finding, name) for name in FindingView.__struct_fields__})
