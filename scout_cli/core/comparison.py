"""Comparing: which facts of a run are new, beside one another and beside what was found before.

Both in one ladder: the facts of the run that were compared already are neighbours too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core import novelty, report
from scout_cli.core.cutoffs import Cutoffs, cosine, cutoffs_of
from scout_cli.core.details import signature
from scout_cli.core.differences import difference
from scout_cli.core.events import FactCompared
from scout_cli.core.job import Job, ReportedFact
from scout_cli.core.judging import ask_about
from scout_cli.core.models import HELD_BACK, Problem
from scout_cli.core.ports import Earlier, Habits, Neighbour, Parts, Told, Vector
from scout_cli.core.reading import Fact
from scout_cli.core.trail import Trail
from scout_cli.core.urls import host_of
from scout_cli.core.verdicts import Verdict, outdated


class Comparison:
    """Gives the facts of a run their novelty.

    Args:
        parts: what the agent works with.
        job: the wish.
        trail: the record of the run.
        habits: what the user said of earlier findings.
        facts: verified ones.
    """

    def __init__(
        self, parts: Parts, job: Job, trail: Trail, habits: Habits, facts: Sequence[Fact]
    ) -> None:
        self._parts = parts
        self._job = job
        self._trail = trail
        self._habits = habits
        self._facts = facts
        self._undecided: dict[UUID, Verdict] = {}
        self.also: dict[UUID, list[int]] = {}
        """The further sources of a fact, by its identifier."""

    async def compare(self) -> list[ReportedFact]:
        """Return every fact with its novelty, beside those before it in this run and earlier.

        Raises:
            ModelUnavailable: the embedder is absent.
        """
        if not self._facts:
            return []
        embedder = self._parts.embedder
        given = {"facts": len(self._facts), "embedder": embedder.name}
        async with self._trail.step("analyze", "Compare with earlier findings", given) as step:
            vectors = await embedder.embed([fact.text for fact in self._facts])
            compared = await self._compared(vectors)
            step.output = {
                "facts": [{"fact": fact.fact, "novelty": fact.novelty} for fact in compared]
            }
        reported = await self._asked(compared)
        self._count_sources(reported)
        for fact, vector in zip(reported, vectors, strict=True):
            await self._parts.memory.keep(fact.id, vector)
            await self._trail.emit(FactCompared(at=self._parts.clock.now(), fact=fact))
        return reported

    async def _compared(self, vectors: Sequence[Vector]) -> list[ReportedFact]:
        """Return the facts with what code alone can say about each."""
        usual = await self._parts.memory.background(vectors[0])
        if usual.remade:
            await self._trail.trouble(_remade(self._parts.embedder.name, usual.remade))
        habits = replace(self._habits, background=usual.cosine, sample=usual.sample)
        levels = cutoffs_of(self._parts.embedder).on(habits)
        kept: list[tuple[Earlier, Vector]] = []
        found: list[ReportedFact] = []
        for fact, vector in zip(self._facts, vectors, strict=True):
            siblings = _siblings(fact, vector, kept, levels)
            verdict = await self._judge(fact, vector, habits, siblings)
            compared = self._as_reported(fact, verdict)
            self._undecided[compared.id] = verdict
            found.append(compared)
            kept.append((_sibling(compared, verdict, self._parts.clock.now()), vector))
        return found

    async def _asked(self, compared: Sequence[ReportedFact]) -> list[ReportedFact]:
        """Return the facts with what the model says about those between the cut-offs."""
        verdicts = [self._undecided[fact.id] for fact in compared]
        facts = [fact.fact for fact in compared]
        settled = await ask_about(verdicts, facts, self._parts.reasoner, self._trail)
        return [
            _told(fact, verdict) if verdict is not before else fact
            for fact, verdict, before in zip(compared, settled, verdicts, strict=True)
        ]

    def _count_sources(self, reported: Sequence[ReportedFact]) -> None:
        """Note which further pages prove a fact: those of its repeats within the run."""
        first: dict[UUID, UUID] = {}
        for fact in reported:
            told = first.get(fact.same_as) if fact.same_as and fact.novelty == "repeat" else None
            first[fact.id] = told or fact.id
            if told:
                self.also.setdefault(told, []).append(fact.source)

    async def _judge(
        self, fact: Fact, vector: Vector, habits: Habits, siblings: Sequence[Neighbour]
    ) -> Verdict:
        verdict = await novelty.judge(
            fact.text,
            fact.page.canonical_url,
            vector,
            memory=self._parts.memory,
            embedder=self._parts.embedder,
            habits=habits,
            siblings=siblings,
        )
        since = None if self._job.first or fact.added else self._job.window.since
        return outdated(verdict, fact.page.page.published_at, since)

    def _as_reported(self, fact: Fact, verdict: Verdict) -> ReportedFact:
        page = fact.page.page
        made = self._parts.clock.uuid()
        return ReportedFact(
            id=made,
            source=fact.page.number,
            fact=fact.text,
            quote=fact.quote,
            url=page.final_url,
            canonical_url=fact.page.canonical_url,
            host=host_of(page.final_url),
            title=report.clean(page.title),
            published_at=page.published_at,
            published_from=page.published_from,
            novelty=verdict.novelty,
            same_as=verdict.same_as,
            similarity=verdict.similarity,
            reason=verdict.reason,
            stated_date=fact.stated_date,
            answered_by=fact.by,
            story_id=verdict.story_id or made,
            changed=verdict.changed,
            path=verdict.path,
        )


def _siblings(
    fact: Fact, vector: Vector, kept: Sequence[tuple[Earlier, Vector]], levels: Cutoffs
) -> list[Neighbour]:
    """Return the facts of this run that may say the same.

    One in another state is no update here: nobody was told of the first. Two facts of one page have
    its names and dates in common, and are two unless they are as close as that.
    """
    details = signature(fact.text)
    near = (
        Neighbour(finding=other, cosine=round(cosine(vector, other_vector), 4))
        for other, other_vector in kept
        if not difference(details, signature(other.fact))  # costs less than the vectors
    )
    here = fact.page.canonical_url
    return [
        each
        for each in near
        if each.cosine > (levels.upper if each.finding.canonical_url == here else levels.background)
    ]


def _sibling(fact: ReportedFact, verdict: Verdict, now: datetime) -> Earlier:
    """Return a fact of this run as those after it are compared with it."""
    followed = verdict.follows if fact.novelty in ("repeat", "suppressed") else None
    told: Told = "never" if fact.novelty in HELD_BACK else "now"
    if followed and fact.novelty == "repeat":
        told = followed.told
    return Earlier(
        id=fact.id,
        fact=fact.fact,
        canonical_url=fact.canonical_url,
        created_at=now,
        story_id=fact.story_id,
        novelty=fact.novelty,
        told=told,
        opinion=followed.opinion if followed else None,
        said_at=followed.said_at if followed else None,
    )


def _remade(embedder: str, count: int) -> Problem:
    return Problem(
        code="vectors_remade",
        message=f"{embedder} gives vectors of another length than before: "
        f"those of {count} earlier findings were made again",
        hint="was the model replaced? scout eval shows how it does",
        retryable=False,
    )


def _told(fact: ReportedFact, verdict: Verdict) -> ReportedFact:
    """Return a fact with the verdict that a model's answer made of it."""
    return replace(
        fact,
        novelty=verdict.novelty,
        same_as=verdict.same_as,
        story_id=verdict.story_id or fact.story_id,
        reason=verdict.reason,
        changed=verdict.changed,
        path=verdict.path,
    )
