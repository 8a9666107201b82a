"""Which earlier findings a fact is compared with: the closest ones, and some for uncommon words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any
from uuid import UUID

from scout_cli.core.ports import NEAREST, Vector
from scout_cli.core.standing import Standing
from scout_cli.service.uncommon import Uncommon
from scout_cli.store.vectors import EarlierVector

_TELLINGS = 2
"""Findings of one matter among the nearest: its repeats must not take the places of others."""
_SHARING = 3
"""One of so many may be there for its uncommon words."""


def _any(_place: int) -> bool:
    return True


class Lookback:
    """The findings of a scout, to be looked back at.

    Args:
        stored: the findings, oldest first.
        standings: what became of each.
        rows: their vectors, a numpy row each.
    """

    def __init__(
        self, stored: Sequence[EarlierVector], standings: Mapping[UUID, Standing], rows: Any
    ) -> None:
        self._stored = stored
        self._standings = standings
        self._rows = rows

    @cached_property
    def _uncommon(self) -> Uncommon:
        return Uncommon([each.fact for each in self._stored])

    def nearest(
        self,
        fact: str,
        vector: Vector,
        limit: int = NEAREST,
        among: Callable[[int], bool] = _any,
    ) -> list[tuple[int, float]]:
        """Return places of findings and their cosines, closest first.

        Of one matter only the closest tellings, and none of them twice.

        Args:
            fact: the sentence.
            vector: its embedding, of the length of `rows`.
            limit: how many at most.
            among: says of a place whether it counts.
        """
        import numpy as np  # noqa: PLC0415 - a tenth of a second that most commands save

        cosines = self._rows @ np.asarray(vector, dtype="<f4")
        sharing = limit // _SHARING
        rare = self._uncommon.shared(fact, 4 * sharing)
        places = set(islice(self._different(filter(among, rare)), sharing))
        order = self._different(filter(among, np.argsort(-cosines, kind="stable").tolist()))
        places |= set(islice((at for at in order if at not in places), limit - len(places)))
        return [
            (at, round(float(cosines[at]), 4))
            for at in sorted(places, key=lambda at: (-cosines[at], at))
        ]

    def _different(self, order: Iterable[int]) -> Iterator[int]:
        """Leave out what tells a matter in words that were there, or once too often."""
        told: Counter[UUID] = Counter()
        words: set[tuple[UUID, str]] = set()
        for at in order:
            each = self._stored[at]
            matter = self._standings[each.id].matter
            if told[matter] == _TELLINGS or (matter, each.fact) in words:
                continue
            told[matter] += 1
            words.add((matter, each.fact))
            yield at
