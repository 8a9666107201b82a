"""Is a verified fact new? A ladder of rungs, the cheapest first, each with its reason.

    decide(fact, neighbours, cutoffs, habits, *, same_page, embedder) -> Verdict     pure, no model
    verdicts.settle(verdict, said, by) -> Verdict         what the model said about `verdict.ask`
    await judge(fact, canonical_url, vector, memory=..., embedder=..., habits=...) -> Verdict

The same words; details (numbers, versions, dates, amounts, negations, names) that veto "the same";
the cosine on this scout's own background, with two cut-offs per embedder; what the user said of
the earlier finding. Between the cut-offs a verdict is `possible_repeat` and names in `ask` the
earlier finding that a model may be asked about; `settle` takes its answer. Unsure means report,
labelled; nothing is ever dropped, only kept silent.

Only what was told can be repeated or updated; a finding that never was (stale, or held back for
an opinion) tells which story a fact belongs to, and passes on the opinion for which it was held
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core.cutoffs import Cutoffs, cutoffs_of
from scout_cli.core.details import Signature, signature
from scout_cli.core.differences import compare
from scout_cli.core.likeness import Compared, beside
from scout_cli.core.models import Near, Path, Rung
from scout_cli.core.ports import Earlier, Embedder, Habits, Memory, Neighbour, Vector
from scout_cli.core.unwanted import held_back
from scout_cli.core.verdicts import Verdict, linked
from scout_cli.core.words import terms

STRANGE = Habits()

_SHOWN = 5
"""Neighbours kept in the path of a decision."""


async def judge(
    fact: str,
    canonical_url: str,
    vector: Vector,
    *,
    memory: Memory,
    embedder: Embedder,
    habits: Habits = STRANGE,
    siblings: Sequence[Neighbour] = (),
) -> Verdict:
    """Compare one fact with the earlier findings of its scout, without a model.

    Args:
        fact: the verified sentence.
        canonical_url: where it stands.
        vector: its embedding by `embedder`.
        memory: the earlier findings.
        embedder: gives the cut-offs.
        habits: what is usual for the scout.
        siblings: facts of the same run that were compared before it.
    """
    earlier = await memory.from_page(canonical_url)
    known = "it had findings before" if earlier else "no finding came from it before"
    rung = Rung(name="page", outcome="known" if earlier else "first", detail=known)
    twin = _twin(fact, earlier)
    if twin:
        said = "the same words on the same page before"
        path = Path(rungs=(rung, _words()), near=(Near(id=twin.id, cosine=1.0),))
        return linked("repeat", Neighbour(finding=twin, cosine=1.0), said, path)
    found = [*await memory.nearest(fact, vector), *siblings]
    verdict = decide(
        fact,
        sorted(found, key=lambda near: -near.cosine),
        cutoffs_of(embedder),
        habits,
        same_page={finding.id for finding in earlier},
        embedder=embedder.name,
    )
    path = replace(verdict.path, rungs=(rung, *verdict.path.rungs))
    return replace(verdict, path=path)


def _twin(fact: str, earlier: Sequence[Earlier]) -> Earlier | None:
    """Return what was told in the same words, with the same numbers, names and negation."""
    wanted, details = terms(fact), signature(fact)
    told = (finding for finding in earlier if finding.told != "never")
    alike = (finding for finding in told if terms(finding.fact) == wanted)
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
    compared = _compared(fact, neighbours, levels, same_page)
    path = Path(
        embedder=embedder,
        cutoffs=(levels.lower, levels.upper),
        background=levels.background,
        sample=habits.sample,
        shift=habits.shift,
    )
    verdict = held_back(_ranked(compared, levels, path), compared, levels)
    return replace(verdict, path=replace(verdict.path, near=_shown(compared, verdict.follows)))


def _compared(
    fact: str, neighbours: Sequence[Neighbour], levels: Cutoffs, same_page: AbstractSet[UUID]
) -> list[Compared]:
    """Return the fact beside the closest findings, and beside all others that can decide."""
    details, wanted = signature(fact), terms(fact)
    closest = [beside(details, wanted, near, same_page) for near in neighbours[:_SHOWN]]
    if any(_told(each) and each.repeats(levels) for each in closest):
        return closest
    others = (near for near in neighbours[_SHOWN:] if _matters(details, near, levels))
    return closest + [beside(details, wanted, near, same_page) for near in others]


def _matters(details: Signature, near: Neighbour, levels: Cutoffs) -> bool:
    """Return whether a finding may be repeated or updated; a tenth of the price of `beside`."""
    if near.cosine <= levels.background:
        return False
    veto = compare(details, signature(near.finding.fact))
    return not veto.text or (veto.updates and near.cosine >= levels.lower)


def _told(each: Compared) -> bool:
    return each.near.finding.told != "never"


def _ranked(compared: Sequence[Compared], levels: Cutoffs, path: Path) -> Verdict:
    """Return the verdict of the first neighbour that allows one: a repeat before all others."""
    told = [each for each in compared if _told(each)]
    if twin := next((each for each in told if each.repeats(levels)), None):
        return _repeat(twin, path)
    for each in told:
        if each.resembles(levels):
            return _possible(each, levels, path)
        if each.updates(levels):
            return _update(each, path)
    for each in compared:
        if each.repeats(levels) or each.resembles(levels):
            return _unheard(each, path)
    return _new(compared, levels, path)


def _repeat(twin: Compared, path: Path) -> Verdict:
    how = "found in this run" if twin.near.finding.told == "now" else "reported"
    if twin.same_words:
        return linked("repeat", twin.near, f"the same words were {how}", _climbed(path, _words()))
    said = f"says what was {how} ({twin.near.cosine:.2f})"
    rungs = (_agreed(twin), _placed(twin, "the same"))
    return linked("repeat", twin.near, said, _climbed(path, *rungs))


def _possible(each: Compared, levels: Cutoffs, path: Path) -> Verdict:
    between = each.near.cosine >= levels.lower
    now = each.near.finding.told == "now"
    what = "a finding of this run" if now else "an earlier finding"
    said = f"resembles {what} ({each.near.cosine:.2f}), too little to be sure"
    rungs = (_agreed(each), _placed(each, "between the cut-offs" if between else "below, alike"))
    verdict = linked("possible_repeat", each.near, said, _climbed(path, *rungs))
    return replace(verdict, ask=each.near.finding, if_more="new" if now else "update")


def _update(each: Compared, path: Path) -> Verdict:
    veto = each.difference
    said = f"close to an earlier finding ({each.near.cosine:.2f}) but {veto.text}"
    rungs = (Rung(name="details", outcome="differ", detail=veto.text), _placed(each, "near"))
    verdict = linked("update", each.near, said, _climbed(path, *rungs))
    return replace(verdict, changed=veto.changed)


def _unheard(each: Compared, path: Path) -> Verdict:
    said = f"like an earlier finding ({each.near.cosine:.2f}) that was never told"
    return linked("new", each.near, said, _climbed(path, _agreed(each), _placed(each, "near")))


def _new(compared: Sequence[Compared], levels: Cutoffs, path: Path) -> Verdict:
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


def _shown(compared: Sequence[Compared], follows: Earlier | None) -> tuple[Near, ...]:
    """Return the closest findings, and the one that decided wherever it stands."""
    return tuple(
        _near(each)
        for place, each in enumerate(compared)
        if place < _SHOWN or (follows and each.near.finding.id == follows.id)
    )


def _near(each: Compared) -> Near:
    differs = each.difference.text or ("other first words" if each.doubtful else "")
    differs = differs or ("" if _told(each) else "never told")
    return Near(id=each.near.finding.id, cosine=each.near.cosine, differs=differs)


def _climbed(path: Path, *rungs: Rung) -> Path:
    return replace(path, rungs=rungs)


def _words() -> Rung:
    return Rung(name="words", outcome="the same")


def _agreed(each: Compared) -> Rung:
    if each.doubtful:
        return Rung(name="details", outcome="doubtful", detail="other first words, maybe names")
    told = f"{each.evidence} in common" if each.evidence else "none to compare"
    return Rung(name="details", outcome="agree", detail=told)


def _placed(each: Compared, outcome: str) -> Rung:
    where = ", the same page" if each.same_page else ""
    return Rung(name="cosine", outcome=outcome, detail=f"{each.near.cosine:.2f}{where}")
