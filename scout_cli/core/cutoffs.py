"""Where "the same" begins: two cosines for each embedder, on the background of each scout."""

from __future__ import annotations

from scout_cli.core.models import Record
from scout_cli.core.ports import Embedder, Habits, Vector

_DEEPEST = 0.05
"""A background below the embedder's own lowers the cut-offs by no more: silence is the risk."""
LEAST = 12
"""Stories below which the embedder's own background is better than a scout's."""


class Cutoffs(Record, frozen=True, kw_only=True):
    """Where "the same" begins for one embedder."""

    lower: float
    """Below this cosine two facts are different."""
    upper: float
    """From this cosine on they are the same, unless their details differ."""
    background: float = 0.0
    """The usual cosine of two different facts of one topic, which the two others suppose."""

    def on(self, habits: Habits) -> Cutoffs:
        """Return the cut-offs on a scout's own background, moved by what its user said.

        They keep their place between the background and 1: what counts is how far two facts stand
        out from what is usual, not the bare cosine.
        """
        usual = self.background if habits.background is None else habits.background
        usual = max(usual, self.background - _DEEPEST)
        scale = (1.0 - usual) / (1.0 - self.background)
        lower, upper = (
            min(0.999, usual + (level - self.background) * scale + habits.shift)
            for level in (self.lower, self.upper)
        )
        return Cutoffs(lower=round(lower, 4), upper=round(upper, 4), background=round(usual, 4))


def cutoffs_of(embedder: Embedder) -> Cutoffs:
    """Return where "the same" begins for an embedder."""
    lower, upper = embedder.cutoffs
    return Cutoffs(lower=lower, upper=upper, background=embedder.background)


def cosine(left: Vector, right: Vector) -> float:
    """Return the cosine of two unit vectors of one length, -1..1."""
    return sum(a * b for a, b in zip(left, right, strict=True))
