"""What `scout eval` prints: one document, the same for people, programs and the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from scout_cli.core.cutoffs import Cutoffs, cutoffs_of
from scout_cli.core.models import Record
from scout_cli.core.ports import Embedder
from scout_cli.evaluation import rules
from scout_cli.evaluation.measures import Measures
from scout_cli.evaluation.pairs import Half, half
from scout_cli.evaluation.rules import Case
from scout_cli.evaluation.scores import Score

SCHEMA = "scout.eval/1"
"""The version of the document."""


class Ruled(Record, frozen=True, kw_only=True):
    """What one rule made of the pairs."""

    rule: str
    cutoffs: tuple[float, ...]
    precision: float
    recall: float
    f1: float
    held_back: float
    """Share of the new facts that were held back."""


class PairsReport(Record, frozen=True, kw_only=True):
    """Some rules on one half of the labelled pairs, with one embedder."""

    embedder: str
    half: Half
    pairs: int
    same: int
    rules: tuple[Ruled, ...]


class EngineReport(Record, frozen=True, kw_only=True):
    """One engine on the labelled web; shares are 0..1."""

    model: str
    embedder: str
    runs: int
    findings_precision: float
    findings_recall: float
    duplicates_precision: float
    duplicates_recall: float
    duplicates_f1: float
    news_held_back: float
    quote_verified: float
    unproven: int
    unfetched: int
    calls: float
    tokens: float
    seconds: float
    kinds: dict[str, dict[str, int]]


class Failed(Record, frozen=True, kw_only=True):
    """An engine that could not be measured, and why."""

    llm: str
    """Its URL."""
    code: str
    message: str
    hint: str


class Report(Record, frozen=True, kw_only=True):
    """Everything that was measured."""

    schema: str = SCHEMA
    engines: tuple[EngineReport, ...] = ()
    failed: tuple[Failed, ...] = ()
    duplicates: tuple[PairsReport, ...] = ()


def engine(measures: Measures) -> EngineReport:
    """Return the figures of one engine, rounded for reading."""
    duplicates = measures.duplicates
    return EngineReport(
        model=measures.model,
        embedder=measures.embedder,
        runs=measures.runs,
        findings_precision=_round(measures.precision),
        findings_recall=_round(measures.recall),
        duplicates_precision=_round(duplicates.precision),
        duplicates_recall=_round(duplicates.recall),
        duplicates_f1=_round(duplicates.f1),
        news_held_back=_round(duplicates.held_back),
        quote_verified=_round(measures.verified),
        unproven=measures.unproven,
        unfetched=measures.unfetched,
        calls=round(measures.calls, 1),
        tokens=round(measures.tokens),
        seconds=round(measures.seconds, 2),
        kinds={
            name: {"told": each.told, "held_back": each.held_back}
            for name, each in sorted(measures.kinds.items())
        },
    )


async def pairs(embedder: Embedder, which: Half = "held-out") -> PairsReport:
    """Return what some rules make of half of the labelled pairs.

    Args:
        embedder: gives vectors and cut-offs.
        which: the half; only `held-out` was never used for tuning.

    Raises:
        ModelUnavailable: the embedder does not answer.
    """
    given = await rules.cases(half(which), embedder)
    return PairsReport(
        embedder=embedder.name,
        half=which,
        pairs=len(given),
        same=sum(case.pair.same for case in given),
        rules=compared(given, cutoffs_of(embedder)),
    )


def compared(given: Sequence[Case], cutoffs: Cutoffs) -> tuple[Ruled, ...]:
    """Return the rules side by side.

    Args:
        given: labelled pairs with their cosines.
        cutoffs: those of the ladder.
    """
    best, careful = rules.best_threshold(given), rules.best_threshold(given, rules.CAREFUL)
    original = rules.ORIGINAL_CUTOFF
    return (
        _ruled("one cosine, 0.85", (original,), rules.by_threshold(given, original)),
        _ruled("best single cosine, with hindsight", (best,), rules.by_threshold(given, best)),
        _ruled("best careful cosine, likewise", (careful,), rules.by_threshold(given, careful)),
        _ruled("ladder", (cutoffs.lower, cutoffs.upper), rules.by_ladder(given, cutoffs)),
    )


def _ruled(name: str, cutoffs: tuple[float, ...], of: Score) -> Ruled:
    return Ruled(
        rule=name,
        cutoffs=tuple(round(each, 3) for each in cutoffs),
        precision=_round(of.precision),
        recall=_round(of.recall),
        f1=_round(of.f1),
        held_back=_round(of.held_back),
    )


def _round(share: float) -> float:
    return round(share, 3)
