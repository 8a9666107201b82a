"""What a scout read and reported before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from msgspec import field

from scout_cli.core.models import Novelty, Opinion, Record, SeenPage
from scout_cli.core.ports.thinking import Vector

NEAREST = 30
"""Earlier findings that a fact is compared with: facts in one template are closer to each other
than two tellings of one event, and a scout may find many."""

Told: TypeAlias = Literal["before", "now", "never"]
"""When the user was told of a finding, or of what it repeats: in an earlier run, in this one,
never."""


class Earlier(Record, frozen=True, kw_only=True):
    """A finding that a fact is compared with: of an earlier run of the scout, or of this one."""

    id: UUID
    fact: str
    canonical_url: str
    created_at: datetime
    story_id: UUID | None = None
    novelty: Novelty = "new"
    told: Told = "before"
    opinion: Opinion | None = None
    """What the user said of it, or of what it was held back for."""
    said_at: datetime | None = None
    """When that was said."""


class Neighbour(Record, frozen=True, kw_only=True):
    """An earlier finding and how close it is."""

    finding: Earlier
    cosine: float


class Habits(Record, frozen=True, kw_only=True):
    """What is usual for a scout, and what its user made of its findings."""

    background: float | None = None
    """Median cosine of two different findings; None when there are too few."""
    sample: int = 0
    """Stories that the background was taken from; 0 when there are too few."""
    shift: float = 0.0
    """Added to both cut-offs, -0.06 to 0.06: below zero holds back more, above it less."""
    hosts: dict[str, float] = field(default_factory=dict)
    """Liking by registrable domain, -1 to 1."""
    terms: dict[str, float] = field(default_factory=dict)
    """Liking by word, -1 to 1."""


class Background(Record, frozen=True, kw_only=True):
    """How similar two different findings of one scout are, as a rule."""

    cosine: float | None = None
    """The median; None when there are too few findings to say."""
    sample: int = 0
    """Stories that it was taken from; 0 when there are too few."""
    remade: int = 0
    """Earlier findings that got another vector, since theirs had another length."""


class Memory(Protocol):
    """What the same scout read and reported before."""

    async def habits(self) -> Habits:
        """Return what the user made of this scout's findings; the background is left out."""
        ...

    async def background(self, like: Vector) -> Background:
        """Return how similar this scout's findings are, by the current embedder.

        Args:
            like: one of its vectors; those of another length are made again, or left out.
        """
        ...

    async def page(self, canonical_url: str) -> SeenPage | None:
        """Return what is remembered of a page, or None."""
        ...

    async def nearest(self, fact: str, vector: Vector, limit: int = NEAREST) -> Sequence[Neighbour]:
        """Return the closest earlier findings of the current embedder, closest first.

        Repeats of one finding must not take the places of others.

        Args:
            fact: the sentence to compare.
            vector: its embedding.
            limit: how many at most.
        """
        ...

    async def from_page(self, canonical_url: str) -> Sequence[Earlier]:
        """Return the earlier findings that came from this page."""
        ...

    async def keep(self, subject: UUID, vector: Vector) -> None:
        """Hold the vector of a new fact, to be stored when the run completes."""
        ...
