"""One run of a scout: where it stands, what it did, what it cost."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import field

from scout_cli.core.models.record import Record

Status = Literal["running", "completed", "failed"]

TaskStatus = Literal["completed", "partial", "not_found", "insufficient_data"]

StepKind = Literal["search", "scrape", "analyze", "summarize", "tool_call"]

Outcome = Literal["new", "nothing_new", "degraded", "could_not_look", "failed"]
"""How a run ended, for people and scripts.

`degraded` found nothing new but could not look everywhere; `could_not_look` read nothing at all.
"""

State = Literal["queued", "running", "completed", "failed", "cancelled"]
"""Where an execution is in its life; `Status` is what the web interface sees of it."""

AnsweredBy = Literal["model", "repair", "lines", "fallback", "built-in", "code"]
"""Who produced a step's output.

`repair` is the model's second try, `lines` its answer in the line format, `fallback` the built-in
engine after bad model output, `built-in` the built-in engine by choice, `code` needs no engine.
"""


class ResultsSummary(Record, frozen=True, kw_only=True, rename="camel"):
    """What the web interface reads of a result."""

    task_completed: bool
    task_status: TaskStatus
    response: str


class Usage(Record, frozen=True, kw_only=True):
    """What a run consumed."""

    searches: int = 0
    pages: int = 0
    calls: int = 0
    """Calls of the language model."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Counts(Record, frozen=True, kw_only=True):
    """What a run found, as numbers."""

    new: int = 0
    possible_repeats: int = 0
    updates: int = 0
    repeats: int = 0
    stale: int = 0
    suppressed: int = 0
    dropped: int = 0
    """Claims whose quote was not in the page."""
    read: int = 0
    unchanged: int = 0
    unread: int = 0

    @property
    def reported(self) -> int:
        """Return how many facts were told."""
        return self.new + self.updates + self.possible_repeats


class Problem(Record, frozen=True, kw_only=True):
    """Something that could not be done in a run, with what to do about it."""

    step: int | None = None
    code: str
    message: str
    hint: str = ""
    retryable: bool = True


class Execution(Record, frozen=True, kw_only=True):
    """One run of a scout."""

    id: UUID
    scout_id: UUID
    status: Status
    started_at: datetime
    completed_at: datetime | None = None
    error_message: str | None = None
    results_summary: ResultsSummary | None = None
    summary_text: str | None = None
    created_at: datetime

    user_id: UUID
    trigger: str = "manual"
    """`manual` for a person at a terminal, `schedule` for a slot, `api` for a program."""
    outcome: Outcome | None = None
    error_class: str | None = None
    fence: int = 1
    lease_until: datetime | None = None
    state: State = "running"
    slot_at: datetime | None = None
    """The slot it runs for; None for a run that somebody asked for."""
    covers_from: datetime | None = None
    """The oldest slot it stands for: missed slots become one run."""
    run_after: datetime | None = None
    attempt: int = 0
    """How often it was started, restarts after a crash not counted."""
    crash_count: int = 0
    lease_owner: str | None = None
    beats: int = 0
    """Signs of life so far."""
    deadline_at: datetime | None = None
    model: str | None = None
    embedder: str | None = None
    usage: Usage | None = None
    counts: Counts | None = None
    problems: list[Problem] = field(default_factory=list)
    prompts: str | None = None
    """Fingerprint of what was shown to the model whatever the wish; see `core.asking`."""


class Step(Record, frozen=True, kw_only=True):
    """One step of a run, as the web interface shows it."""

    id: UUID
    execution_id: UUID
    step_number: int
    step_type: StepKind
    description: str
    input_data: Any = None
    output_data: Any = None
    status: Status
    started_at: datetime
    completed_at: datetime | None = None
    error_message: str | None = None
    created_at: datetime

    user_id: UUID
    fence: int = 1
    answered_by: AnsweredBy | None = None
