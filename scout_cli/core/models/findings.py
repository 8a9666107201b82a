"""A fact, the sentence that proves it, and how its novelty was decided."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from scout_cli.core.models.pages import DateOrigin
from scout_cli.core.models.record import Record
from scout_cli.core.models.runs import AnsweredBy

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
    """Stories that the background was taken from; 0 for the embedder's own."""
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
