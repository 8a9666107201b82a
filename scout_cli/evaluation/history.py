"""A user's own findings as cases: what each was beside those before it, and what the user said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median

from msgspec.structs import replace

from scout_cli.core import novelty
from scout_cli.core.cutoffs import Cutoffs
from scout_cli.core.details import signature
from scout_cli.core.likeness import Bar, beside
from scout_cli.core.models import Opinion, Record
from scout_cli.core.ports import Earlier, Embedder, Habits, Neighbour
from scout_cli.core.standing import standings
from scout_cli.core.words import terms
from scout_cli.service.lookback import Lookback
from scout_cli.service.memory import StoredMemory
from scout_cli.service.rebuilding import PROBE
from scout_cli.store import embedders, vectors
from scout_cli.store.database import Database
from scout_cli.store.vectors import EarlierVector

_NEWEST = 400
"""Findings of one scout that are looked at."""


class Bars(Record, frozen=True, kw_only=True):
    """From which cut-offs on a finding would be held back; asked of many, it is worked out once."""

    beside: tuple[tuple[float, Bar], ...]
    """Of each earlier finding its cosine, and the one from which it makes this one a repeat."""
    habits: Habits

    def held_back(self, cutoffs: Cutoffs) -> bool:
        """Return whether the ladder would keep it silent with these cut-offs."""
        levels = cutoffs.on(self.habits)
        return any(cosine >= bar.at(levels) for cosine, bar in self.beside)


class Past(Record, frozen=True, kw_only=True):
    """A stored finding beside the closest of those before it."""

    fact: str
    near: tuple[Neighbour, ...]
    opinion: Opinion | None = None
    habits: Habits = novelty.STRANGE
    """What holds for its scout whatever the cut-offs: its background, and the shift by opinions."""

    @property
    def repeat(self) -> bool | None:
        """Return whether the user said that it is one; None when nothing follows."""
        return {"repeat": True, "useful": False}.get(self.opinion or "")

    def bars(self) -> Bars:
        """Return from which cut-offs on the ladder would keep it silent."""
        details, wanted = signature(self.fact), terms(self.fact)
        compared = [beside(details, wanted, near, frozenset()) for near in self.near]
        bars = tuple((each.near.cosine, each.bar) for each in compared if each.bar is not None)
        return Bars(beside=bars, habits=self.habits)


class History(Record, frozen=True, kw_only=True):
    """What the findings of all scouts tell about an embedder."""

    past: tuple[Past, ...] = ()
    background: float | None = None
    """The middle one of the scouts' own backgrounds; None when no scout has enough stories."""

    @property
    def labelled(self) -> list[tuple[Past, bool]]:
        """Return the findings of which the user said whether they repeat."""
        return [(past, said) for past in self.past if (said := past.repeat) is not None]


async def history(db: Database, embedder: Embedder) -> History:
    """Return the findings that have a vector of this embedder, each beside those told before it.

    Raises:
        ModelUnavailable: the embedder does not answer.
    """
    past: list[Past] = []
    backgrounds: list[float] = []
    (like,) = await embedder.embed([PROBE])
    for scout_id in await embedders.scouts_of(db, embedder.name):
        memory = StoredMemory(db, scout_id, embedder)
        usual = await memory.background(like)
        habits = replace(await memory.habits(), background=usual.cosine, sample=usual.sample)
        found = await vectors.of_scout(db, scout_id, embedder.name)
        past += _replayed(found, habits)
        if usual.cosine is not None:
            backgrounds.append(usual.cosine)
    background = round(median(backgrounds), 3) if backgrounds else None
    return History(past=tuple(past), background=background)


def _replayed(found: Sequence[EarlierVector], habits: Habits) -> Iterator[Past]:
    import numpy as np  # noqa: PLC0415 - a tenth of a second that most commands save

    known = standings(found)
    stored = found[-_NEWEST:]
    rows = np.stack([np.frombuffer(each.vector, dtype="<f4") for each in stored])
    lookback = Lookback(stored, known, rows)
    told = [known[each.id].told != "never" for each in stored]
    for at, each in enumerate(stored):
        near = lookback.nearest(each.fact, rows[at], among=partial(_before, at, told))
        neighbours = tuple(
            Neighbour(finding=_earlier(stored[other]), cosine=cosine) for other, cosine in near
        )
        yield Past(fact=each.fact, near=neighbours, opinion=each.opinion, habits=habits)


def _before(at: int, told: Sequence[bool], other: int) -> bool:
    return other < at and told[other]


def _earlier(stored: EarlierVector) -> Earlier:
    return Earlier(
        id=stored.id,
        fact=stored.fact,
        canonical_url=stored.canonical_url,
        created_at=stored.created_at,
    )
