"""What a user knows of an earlier finding, and what was said of it, by what it repeats or follows.

Only what was told can be told again: a finding that was held back is known by what it repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from scout_cli.core.models import HELD_BACK, Novelty, Opinion, Record
from scout_cli.core.ports import Told


class Kept(Protocol):
    """An earlier finding as it is stored."""

    @property
    def id(self) -> UUID: ...  # noqa: D102 - as stored

    @property
    def novelty(self) -> Novelty: ...  # noqa: D102

    @property
    def same_as(self) -> UUID | None: ...  # noqa: D102

    @property
    def opinion(self) -> Opinion | None: ...  # noqa: D102

    @property
    def said_at(self) -> datetime | None: ...  # noqa: D102


K = TypeVar("K", bound=Kept)


class Standing(Record, frozen=True, kw_only=True):
    """Where an earlier finding stands with the user."""

    matter: UUID
    """The finding that says this for the first time: itself, unless it is a repeat."""
    told: Told
    opinion: Opinion | None = None
    """What the user said of it, or of what it was held back for."""
    said_at: datetime | None = None


def standings(found: Sequence[K]) -> dict[UUID, Standing]:
    """Return where each of a scout's findings stands, by its identifier.

    A repeat of something that was never told was never told either. An opinion reaches what was
    held back for it, however many steps away, and goes when it is taken back.
    """
    by_id = {each.id: each for each in found}
    known: dict[UUID, Standing] = {}
    for each in found:
        chain = {each.id: each}
        last = each
        while (before := _followed(last, by_id)) and not (before.id in known or before.id in chain):
            chain[before.id] = last = before
        for link in reversed(chain.values()):
            after = _followed(link, by_id)
            known[link.id] = _standing(link, known.get(after.id) if after else None)
    return known


def _followed(each: K, by_id: dict[UUID, K]) -> K | None:
    """Return what a finding was held back for, as far as that is still there."""
    if each.novelty not in HELD_BACK or each.same_as is None:
        return None
    return by_id.get(each.same_as)


def _standing(each: Kept, followed: Standing | None) -> Standing:
    opinion, said_at = each.opinion, each.said_at
    if opinion in (None, "repeat") and followed:
        opinion, said_at = followed.opinion, followed.said_at
    repeats = each.novelty == "repeat"
    matter = followed.matter if repeats and followed else each.id
    told: Told = "before"  # also a repeat of what was forgotten since
    if repeats and followed:
        told = followed.told
    elif each.novelty in HELD_BACK and not repeats:
        told = "never"
    return Standing(matter=matter, told=told, opinion=opinion, said_at=said_at)
