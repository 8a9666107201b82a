"""What scout keeps: scouts, their executions, the steps of a run and the findings.

Field names are the column names. The first group of each record belongs to the web interface's
tables; the second is ours and stands beside it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

Secret = Annotated[str, Meta(extra={"secret": True})]
"""Text that is stored encrypted, where the database was opened with keys."""

Status = Literal["running", "completed", "failed"]
TaskStatus = Literal["completed", "partial", "not_found", "insufficient_data"]
StepKind = Literal["search", "scrape", "analyze", "summarize", "tool_call"]
Frequency = Literal["hourly", "daily", "every_3_days", "weekly"]

Outcome = Literal["new", "nothing_new", "degraded", "could_not_look", "failed"]
"""How a run ended, for people and scripts.

`degraded` found nothing new but could not look everywhere; `could_not_look` read nothing at all.
"""

State = Literal["queued", "running", "completed", "failed", "cancelled"]
"""Where an execution is in its life; `Status` is what the web interface sees of it."""

Digest = Literal["daily", "weekly"]

Novelty = Literal["new", "update", "possible_repeat", "repeat", "stale", "suppressed"]
"""What a finding is beside what was found before.

`new`, `update` (of an earlier finding, by another number, date or state) and `possible_repeat`
(labelled) are reported; `repeat`, `stale` and `suppressed` (by what the user said) are stored in
silence.
"""

REPORTED: tuple[Novelty, ...] = ("new", "update", "possible_repeat")
HELD_BACK: tuple[Novelty, ...] = ("repeat", "stale", "suppressed")

Opinion = Literal["useful", "not_useful", "repeat", "wrong"]
"""What a user says of a finding."""

AnsweredBy = Literal["model", "repair", "lines", "fallback", "built-in", "code"]
"""Who produced a step's output.

`repair` is the model's second try, `lines` its answer in the line format, `fallback` the built-in
engine after bad model output, `built-in` the built-in engine by choice, `code` needs no engine.
"""

PageOutcome = Literal[
    "read",
    "unchanged",
    "not_found",
    "blocked",
    "consent",
    "captcha",
    "needs_browser",
    "empty",
    "http_error",
    "too_large",
    "timeout",
    "unreachable",
    "redirects",
    "unsupported_type",
    "unreadable",
    "refused",
    "robots",
]
"""What became of one page. Only `read` and `unchanged` count as "looked"."""

DateOrigin = Literal["json-ld", "meta", "time", "feed", "url", "header", "search", "none"]
"""Where a publish date was found, best first."""


class Record(Struct, frozen=True, kw_only=True):
    """A stored row, or a part of one. Change it with `msgspec.structs.replace`."""


class Location(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A place, as the web interface writes it; `city="any"` means anywhere."""

    city: str | None = None
    state: str | None = None
    state_code: str | None = field(default=None, name="stateCode")
    country: str | None = None
    country_code: str | None = field(default=None, name="countryCode")
    latitude: float | None = None
    longitude: float | None = None


class Scout(Record, frozen=True, kw_only=True):
    """A saved wish."""

    id: UUID
    user_id: UUID
    title: str
    description: str | None = None
    goal: str | None = None
    search_queries: list[str] = []
    location: Location | None = None
    frequency: str | None = None
    is_active: bool = True
    last_run_at: datetime | None = None
    consecutive_failures: int = 0
    created_at: datetime
    updated_at: datetime

    schedule: str = "daily"
    """`hourly`, `daily`, `every_3_days`, `weekly` or a cron line."""
    timezone: str = "UTC"
    language: str | None = None
    """BCP 47 tag such as `de` or `pt-BR`; searches and the brief are in this language."""
    urls: list[str] = []
    feeds: list[str] = []
    include_domains: list[str] = []
    exclude_domains: list[str] = []
    notify: list[Secret] = []
    next_run_at: datetime | None = None
    planned_queries: list[str] = []
    """What the model added to `search_queries` the last time it was asked."""
    planned_for: str | None = None
    """Fingerprint of goal, queries, place and language that `planned_queries` answers to."""
    key: str | None = None
    """The name a scouts.toml knows it by."""
    paused_reason: str | None = None
    """Why scout paused it; None when a person did, or nobody."""
    digest: Digest | None = None
    """Gather its news into one message a day or a week; None tells at once."""
    anchor: datetime | None = None
    """Slot 0 of a named rhythm; None until the first slot is known."""
    late_slot: datetime | None = None
    """The slot whose lateness its owner was told about."""


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
    problems: list[Problem] = []
    prompts: str | None = None
    """Fingerprint of the prompt files in use."""


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


class Near(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An earlier finding that a fact was compared with."""

    id: UUID
    cosine: float
    differs: str = ""
    """The detail that speaks against a repeat; empty when none does."""


class Rung(Record, frozen=True, kw_only=True):
    """One step of the ladder that decides whether a fact is new."""

    name: Literal["page", "words", "details", "cosine", "model", "opinion", "window"]
    outcome: str
    """What came of it, a few words."""
    detail: str = ""
    """The numbers and words behind it, one line."""


class Path(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How the novelty of a fact was decided, with everything that went into it."""

    rungs: tuple[Rung, ...] = ()
    """In the order in which they were asked; the last one decided."""
    near: tuple[Near, ...] = ()
    """Closest first."""
    embedder: str = ""
    cutoffs: tuple[float, float] | None = None
    """The cosines (lower, upper) in force: the embedder's, on this scout's background, shifted."""
    background: float | None = None
    """How similar two different findings of this scout are, as a rule."""
    sample: int = 0
    """Findings that the background was taken from; 0 for the embedder's own."""
    shift: float = 0.0
    """By how much what the user said moved the cut-offs."""
    judged: str = ""
    """What the model said is new, or `none`, or `unsure`; empty when it was not asked."""
    judged_by: AnsweredBy | None = None


class Finding(Record, frozen=True, kw_only=True):
    """One fact, with the sentence that proves it."""

    id: UUID
    user_id: UUID
    scout_id: UUID
    execution_id: UUID | None
    """None after its execution was deleted: findings outlive executions."""
    source: int
    """The number the brief cites it by, as in [S3]."""
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
    """The earlier finding that this one repeats, or may repeat."""
    similarity: float | None = None
    """Cosine to that finding, -1..1."""
    reason: str = ""
    """Why the novelty is what it is, in one line."""
    stated_date: str = ""
    """When it happens, in the page's words, if the page says so."""
    answered_by: AnsweredBy = "model"
    created_at: datetime
    story_id: UUID | None = None
    """The first finding of the event that this one belongs to; its own id for the first."""
    changed: str = ""
    """For an update: what is different now, in a few words."""
    path: Path | None = None
    """How it was decided; None for findings from before scout kept it."""


class SeenPage(Record, frozen=True, kw_only=True):
    """What scout remembers of a page so as not to read it again unchanged."""

    scout_id: UUID
    user_id: UUID
    canonical_url: str
    etag: str | None = None
    last_modified: str | None = None
    content_hash: str
    read_at: datetime


class PageSnapshot(Record, frozen=True, kw_only=True):
    """The text of a page as a run read it; quotes are checked against this."""

    id: UUID
    execution_id: UUID
    scout_id: UUID
    user_id: UUID
    source: int | None
    url: str
    final_url: str
    canonical_url: str
    outcome: PageOutcome
    http_status: int | None = None
    detail: str = ""
    title: str = ""
    text: str = ""
    content_hash: str = ""
    published_at: datetime | None = None
    published_from: DateOrigin = "none"
    fetched_at: datetime


class User(Record, frozen=True, kw_only=True):
    """Somebody who owns scouts. The command line acts for the local owner, who has no e-mail."""

    id: UUID
    email: str | None = None
    is_local: bool = False
    created_at: datetime
    role: Literal["user", "admin"] = "user"
    user_metadata: dict[str, Any] = {}
    email_confirmed_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    disabled_at: datetime | None = None
    updated_at: datetime | None = None


class ChatMessage(Record, frozen=True, kw_only=True):
    """One message of the conversation about a scout."""

    id: UUID
    scout_id: UUID
    user_id: UUID
    role: Literal["user", "assistant"]
    content: str
    created_at: datetime


class ScoutPatch(Record, frozen=True, kw_only=True):
    """The fields of a scout to change; what is UNSET stays."""

    title: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    goal: str | UnsetType | None = UNSET
    search_queries: list[str] | UnsetType = UNSET
    location: Location | UnsetType | None = UNSET
    frequency: str | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET
    last_run_at: datetime | UnsetType | None = UNSET
    consecutive_failures: int | UnsetType = UNSET
    schedule: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    language: str | UnsetType | None = UNSET
    urls: list[str] | UnsetType = UNSET
    feeds: list[str] | UnsetType = UNSET
    include_domains: list[str] | UnsetType = UNSET
    exclude_domains: list[str] | UnsetType = UNSET
    notify: list[Secret] | UnsetType = UNSET
    next_run_at: datetime | UnsetType | None = UNSET
    planned_queries: list[str] | UnsetType = UNSET
    planned_for: str | UnsetType | None = UNSET
    key: str | UnsetType | None = UNSET
    paused_reason: str | UnsetType | None = UNSET
    digest: Digest | UnsetType | None = UNSET
    anchor: datetime | UnsetType | None = UNSET
    late_slot: datetime | UnsetType | None = UNSET
