"""Fitting the two cut-offs of an embedder: the most repeats caught at a bounded loss of news.

All bundled pairs and what the user said of findings are the cases: on those for tuning alone, which
the ladder was made with, nearly any cut-offs would do. What came of it is shown on the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from scout_cli.core.cutoffs import Cutoffs, cutoffs_of
from scout_cli.core.likeness import Bar
from scout_cli.core.models import Record
from scout_cli.core.ports import Embedder
from scout_cli.evaluation import rules
from scout_cli.evaluation.history import Bars, History
from scout_cli.evaluation.pairs import Half, all_pairs
from scout_cli.evaluation.rules import Case
from scout_cli.evaluation.scores import Score, score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOSS = 0.0075
"""Share of new facts that may be held back on the pairs that are fitted to: well below the 0.02
that is promised for others."""

_NEVER = Bar(one=2.0)
_LOWEST, _HIGHEST, _STEP = 0.30, 0.99, 0.01
_SHOWN = (-0.15, -0.10, -0.05, 0.05, 0.10, 0.15)
"""How far around the fitted upper cut-off the trade-off is shown."""


class Outcome(Record, frozen=True, kw_only=True):
    """What a pair of cut-offs does."""

    name: str
    lower: float
    upper: float
    caught: float
    """Share of the repeats that are held back, on the held-out pairs."""
    lost: float
    """Share of the new facts that are held back, on the same pairs."""
    f1: float
    history: float | None = None
    """Share of the user's own findings that would be held back; None without any."""


class Calibration(Record, frozen=True, kw_only=True):
    """Fitted cut-offs, beside those in force and others."""

    embedder: str
    fitted: Cutoffs
    findings: int
    """The user's findings that were looked at."""
    labelled: int
    """Those of which the user said whether they repeat."""
    outcomes: tuple[Outcome, ...]
    """The first is what is in force, the second what was fitted, then others around it."""


class Table:
    """Pairs in columns, for trying thousands of cut-offs: sentences are compared once for all.

    Args:
        given: the pairs.
    """

    def __init__(self, given: Sequence[Case]) -> None:
        import numpy as np  # noqa: PLC0415 - a tenth of a second that most commands save

        bars = [rules.bar_of(case) or _NEVER for case in given]
        self._shares = np.array([(b.upper, b.lower, b.background, b.one) for b in bars])
        self._or_lower = np.array([bar.or_lower for bar in bars])
        self._cosines = np.array([case.cosine for case in given])
        self._same = np.array([case.pair.same for case in given])
        self._halves = np.array([case.pair.half for case in given])

    def held_back(self, cutoffs: Cutoffs) -> NDArray[np.bool_]:
        """Return of each pair whether the ladder holds its later sentence back."""
        levels = (cutoffs.upper, cutoffs.lower, cutoffs.background, 1.0)
        held = self._cosines >= self._shares @ levels
        return held | (self._or_lower & (self._cosines >= cutoffs.lower))

    def score(self, cutoffs: Cutoffs, half: Half | None = None) -> Score:
        """Return what the cut-offs do to all pairs, or to those of one half."""
        counted = self._halves == half if half else slice(None)
        held, same = self.held_back(cutoffs)[counted], self._same[counted]
        caught, lost = int((held & same).sum()), int((held & ~same).sum())
        repeats, news = int(same.sum()), int((~same).sum())
        return Score(caught=caught, missed=repeats - caught, lost=lost, told=news - lost)


async def calibrate(embedder: Embedder, history: History) -> Calibration:
    """Fit the cut-offs of an embedder.

    Args:
        embedder: with the cut-offs in force.
        history: the user's own findings, with vectors of this embedder.

    Raises:
        ModelUnavailable: the embedder does not answer.
    """
    given = Table(await rules.cases(all_pairs(), embedder))
    own = [past.bars() for past in history.past]
    current = cutoffs_of(embedder)
    usual = current.background if history.background is None else history.background
    fitted = fit(given, history, usual)
    shown = [("in force", current), ("fitted", fitted), *_around(fitted)]
    return Calibration(
        embedder=embedder.name,
        fitted=fitted,
        findings=len(history.past),
        labelled=len(history.labelled),
        outcomes=tuple(_outcome(name, levels, given, own) for name, levels in shown),
    )


def fit(given: Table, history: History, background: float) -> Cutoffs:
    """Return the cut-offs with the best F1 that lose at most `LOSS` of the new facts.

    Of equals the higher ones are taken, the upper one first.

    Args:
        given: labelled pairs.
        history: the user's own findings; those with a label are cases too.
        background: the usual cosine of two different facts. Of one at the very top, where nothing
            could be told apart, as much is taken as leaves room above it.
    """
    background = min(background, _HIGHEST - 2 * _STEP)
    levels = [_HIGHEST - step * _STEP for step in range(round((_HIGHEST - _LOWEST) / _STEP) + 1)]
    levels = [round(level, 2) for level in levels if level > background]
    tried = [
        Cutoffs(lower=lower, upper=upper, background=background)
        for upper in levels
        for lower in levels
        if lower <= upper
    ]
    own = [(past.bars(), said) for past, said in history.labelled]
    scores = [
        (given.score(each) + score((said, past.held_back(each)) for past, said in own), each)
        for each in tried
    ]
    fair = [found for found in scores if found[0].held_back <= LOSS] or scores[:1]
    return max(fair, key=lambda found: found[0].f1)[1]


def _around(fitted: Cutoffs) -> Iterator[tuple[str, Cutoffs]]:
    """Yield the cut-offs around the fitted ones, each pair once, with what they are beside them."""
    known = {(fitted.lower, fitted.upper)}
    for by in _SHOWN:
        moved = _moved(fitted, by)
        if (moved.lower, moved.upper) not in known:
            known.add((moved.lower, moved.upper))
            yield "stricter" if by > 0 else "laxer", moved


def _moved(cutoffs: Cutoffs, by: float) -> Cutoffs:
    """Return cut-offs moved as far as they may be: above the background, and below 1."""
    least = min(cutoffs.lower, cutoffs.background + _STEP)
    lower, upper = (
        round(min(_HIGHEST, max(least, level + by)), 3) for level in (cutoffs.lower, cutoffs.upper)
    )
    return replace(cutoffs, lower=lower, upper=upper)


def _outcome(name: str, cutoffs: Cutoffs, given: Table, own: Sequence[Bars]) -> Outcome:
    did = given.score(cutoffs, "held-out")
    silent = sum(past.held_back(cutoffs) for past in own)
    return Outcome(
        name=name,
        lower=cutoffs.lower,
        upper=cutoffs.upper,
        caught=round(did.recall, 3),
        lost=round(did.held_back, 3),
        f1=round(did.f1, 3),
        history=round(silent / len(own), 3) if own else None,
    )
