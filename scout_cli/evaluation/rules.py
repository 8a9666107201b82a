"""Rules for "this was reported before", to be measured on the same pairs.

A rule answers, for each pair with its cosine, whether the later sentence would be held back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from scout_cli.core import novelty
from scout_cli.core.cutoffs import Cutoffs, cosine
from scout_cli.core.details import signature
from scout_cli.core.likeness import Bar, beside
from scout_cli.core.models import Novelty, Record
from scout_cli.core.ports import Earlier, Embedder, Neighbour
from scout_cli.core.words import terms
from scout_cli.evaluation.pairs import Pair
from scout_cli.evaluation.scores import Score, score

ORIGINAL_CUTOFF = 0.85
"""One sentence, one cosine: the rule of the program whose web interface scout serves."""
CAREFUL = 0.02
"""Share of the new facts that a rule may hold back."""

_ABOVE_ALL = 1.01
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_ID = UUID(int=1)


class Case(Record, frozen=True, kw_only=True):
    """A pair and how alike an embedder finds its sentences."""

    pair: Pair
    cosine: float


async def cases(pairs: Sequence[Pair], embedder: Embedder) -> list[Case]:
    """Embed pairs.

    Raises:
        ModelUnavailable: the embedder does not answer.
    """
    sentences = list(dict.fromkeys(s for pair in pairs for s in (pair.earlier, pair.later)))
    vectors = dict(zip(sentences, await embedder.embed(sentences), strict=True))
    return [
        Case(pair=pair, cosine=cosine(vectors[pair.earlier], vectors[pair.later])) for pair in pairs
    ]


def by_threshold(given: Sequence[Case], cutoff: float) -> Score:
    """Return how a single cosine does."""
    return score((case.pair.same, case.cosine >= cutoff) for case in given)


def best_threshold(given: Sequence[Case], loss: float = 1.0) -> float:
    """Return the single cosine with the best F1 on these very pairs: no rule of its kind is better.

    Of several the highest, which holds back the least.

    Args:
        given: the pairs.
        loss: share of the new facts that it may hold back.
    """
    tried = sorted({case.cosine for case in given} | {_ABOVE_ALL}, reverse=True)
    scores = {cutoff: by_threshold(given, cutoff) for cutoff in tried}
    fair = [cutoff for cutoff in tried if scores[cutoff].held_back <= loss]
    return max(fair, key=lambda cutoff: scores[cutoff].f1)


def by_ladder(given: Sequence[Case], cutoffs: Cutoffs) -> Score:
    """Return how scout's own ladder does, without a model for the band between its cut-offs."""
    return score((case.pair.same, verdict(case, cutoffs) == "repeat") for case in given)


def bar_of(case: Case) -> Bar | None:
    """Return the cosine from which the ladder holds a pair's later sentence back, if any does."""
    later = case.pair.later
    return beside(signature(later), terms(later), _neighbour(case), frozenset()).bar


def verdict(case: Case, cutoffs: Cutoffs) -> Novelty:
    """Return what the ladder says to the later sentence of a pair."""
    return novelty.decide(case.pair.later, [_neighbour(case)], cutoffs).novelty


def _neighbour(case: Case) -> Neighbour:
    earlier = Earlier(
        id=_ID, fact=case.pair.earlier, canonical_url="https://a.example/", created_at=_EPOCH
    )
    return Neighbour(finding=earlier, cosine=case.cosine)
