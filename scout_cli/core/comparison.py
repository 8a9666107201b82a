"""Comparing: which facts of a run are new, beside one another and beside what was found before."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core import novelty, report
from scout_cli.core.cutoffs import cosine, cutoffs_of
from scout_cli.core.details import signature
from scout_cli.core.differences import difference
from scout_cli.core.doubts import unsure
from scout_cli.core.events import FactCompared
from scout_cli.core.job import Job, ReportedFact
from scout_cli.core.judging import ask_about
from scout_cli.core.models import Path, Rung
from scout_cli.core.ports import Habits, Parts, Vector
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
        """Return every fact with its novelty: beside this run first, then beside the earlier ones.

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
        for fact, vector in zip(reported, vectors, strict=True):
            await self._parts.memory.keep(fact.id, vector)
            await self._trail.emit(FactCompared(at=self._parts.clock.now(), fact=fact))
        return reported

    async def _compared(self, vectors: Sequence[Vector]) -> list[ReportedFact]:
        """Return the facts with what code alone can say about each."""
        memory = self._parts.memory
        usual = await memory.background()
        habits = replace(self._habits, background=usual.cosine, sample=usual.sample)
        levels = cutoffs_of(self._parts.embedder).on(habits)
        kept: list[tuple[ReportedFact, Vector]] = []
        for fact, vector in zip(self._facts, vectors, strict=True):
            twin = self._twin(fact, vector, kept, levels.upper)
            verdict = self._twice(fact, twin) if twin else await self._judge(fact, vector, habits)
            compared = self._as_reported(fact, verdict)
            self._undecided[compared.id] = verdict
            kept.append((compared, vector))
        return [fact for fact, _ in kept]

    async def _asked(self, compared: Sequence[ReportedFact]) -> list[ReportedFact]:
        """Return the facts with what the model says about those between the cut-offs."""
        verdicts = [self._undecided[fact.id] for fact in compared]
        facts = [fact.fact for fact in compared]
        settled = await ask_about(verdicts, facts, self._parts.reasoner, self._trail)
        return [
            _told(fact, verdict) if verdict is not before else fact
            for fact, verdict, before in zip(compared, settled, verdicts, strict=True)
        ]

    def _twice(self, fact: Fact, twin: ReportedFact) -> Verdict:
        """Return the verdict on a fact that another one of this run says too."""
        self.also.setdefault(twin.id, []).append(fact.page.number)
        said = f"the same as [S{twin.source}] in this run"
        return Verdict(
            novelty="repeat",
            same_as=twin.same_as or twin.id,
            reason=said,
            story_id=twin.story_id,
            path=Path(rungs=(Rung(name="words", outcome="the same", detail=said),)),
        )

    async def _judge(self, fact: Fact, vector: Vector, habits: Habits) -> Verdict:
        verdict = await novelty.judge(
            fact.text,
            fact.page.canonical_url,
            vector,
            memory=self._parts.memory,
            embedder=self._parts.embedder,
            habits=habits,
        )
        since = None if self._job.first else self._job.window.since
        return outdated(verdict, fact.page.page.published_at, since)

    @staticmethod
    def _twin(
        fact: Fact, vector: Vector, kept: list[tuple[ReportedFact, Vector]], upper: float
    ) -> ReportedFact | None:
        """Return the fact of this run that says the same, if there is one."""
        details = signature(fact.text)
        for other, other_vector in kept:
            known = signature(other.fact)
            if difference(details, known) or unsure(details, known):
                continue  # asked first: it costs a hundredth of the vectors
            if cosine(vector, other_vector) >= upper:
                return other
        return None

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


def _told(fact: ReportedFact, verdict: Verdict) -> ReportedFact:
    """Return a fact with the verdict that a model's answer made of it."""
    return replace(
        fact,
        novelty=verdict.novelty,
        reason=verdict.reason,
        changed=verdict.changed,
        path=verdict.path,
    )
