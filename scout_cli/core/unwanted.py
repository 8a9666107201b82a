"""What the user wants no more of, and what is held back since it follows that closely."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from scout_cli.core.cutoffs import Cutoffs
from scout_cli.core.likeness import Compared
from scout_cli.core.models import Opinion, Rung
from scout_cli.core.verdicts import Verdict, linked

_DISLIKED: tuple[Opinion, ...] = ("wrong", "not_useful")
_SAID: tuple[Opinion, ...] = ("useful", *_DISLIKED)
"""Opinions on whether more of the kind is wanted."""


def held_back(verdict: Verdict, compared: Sequence[Compared], levels: Cutoffs) -> Verdict:
    """Return a verdict held back when the user wants no more of what it follows.

    Of several opinions the last one counts.

    Args:
        verdict: what else is known.
        compared: the fact beside its neighbours, closest first.
        levels: the cut-offs in force.
    """
    if verdict.novelty == "repeat":
        return verdict
    close = [each for each in compared if each.near.finding.opinion in _SAID]
    close = [each for each in close if _follows(each, levels)]
    if not close:
        return _doubted(verdict, compared, levels)
    near = max(close, key=_said_at).near
    if near.finding.opinion not in _DISLIKED:
        return verdict
    said = f"you called the finding that it follows {near.finding.opinion.replace('_', ' ')}"
    rung = Rung(name="opinion", outcome="held back", detail=said)
    path = replace(verdict.path, rungs=(*verdict.path.rungs, rung))
    held = linked("suppressed", near, said, path)
    return replace(held, changed=verdict.changed)


def _follows(each: Compared, levels: Cutoffs) -> bool:
    """Return whether a fact closely follows a finding, or is the same as one never told."""
    if each.repeats(levels):
        return True
    close = each.same_page or each.near.cosine >= levels.upper
    return close and (each.updates(levels) or each.resembles(levels))


def _said_at(each: Compared) -> datetime:
    return each.near.finding.said_at or each.near.finding.created_at


def _doubted(verdict: Verdict, compared: Sequence[Compared], levels: Cutoffs) -> Verdict:
    """Return a verdict that a model may turn into silence: it resembles what is held back."""
    if verdict.ask:
        return verdict
    for each in compared:
        held = each.near.finding
        unwanted = held.told == "never" and held.opinion in _DISLIKED
        if unwanted and each.resembles(levels):
            return replace(verdict, ask=held, if_same="suppressed", if_more=verdict.novelty)
    return verdict
