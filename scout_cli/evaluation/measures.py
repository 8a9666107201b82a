"""What a trial is worth: findings, duplicates, proofs and cost, counted against the labels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from scout_cli.core.job import ReportedFact
from scout_cli.core.models import REPORTED, Record
from scout_cli.evaluation.scores import Score, score
from scout_cli.evaluation.trial import Trial
from scout_cli.evaluation.world import DAYS, NEVER_NEWS, LabelledLibrary, Mention


class Treatment(Record, frozen=True, kw_only=True):
    """What became of the sentences of one kind that were read."""

    told: int = 0
    held_back: int = 0


class Measures(Record, frozen=True, kw_only=True):
    """The figures of one engine. Shares are 0..1."""

    model: str
    embedder: str
    runs: int
    precision: float
    """Of the findings that were reported, the share that was news."""
    recall: float
    """Of the news there was, the share that was reported."""
    reported: int
    news: int
    duplicates: Score
    """Facts that were told before, and facts that were not, as the agent met them."""
    kinds: dict[str, Treatment]
    """By how a sentence tells its fact; `unmarked` sentences answer no wish."""
    verified: float
    """Of the model's claims, the share whose quote stands in its page; the others are dropped."""
    unproven: int
    """Reported facts without a quote in the page: 0."""
    unfetched: int
    """Links to pages that were not fetched: 0."""
    calls: float
    """Calls of the model, a run."""
    tokens: float
    """Tokens read and written, a run."""
    seconds: float
    """Seconds, a run."""


class _Met(Record, frozen=True, kw_only=True):
    """A fact as the agent met it, beside the truth."""

    fact: ReportedFact
    mention: Mention | None
    known: bool
    """It had been reported before."""

    @property
    def told(self) -> bool:
        return self.fact.novelty in REPORTED

    @property
    def news(self) -> bool:
        return self.mention is not None and self.mention.how not in NEVER_NEWS and not self.known


def measure(trial: Trial, library: LabelledLibrary) -> Measures:
    """Return the figures of a trial."""
    met = [each for topic in _topics(trial) for each in _meetings(trial, topic, library)]
    news = sum(len(library.news(topic, max(DAYS))) for topic in _topics(trial))
    told = [each for each in met if each.told]
    claims = sum(run.verified + run.dropped for run in trial.runs)
    spent = [run.result.usage for run in trial.runs]
    count = len(trial.runs)
    return Measures(
        model=trial.model,
        embedder=trial.embedder,
        runs=count,
        precision=_share(sum(each.news for each in told), len(told)),
        recall=_share(sum(each.news for each in told), news),
        reported=len(told),
        news=news,
        duplicates=score(_cases(met)),
        kinds=_kinds(met),
        verified=_share(sum(run.verified for run in trial.runs), claims),
        unproven=sum(run.unproven for run in trial.runs),
        unfetched=sum(run.unfetched for run in trial.runs),
        calls=_share(sum(usage.calls for usage in spent), count),
        tokens=_share(sum(u.prompt_tokens + u.completion_tokens for u in spent), count),
        seconds=_share(sum(run.seconds for run in trial.runs), count),
    )


def _topics(trial: Trial) -> list[str]:
    return sorted({run.topic for run in trial.runs})


def _meetings(trial: Trial, topic: str, library: LabelledLibrary) -> Iterator[_Met]:
    """Yield every fact of one scout in the order in which it was met."""
    told: set[str] = set()
    for run in trial.runs:
        for fact in run.result.facts if run.topic == topic else ():
            mention = library.mention(fact.url, fact.quote)
            met = _Met(
                fact=fact, mention=mention, known=mention is not None and mention.fact in told
            )
            if mention is not None and met.told:
                told.add(mention.fact)
            yield met


def _cases(met: list[_Met]) -> Iterator[tuple[bool, bool]]:
    """Yield, for what tells a fact of the wish: is it a repeat, was it kept silent as one."""
    for each in met:
        if each.mention is not None and each.mention.how not in NEVER_NEWS:
            yield each.known, not each.told


def _kinds(met: list[_Met]) -> dict[str, Treatment]:
    def kind(each: _Met) -> str:
        return each.mention.how if each.mention else "unmarked"

    return {
        name: Treatment(
            told=sum(each.told for each in found), held_back=sum(not each.told for each in found)
        )
        for name, group in groupby(sorted(met, key=kind), key=kind)
        if (found := list(group))
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
