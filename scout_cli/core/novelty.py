"""Is a verified fact new? A ladder of rungs, the cheapest first, each with its reason.

    decide(fact, neighbours, cutoffs, habits, *, same_page, embedder) -> Verdict     pure, no model
    settle(verdict, said, by) -> Verdict                  what the model said about `verdict.ask`
    await judge(fact, canonical_url, vector, memory=..., embedder=..., habits=...) -> Verdict

The same words; details (numbers, versions, dates, amounts, negations, names) that veto "the same";
the cosine on this scout's own background, with two cut-offs per embedder; what the user said of
the earlier finding. Between the cut-offs a verdict is `possible_repeat` and names in `ask` the
earlier finding that a model may be asked about; `settle` takes its answer. Unsure means report,
labelled; nothing is ever dropped, only kept silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core.details import (
    Difference,
    Signature,
    agreement,
    compare,
    coverage,
    signature,
    translated,
    unsure,
)
from scout_cli.core.models import REPORTED, AnsweredBy, Near, Novelty, Path, Record, Rung
from scout_cli.core.ports import Earlier, Embedder, Habits, Memory, Neighbour, Vector
from scout_cli.core.words import terms

NONE = "none"
"""What a model says when a sentence tells nothing that was not known."""
UNSURE = "unsure"
STRANGE = Habits()

_SHOWN = 5
"""Neighbours kept in the path of a decision."""
_DEEPEST = 0.05
"""A background below the embedder's own lowers the cut-offs by no more: silence is the risk."""
_EVIDENCE = 3
"""Details in common, a name and a number among them, that speak for the same fact."""
_SAME_MATTER = 0.66
"""The share of its words from which a fact with another number is the same matter in another
state: the wish alone gives facts some words in common."""
_COVERED = 0.66
"""Share of a fact's words that the earlier one has, from which `lower` is enough."""
_SHARED = 2
"""The same for a fact in another language: details in common."""
_DISLIKED = ("wrong", "not_useful")


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


class Verdict(Record, frozen=True, kw_only=True):
    """The novelty of a fact and the reason for it."""

    novelty: Novelty
    same_as: UUID | None = None
    similarity: float | None = None
    reason: str = ""
    changed: str = ""
    """For an update: what is different now."""
    story_id: UUID | None = None
    """The story of the finding that it belongs with; None when it begins its own."""
    path: Path = Path()
    ask: Earlier | None = None
    """The earlier finding that a model may be asked about; None when code is sure."""


class _Compared(Record, frozen=True, kw_only=True):
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
        told = self.evidence >= _SHARED if self.translated else self.coverage >= _COVERED
        enough = self.same_page or told
        return self.near.cosine >= (levels.lower if enough else levels.upper)

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


def cosine(left: Vector, right: Vector) -> float:
    """Return the cosine of two unit vectors of one length, -1..1."""
    return sum(a * b for a, b in zip(left, right, strict=True))


def cutoffs_of(embedder: Embedder) -> Cutoffs:
    """Return where "the same" begins for an embedder."""
    lower, upper = embedder.cutoffs
    return Cutoffs(lower=lower, upper=upper, background=embedder.background)


async def judge(
    fact: str,
    canonical_url: str,
    vector: Vector,
    *,
    memory: Memory,
    embedder: Embedder,
    habits: Habits = STRANGE,
) -> Verdict:
    """Compare one fact with the earlier findings of its scout, without a model.

    Args:
        fact: the verified sentence.
        canonical_url: where it stands.
        vector: its embedding by `embedder`.
        memory: the earlier findings.
        embedder: gives the cut-offs.
        habits: what is usual for the scout.
    """
    earlier = await memory.from_page(canonical_url)
    known = "it had findings before" if earlier else "no finding came from it before"
    rung = Rung(name="page", outcome="known" if earlier else "first", detail=known)
    twin = _twin(fact, earlier)
    if twin:
        near = [Neighbour(finding=twin, cosine=1.0)]
        said = "the same words on the same page before"
        path = Path(rungs=(rung, _words()), near=(Near(id=twin.id, cosine=1.0),))
        return _linked("repeat", near[0], said, path)
    found = await memory.nearest(vector)
    verdict = decide(
        fact,
        found,
        cutoffs_of(embedder),
        habits,
        same_page={finding.id for finding in earlier},
        embedder=embedder.name,
    )
    path = replace(verdict.path, rungs=(rung, *verdict.path.rungs))
    return replace(verdict, path=path)


def _twin(fact: str, earlier: Sequence[Earlier]) -> Earlier | None:
    """Return the finding with the same words, and the same numbers, names and negation."""
    wanted, details = terms(fact), signature(fact)
    alike = (finding for finding in earlier if terms(finding.fact) == wanted)
    return next((f for f in alike if not compare(details, signature(f.fact)).text), None)


def decide(
    fact: str,
    neighbours: Sequence[Neighbour],
    cutoffs: Cutoffs,
    habits: Habits = STRANGE,
    *,
    same_page: AbstractSet[UUID] = frozenset(),
    embedder: str = "",
) -> Verdict:
    """Decide by the nearest earlier findings, without a model.

    Args:
        fact: the verified sentence.
        neighbours: earlier findings with their cosines, closest first.
        cutoffs: the embedder's own.
        habits: the scout's background, and by how much its user moved the cut-offs.
        same_page: earlier findings from the same page; for these the lower cut-off is enough.
        embedder: the name to keep with the decision.
    """
    levels = cutoffs.on(habits)
    details, wanted = signature(fact), terms(fact)
    compared = [_compare(details, wanted, near, same_page) for near in neighbours]
    path = Path(
        near=tuple(_near(each) for each in compared[:_SHOWN]),
        embedder=embedder,
        cutoffs=(levels.lower, levels.upper),
        background=levels.background,
        sample=habits.sample,
        shift=habits.shift,
    )
    return _opined(_ranked(compared, levels, path), compared, levels)


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
        return replace(settled, novelty="repeat", reason=reason)
    if said == UNSURE:
        return settled
    reason = "between the cut-offs, and the model names what is new"
    return replace(settled, novelty="update", reason=reason, changed=said)


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


def _compare(
    details: Signature, wanted: list[str], near: Neighbour, same_page: AbstractSet[UUID]
) -> _Compared:
    earlier = signature(near.finding.fact)
    return _Compared(
        near=near,
        difference=compare(details, earlier),
        doubtful=unsure(details, earlier),
        evidence=agreement(details, earlier),
        coverage=coverage(details, earlier),
        translated=translated(details, earlier),
        same_page=near.finding.id in same_page,
        same_words=terms(near.finding.fact) == wanted,
    )


def _ranked(compared: Sequence[_Compared], levels: Cutoffs, path: Path) -> Verdict:
    """Return the verdict of the first neighbour that allows one: a repeat before all others."""
    if twin := next((each for each in compared if each.repeats(levels)), None):
        return _repeat(twin, path)
    for each in compared:
        if each.resembles(levels):
            return _possible(each, levels, path)
        if each.updates(levels):
            return _update(each, path)
    return _new(compared, levels, path)


def _repeat(twin: _Compared, path: Path) -> Verdict:
    if twin.same_words:
        said = "the same words were reported"
        return _linked("repeat", twin.near, said, _climbed(path, _words()))
    said = f"says what was reported ({twin.near.cosine:.2f})"
    rungs = (_agreed(twin), _placed(twin, "the same"))
    return _linked("repeat", twin.near, said, _climbed(path, *rungs))


def _possible(each: _Compared, levels: Cutoffs, path: Path) -> Verdict:
    between = each.near.cosine >= levels.lower
    said = f"resembles an earlier finding ({each.near.cosine:.2f}), too little to be sure"
    rungs = (_agreed(each), _placed(each, "between the cut-offs" if between else "below, alike"))
    verdict = _linked("possible_repeat", each.near, said, _climbed(path, *rungs))
    return replace(verdict, ask=each.near.finding)


def _update(each: _Compared, path: Path) -> Verdict:
    veto = each.difference
    said = f"close to an earlier finding ({each.near.cosine:.2f}) but {veto.text}"
    rungs = (Rung(name="details", outcome="differ", detail=veto.text), _placed(each, "near"))
    verdict = _linked("update", each.near, said, _climbed(path, *rungs))
    return replace(verdict, changed=veto.changed)


def _new(compared: Sequence[_Compared], levels: Cutoffs, path: Path) -> Verdict:
    if not compared:
        rung = Rung(name="cosine", outcome="nothing to compare with")
        return Verdict(
            novelty="new", reason="nothing earlier is like it", path=_climbed(path, rung)
        )
    first = compared[0]
    if first.near.cosine < levels.lower:
        rung = _placed(first, "below the lower cut-off")
        return Verdict(
            novelty="new",
            similarity=first.near.cosine,
            reason="nothing earlier is like it",
            path=_climbed(path, rung),
        )
    veto = first.difference.text
    rungs = (Rung(name="details", outcome="differ", detail=veto), _placed(first, "near"))
    return Verdict(
        novelty="new",
        similarity=first.near.cosine,
        reason=f"close to an earlier finding ({first.near.cosine:.2f}) but {veto}",
        path=_climbed(path, *rungs),
    )


def _opined(verdict: Verdict, compared: Sequence[_Compared], levels: Cutoffs) -> Verdict:
    """Return a verdict held back when the user wants no more of what it follows."""
    if verdict.novelty not in ("update", "possible_repeat"):
        return verdict
    followed = next(each for each in compared if each.near.finding.id == verdict.same_as)
    opinion = followed.near.finding.opinion
    close = followed.same_page or followed.near.cosine >= levels.upper
    if opinion not in _DISLIKED or not close:
        return verdict
    said = f"you called the finding that it follows {opinion.replace('_', ' ')}"
    rung = Rung(name="opinion", outcome="held back", detail=said)
    path = _climbed(verdict.path, *verdict.path.rungs, rung)
    return replace(verdict, novelty="suppressed", reason=said, path=path, ask=None)


def _linked(novelty: Novelty, near: Neighbour, reason: str, path: Path) -> Verdict:
    return Verdict(
        novelty=novelty,
        same_as=near.finding.id,
        similarity=near.cosine,
        reason=reason,
        story_id=near.finding.story_id or near.finding.id,
        path=path,
    )


def _near(each: _Compared) -> Near:
    differs = each.difference.text or ("other first words" if each.doubtful else "")
    return Near(id=each.near.finding.id, cosine=each.near.cosine, differs=differs)


def _climbed(path: Path, *rungs: Rung) -> Path:
    return replace(path, rungs=rungs)


def _words() -> Rung:
    return Rung(name="words", outcome="the same")


def _agreed(each: _Compared) -> Rung:
    if each.doubtful:
        return Rung(name="details", outcome="doubtful", detail="other first words, maybe names")
    told = f"{each.evidence} in common" if each.evidence else "none to compare"
    return Rung(name="details", outcome="agree", detail=told)


def _placed(each: _Compared, outcome: str) -> Rung:
    where = ", the same page" if each.same_page else ""
    return Rung(name="cosine", outcome=outcome, detail=f"{each.near.cosine:.2f}{where}")
