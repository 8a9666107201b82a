"""What became of a fact, and the rungs of the ladder that led there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core.models import REPORTED, AnsweredBy, Novelty, Path, Record, Rung
from scout_cli.core.ports import Earlier, Neighbour

NONE = "none"
"""What a model says when a sentence tells nothing that was not known."""
UNSURE = "unsure"


class Verdict(Record, frozen=True, kw_only=True):
    """The novelty of a fact and the reason for it."""

    novelty: Novelty
    follows: Earlier | None = None
    """The finding that it repeats, updates, or was held back for."""
    similarity: float | None = None
    reason: str = ""
    changed: str = ""
    """For an update: what is different now."""
    path: Path = Path()
    ask: Earlier | None = None
    """The finding that a model may be asked about; None when code is sure."""
    if_same: Novelty = "repeat"
    """What it is when the model finds nothing new in it."""
    if_more: Novelty = "update"
    """What it is when the model names what is new."""

    @property
    def same_as(self) -> UUID | None:
        """Return which finding it follows."""
        return self.follows.id if self.follows else None

    @property
    def story_id(self) -> UUID | None:
        """Return the story of the finding that it follows; None when it begins its own."""
        return (self.follows.story_id or self.follows.id) if self.follows else None


def linked(novelty: Novelty, near: Neighbour, reason: str, path: Path) -> Verdict:
    """Return a verdict on a fact that goes with this finding."""
    return Verdict(
        novelty=novelty,
        follows=near.finding,
        similarity=near.cosine,
        reason=reason,
        path=path,
    )


def settle(verdict: Verdict, said: str, by: AnsweredBy | None) -> Verdict:
    """Return a verdict with what a model said about it.

    Args:
        verdict: one with `ask`.
        said: the new fact, or `NONE`, or `UNSURE`.
        by: who said it; None when nobody could be asked.
    """
    outcome = {NONE: "nothing new", UNSURE: "unsure"}.get(said, "something new")
    outcome = outcome if by else "not asked"
    detail = said if outcome == "something new" else ""
    rung = Rung(name="model", outcome=outcome, detail=detail)
    path = replace(
        verdict.path, rungs=(*verdict.path.rungs, rung), judged=said if by else "", judged_by=by
    )
    settled = replace(verdict, path=path, ask=None)
    if said == NONE:
        reason = "between the cut-offs, and the model finds nothing new in it"
        return replace(
            settled, novelty=verdict.if_same, reason=reason, follows=verdict.ask or verdict.follows
        )
    if said == UNSURE:
        return settled
    reason = "between the cut-offs, and the model names what is new"
    changed = verdict.changed or (said if verdict.if_more == "update" else "")
    return replace(settled, novelty=verdict.if_more, reason=reason, changed=changed)


def stale(published: datetime | None, since: datetime | None) -> bool:
    """Return whether a fact is known to be older than the scout looks back."""
    return published is not None and since is not None and published < since


def outdated(verdict: Verdict, published: datetime | None, since: datetime | None) -> Verdict:
    """Return a verdict as `stale` when it would be reported and the page is too old."""
    if verdict.novelty not in REPORTED or not stale(published, since):
        return verdict
    detail = f"published {published:%Y-%m-%d}, looked at from {since:%Y-%m-%d}"
    rung = Rung(name="window", outcome="too old", detail=detail)
    path = replace(verdict.path, rungs=(*verdict.path.rungs, rung))
    said = "published before the time this scout looks at"
    return replace(verdict, novelty="stale", reason=said, path=path, ask=None)
