"""A fact beside one earlier finding: whether it repeats it, resembles it or updates it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from uuid import UUID

from scout_cli.core.cutoffs import Cutoffs
from scout_cli.core.details import Signature, signature
from scout_cli.core.differences import (
    Difference,
    Shared,
    agreement,
    compare,
    coverage,
    shared,
    translated,
)
from scout_cli.core.doubts import other_subject, unsure
from scout_cli.core.models import Record
from scout_cli.core.ports import Neighbour
from scout_cli.core.words import terms

_EVIDENCE = 3
"""Details in common, a name and a number among them, that speak for the same fact."""
_SAME_MATTER = 0.66
"""The share of its words from which a fact with another number is the same matter in another
state: the wish alone gives facts some words in common."""
_AROUND = 0.3
"""Share of the words that one of the two has of the other, for details in common to count."""
_COVERED = 0.66
"""Share of a fact's words that the earlier one has, from which `lower` is enough."""
_SHARED = 2
"""The same for a fact in another language: details in common."""


class Bar(Record, frozen=True, kw_only=True):
    """The cosine from which code is sure of a repeat, as shares of an embedder's levels."""

    upper: float = 0.0
    lower: float = 0.0
    background: float = 0.0
    one: float = 0.0
    or_lower: bool = False
    """Whether `lower` is enough in any case."""

    def at(self, levels: Cutoffs) -> float:
        """Return the cosine for these levels."""
        bar = self.upper * levels.upper + self.lower * levels.lower
        bar += self.background * levels.background + self.one
        return min(bar, levels.lower) if self.or_lower else bar


ALWAYS = Bar(one=-2.0)
"""No cosine is as low: the words are the same."""


class Compared(Record, frozen=True, kw_only=True):
    """A fact beside one earlier finding."""

    near: Neighbour
    difference: Difference
    doubtful: bool
    other_subject: bool
    evidence: int
    common: Shared
    coverage: float
    """Share of its words that the other has."""
    covering: float
    """Share of the other's words that it has."""
    translated: bool
    same_page: bool
    same_words: bool

    @property
    def bar(self) -> Bar | None:
        """Return the cosine that makes it a repeat; None when no cosine does."""
        if self.difference.text or self.doubtful:
            return None
        if self.same_words:
            return ALWAYS
        return self._across if self.translated else self._within

    @property
    def _across(self) -> Bar:
        """In another language: a translation with one other word is as close as a translation."""
        if self.common.firm:
            return Bar(background=0.5, lower=0.5)
        told = self.evidence >= _SHARED
        return Bar(upper=0.5, one=0.5, or_lower=self.same_page or told)

    @property
    def _within(self) -> Bar:
        """In one language: details in common bring it from `upper` down to the background."""
        around = max(self.coverage, self.covering)
        weight = self.common.weight if around >= _AROUND else 0.0
        told = self.coverage >= _COVERED
        return Bar(upper=1.0 - weight, background=weight, or_lower=self.same_page or told)

    def repeats(self, levels: Cutoffs) -> bool:
        """Return whether code is sure that it is the same fact."""
        return self.bar is not None and self.near.cosine >= self.bar.at(levels)

    def resembles(self, levels: Cutoffs) -> bool:
        """Return whether it may be the same fact."""
        if self.difference.text:
            return False
        told = self.common.firm or self.evidence >= _EVIDENCE
        return self.near.cosine >= (levels.background if told else levels.lower)

    def updates(self, levels: Cutoffs) -> bool:
        """Return whether it is the same matter in another state."""
        near = self.near.cosine >= levels.lower and self.coverage >= _SAME_MATTER
        return self.difference.updates and near and not self.other_subject


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
        other_subject=other_subject(details, earlier),
        evidence=agreement(details, earlier),
        common=shared(details, earlier),
        coverage=coverage(details, earlier),
        covering=coverage(earlier, details),
        translated=translated(details, earlier),
        same_page=near.finding.id in same_page,
        same_words=terms(near.finding.fact) == wanted,
    )
