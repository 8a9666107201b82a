"""Is a verified fact new? The first rungs of the ladder, each with its reason.

Same words, then vectors with two cut-offs per embedder, vetoed by numbers, dates, names and
negation. Unsure means report, labelled; nothing is ever dropped, only kept silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Novelty, Record
from scout_cli.core.ports import Earlier, Embedder, Memory, Neighbour, Vector
from scout_cli.core.signature import difference, signature, unsure
from scout_cli.core.words import terms


class Verdict(Record, frozen=True, kw_only=True):
    """The novelty of a fact and the reason for it."""

    novelty: Novelty
    same_as: UUID | None = None
    similarity: float | None = None
    reason: str = ""


def cosine(left: Vector, right: Vector) -> float:
    """Return the cosine of two unit vectors of one length, -1..1."""
    return sum(a * b for a, b in zip(left, right, strict=True))


async def judge(
    fact: str, canonical_url: str, vector: Vector, *, memory: Memory, embedder: Embedder
) -> Verdict:
    """Compare one fact with the earlier findings of its scout.

    Args:
        fact: the verified sentence.
        canonical_url: where it stands.
        vector: its embedding by `embedder`.
        memory: the earlier findings.
        embedder: gives the two cut-offs.
    """
    earlier = await memory.from_page(canonical_url)
    if twin := _same_words(fact, earlier):
        return _repeat(twin, 1.0, "the same words on the same page before")
    neighbours = await memory.nearest(vector)
    lower, upper = embedder.cutoffs
    same_page = {finding.id for finding in earlier}
    return weigh(fact, neighbours, lower=lower, upper=upper, same_page=same_page)


def weigh(
    fact: str,
    neighbours: Sequence[Neighbour],
    *,
    lower: float,
    upper: float,
    same_page: AbstractSet[UUID] = frozenset(),
) -> Verdict:
    """Decide by the nearest earlier findings, closest first.

    Args:
        fact: the verified sentence.
        neighbours: earlier findings with their cosines.
        lower: below this the fact is new.
        upper: from this on it is a repeat, unless details differ.
        same_page: earlier findings from the same page; for these `lower` is enough.
    """
    details = signature(fact)
    veto = ""
    possible: Neighbour | None = None
    for near in neighbours:
        if near.cosine < lower:
            break
        earlier = signature(near.finding.fact)
        sure = near.cosine >= upper or near.finding.id in same_page
        if reason := difference(details, earlier):
            veto = veto or f"close to an earlier finding ({near.cosine:.2f}) but {reason}"
        elif sure and not unsure(details, earlier):
            return _repeat(near.finding, near.cosine, f"says what was reported ({near.cosine:.2f})")
        else:
            possible = possible or near
    if possible:
        return Verdict(
            novelty="possible_repeat",
            same_as=possible.finding.id,
            similarity=possible.cosine,
            reason=f"resembles an earlier finding ({possible.cosine:.2f}), too little to be sure",
        )
    closest = neighbours[0].cosine if neighbours else None
    return Verdict(novelty="new", similarity=closest, reason=veto or "nothing earlier is like it")


def stale(published: datetime | None, since: datetime | None) -> bool:
    """Return whether a fact is known to be older than the scout looks back."""
    return published is not None and since is not None and published < since


def _same_words(fact: str, earlier: Sequence[Earlier]) -> Earlier | None:
    wanted = terms(fact)
    return next((finding for finding in earlier if terms(finding.fact) == wanted), None)


def _repeat(finding: Earlier, similarity: float, reason: str) -> Verdict:
    return Verdict(novelty="repeat", same_as=finding.id, similarity=similarity, reason=reason)
