"""A fact beside one earlier finding: whether it repeats it, resembles it or updates it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from uuid import UUID

from scout_cli.core.cutoffs import Cutoffs
from scout_cli.core.details import Signature, signature
from scout_cli.core.differences import Difference, agreement, compare, coverage, translated
from scout_cli.core.doubts import unsure
from scout_cli.core.models import Record
from scout_cli.core.ports import Neighbour
from scout_cli.core.words import terms

_EVIDENCE = 3
"""Details in common, a name and a number among them, that speak for the same fact."""
_SAME_MATTER = 0.66
"""The share of its words from which a fact with another number is the same matter in another
state: the wish alone gives facts some words in common."""
_COVERED = 0.66
"""Share of a fact's words that the earlier one has, from which `lower` is enough."""
_SHARED = 2
"""The same for a fact in another language: details in common."""


class Compared(Record, frozen=True, kw_only=True):
    """A fact beside one earlier finding."""

    near: Neighbour
    difference: Difference
    doubtful: bool
    evidence: int
    coverage: float
    translated: bool
    same_page: bool
    same_words: bool

    def repeats(self, levels: Cutoffs) -> bool:
        """Return whether code is sure that it is the same fact."""
        if self.difference.text:
            return False
        if self.same_words:
            return True
        if self.doubtful:
            return False
        return self.near.cosine >= self._bar(levels)

    def _bar(self, levels: Cutoffs) -> float:
        """Return the cosine from which it is the same fact, by what else speaks for that."""
        told = self.evidence >= _SHARED if self.translated else self.coverage >= _COVERED
        if self.same_page or told:
            return levels.lower
        # A translation with one other word is as close as a translation.
        return (levels.upper + 1.0) / 2 if self.translated else levels.upper

    def resembles(self, levels: Cutoffs) -> bool:
        """Return whether it may be the same fact."""
        if self.difference.text:
            return False
        told = self.evidence >= _EVIDENCE and self.near.cosine > levels.background
        return told or self.near.cosine >= levels.lower

    def updates(self, levels: Cutoffs) -> bool:
        """Return whether it is the same matter in another state."""
        near = self.near.cosine >= levels.lower and self.coverage >= _SAME_MATTER
        return self.difference.updates and near


def beside(
    details: Signature, wanted: list[str], near: Neighbour, same_page: AbstractSet[UUID]
) -> Compared:
    """Return a fact, of these details and words, beside an earlier finding.

    Args:
        details: of the fact.
        wanted: its terms.
        near: the earlier finding.
        same_page: the earlier findings that came from the same page.
    """
    earlier = signature(near.finding.fact)
    return Compared(
        near=near,
        difference=compare(details, earlier),
        doubtful=unsure(details, earlier),
        evidence=agreement(details, earlier),
        coverage=coverage(details, earlier),
        translated=translated(details, earlier),
        same_page=near.finding.id in same_page,
        same_words=terms(near.finding.fact) == wanted,
    )
