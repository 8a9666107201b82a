"""Concluding: the brief, the sentence and the result of what was read and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from scout_cli.core import passages, report
from scout_cli.core.comparison import Comparison
from scout_cli.core.fetching import LOOKED
from scout_cli.core.grounds import shared
from scout_cli.core.job import Item, Job, ReportedFact, Result, Source
from scout_cli.core.look import Look
from scout_cli.core.models import (
    REPORTED,
    Counts,
    Outcome,
    PageOutcome,
    Problem,
)
from scout_cli.core.ports import Parts
from scout_cli.core.reading import Reading
from scout_cli.core.trail import OpenStep, OutOfTime, Trail
from scout_cli.core.urls import host_of
from scout_cli.core.words import sentences
from scout_cli.core.writing import CitedFact, Summarise, Write, cites, without_cites


class Conclusion:
    """Turns what a run read into what it reports.

    Args:
        parts: what the agent works with.
        job: the wish.
        trail: the record of the run.
        look: what was searched and fetched.
        reading: the verified facts.
    """

    def __init__(self, parts: Parts, job: Job, trail: Trail, look: Look, reading: Reading) -> None:
        self._parts = parts
        self._job = job
        self._trail = trail
        self._look = look
        self._reading = reading
        self._reported: list[ReportedFact] = []
        self._also: Mapping[UUID, Sequence[int]] = {}
        self._cut_short = False

    async def out_of_time(self, late: OutOfTime) -> None:
        """Note that the run ends early, with what was verified so far."""
        self._cut_short = True
        await self._trail.trouble(Problem(code=late.code, message=late.message, hint=late.hint))

    async def compare(self) -> None:
        """Give every fact its novelty."""
        comparison = Comparison(
            self._parts, self._job, self._trail, self._look.habits, self._reading.facts
        )
        self._reported = await comparison.compare()
        self._also = comparison.also

    async def draw(self) -> Result:
        """Write the brief, if anything is new, and return the result."""
        await self._tell_unread()
        news = [fact for fact in self._reported if fact.novelty in REPORTED]
        items = await self._write(news) if news else []
        sentence = await self._summarise(items) if items else ""
        counts = self._counts()
        outcome = self._outcome(bool(news))
        sources = self._sources(items)
        numbered = {source.number: source for source in sources}
        result = Result(
            outcome=outcome,
            results_summary=report.summary(
                outcome,
                report.brief(items, numbered),
                self._trail.problems,
                partial=self._looked_badly(),
            ),
            summary=sentence,
            items=tuple(items),
            facts=tuple(self._reported),
            sources=sources,
            counts=counts,
            usage=self._trail.usage,
            problems=tuple(self._trail.problems),
            unfinished=self._look.unfinished(self._reading.taken),
        )
        await self._last_step(result)
        return result

    async def _write(self, news: list[ReportedFact]) -> list[Item]:
        cited = tuple(
            CitedFact(
                sources=(fact.source, *dict.fromkeys(self._also.get(fact.id, ()))),
                fact=without_cites(fact.fact),  # a page may hold what looks like a citation
                quote=fact.quote,
                date=fact.stated_date,
            )
            for fact in news
        )
        question = Write(goal=self._job.goal, facts=cited, language=self._job.language)
        async with self._trail.step("analyze", "Write the brief", {"facts": len(news)}) as step:
            tokens = passages.tokens_of(" ".join(fact.fact for fact in news)) + 600
            answer = await self._ask_or_built_in(question, step, reserve=1, tokens=tokens)
            items = [self._item(text, news) for text in answer.items]
            step.output = {"items": len(items)}
        return items

    @staticmethod
    def _item(text: str, news: list[ReportedFact]) -> Item:
        numbers, told = cites(text), report.clean(without_cites(text))
        cited = [fact for fact in news if fact.source in numbers]
        nearest = max(cited, key=lambda fact: shared(fact.fact, told), default=None)
        doubtful = nearest is not None and nearest.novelty == "possible_repeat"
        return Item(
            text=told,
            sources=tuple(numbers),
            possible_repeat=doubtful,
            changed=nearest.changed if nearest is not None else "",
        )

    async def _summarise(self, items: list[Item]) -> str:
        question = Summarise(
            goal=self._job.goal,
            facts=tuple(item.text for item in items),
            language=self._job.language,
        )
        async with self._trail.step("analyze", "Summarise in one sentence") as step:
            tokens = passages.tokens_of(" ".join(question.facts)) + 600
            answer = await self._ask_or_built_in(question, step, reserve=0, tokens=tokens)
            # Small models go on behind it, until they are cut off.
            sentence = report.clean(next(iter(sentences(answer.sentence)), ""))
            step.output = {"sentence": sentence}
            if self._job.id:
                (vector,) = await self._parts.embedder.embed([sentence])
                await self._parts.memory.keep(self._job.id, vector)
        return sentence

    async def _ask_or_built_in(
        self, question: Any, step: OpenStep, *, reserve: int, tokens: int
    ) -> Any:
        """Ask while there is time; afterwards the built-in engine finishes the run."""
        try:
            return await self._trail.ask(
                self._parts.reasoner, question, step, reserve=reserve, tokens=tokens
            )
        except OutOfTime as late:
            await self.out_of_time(late)
            step.answered_by = "fallback"
            return question.built_in()

    def _counts(self) -> Counts:
        kinds = [fact.novelty for fact in self._reported]
        outcomes = list(self._look.outcomes.values())
        return Counts(
            new=kinds.count("new"),
            updates=kinds.count("update"),
            possible_repeats=kinds.count("possible_repeat"),
            repeats=kinds.count("repeat"),
            stale=kinds.count("stale"),
            suppressed=kinds.count("suppressed"),
            dropped=self._reading.dropped,
            read=outcomes.count("read"),
            unchanged=outcomes.count("unchanged"),
            unread=len(self._unread()),
        )

    def _looked_badly(self) -> bool:
        """Return whether a search failed, time ran out, or most pages could not be read."""
        return self._look.failed > 0 or self._cut_short or self._mostly_unread()

    def _mostly_unread(self) -> bool:
        return len(self._unread()) * 2 > len(self._look.outcomes)

    def _unread(self) -> list[PageOutcome]:
        return [outcome for outcome in self._look.outcomes.values() if outcome not in LOOKED]

    async def _tell_unread(self) -> None:
        """Say so when most pages could not be read, and why."""
        if not self._mostly_unread():
            return
        reasons = Counter(outcome.replace("_", " ") for outcome in self._unread())
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
        problem = Problem(
            code="pages_unread",
            message=f"{reasons.total()} of {len(self._look.outcomes)} pages not read: {why}",
            hint="name other sources with --url, --feed or --include, or try again later",
        )
        await self._trail.trouble(problem)

    def _outcome(self, found: bool) -> Outcome:  # noqa: FBT001 - the one fact it turns on
        if found:
            return "new"
        looked = any(outcome in LOOKED for outcome in self._look.outcomes.values())
        tried = self._look.found or self._look.outcomes
        if not looked and (tried or not self._look.answered):
            return "could_not_look"
        return "degraded" if self._looked_badly() else "nothing_new"

    def _sources(self, items: list[Item]) -> tuple[Source, ...]:
        used = sorted({number for item in items for number in item.sources})
        return tuple(
            Source(
                number=number,
                url=page.final_url,
                host=host_of(page.final_url),
                title=report.clean(page.title),
                published_at=page.published_at,
                published_from=page.published_from,
            )
            for number in used
            if (page := self._reading.pages[number].page)
        )

    async def _last_step(self, result: Result) -> None:
        async with self._trail.step("summarize", "Report") as step:
            step.output = {"response": result.results_summary.response}
