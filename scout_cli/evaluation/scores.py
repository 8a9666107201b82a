"""How well duplicates were told from news: counts, and the shares that follow from them."""

from __future__ import annotations

from collections.abc import Iterable

from scout_cli.core.models import Record


class Score(Record, frozen=True, kw_only=True):
    """What a rule made of a number of cases; a duplicate is what may be kept silent."""

    caught: int = 0
    """Duplicates held back."""
    missed: int = 0
    """Duplicates told again."""
    lost: int = 0
    """New facts held back: the fault that nobody sees."""
    told: int = 0
    """New facts told."""

    def __add__(self, other: Score) -> Score:
        """Return the score of the cases of both."""
        return Score(
            caught=self.caught + other.caught,
            missed=self.missed + other.missed,
            lost=self.lost + other.lost,
            told=self.told + other.told,
        )

    @property
    def precision(self) -> float:
        """Return the share of duplicates in what was held back; 1 when nothing was."""
        return _share(self.caught, self.caught + self.lost, empty=1.0)

    @property
    def recall(self) -> float:
        """Return the share of duplicates that were held back; 1 when there were none."""
        return _share(self.caught, self.caught + self.missed, empty=1.0)

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall, 0..1."""
        return _share(2 * self.caught, 2 * self.caught + self.lost + self.missed, empty=1.0)

    @property
    def held_back(self) -> float:
        """Return the share of new facts that were held back."""
        return _share(self.lost, self.lost + self.told, empty=0.0)


def score(cases: Iterable[tuple[bool, bool]]) -> Score:
    """Count cases.

    Args:
        cases: for each, whether it is a duplicate, and whether it was held back.
    """
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for case in cases:
        counts[case] += 1
    return Score(
        caught=counts[True, True],
        missed=counts[True, False],
        lost=counts[False, True],
        told=counts[False, False],
    )


def _share(part: int, whole: int, *, empty: float) -> float:
    return part / whole if whole else empty
