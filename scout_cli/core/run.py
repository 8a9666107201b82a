"""One run of the agent, from the wish to the result."""

from __future__ import annotations

from msgspec.structs import replace

from scout_cli.core.answers import MAX_QUERIES, FollowUpAnswer
from scout_cli.core.conclusion import Conclusion
from scout_cli.core.events import Emit, RunFinished, RunStarted
from scout_cli.core.job import Job, Result
from scout_cli.core.look import Look
from scout_cli.core.passages import tokens_of
from scout_cli.core.ports import Parts
from scout_cli.core.questions import FollowUp, Plan
from scout_cli.core.reading import RESERVED_CALLS, Reading
from scout_cli.core.trail import OutOfTime, Trail


class Run:
    """The state of one run.

    Args:
        parts: what the agent works with.
        job: the wish.
        emit: receives every event.
    """

    def __init__(self, parts: Parts, job: Job, emit: Emit) -> None:
        self._parts = parts
        self._job = job
        self._trail = Trail(emit, parts.clock, job.budget)
        self._look = Look(job, parts.search, parts.fetcher, parts.memory, self._trail)
        self._reading = Reading(parts, job, self._trail)
        self._planned = job.planned

    async def go(self) -> Result:
        """Run to the end and return the result; an error ends the steps under way."""
        try:
            return await self._go()
        except Exception:  # steps under way are ended, then it goes on its way
            await self._trail.end_open("the run broke off")
            raise

    async def _go(self) -> Result:
        await self._announce()
        conclusion = Conclusion(self._parts, self._job, self._trail, self._look, self._reading)
        try:
            await self._gather()
        except OutOfTime as late:
            await self._trail.end_open(late.message)
            await conclusion.out_of_time(late)
        await conclusion.compare()
        result = replace(await conclusion.draw(), planned=self._planned)
        clock = self._parts.clock
        seconds = round(clock.monotonic() - self._trail.started, 3)
        await self._trail.emit(RunFinished(at=clock.now(), result=result, seconds=seconds))
        return result

    async def _announce(self) -> None:
        await self._trail.emit(
            RunStarted(
                at=self._parts.clock.now(),
                id=self._job.id,
                goal=self._job.goal,
                title=self._job.title,
                model=self._parts.reasoner.name,
                embedder=self._parts.embedder.name,
                search=self._parts.search.name,
                window=self._job.window,
                budget=self._job.budget,
            )
        )

    async def _gather(self) -> None:
        """Look and read, then follow up while the model asks for it and the budget allows.

        A model that may follow up gets one page fewer per round at first; the built-in engine,
        which never does, reads them all at once. So does a wish for what its own feeds and pages
        bring: nothing else can be missing.
        """
        budget = self._job.budget
        follows_up = self._parts.reasoner.follows_up and not self._job.takes_what_comes
        rounds = budget.rounds if follows_up else 0
        self._look.habits = await self._parts.memory.habits()
        await self._look.read_feeds()
        await self._look.search(await self._queries())
        pages = await self._look.read(max(1, budget.pages - rounds))
        await self._reading.read(pages)
        for _ in range(rounds):
            if not await self._follow_up():
                return

    async def _queries(self) -> list[str]:
        """Return the configured queries and those that the model adds once per wish."""
        if self._job.takes_what_comes:
            return []
        have = list(dict.fromkeys([*self._job.queries, *(self._job.planned or ())]))
        count = min(3, MAX_QUERIES - len(have))
        if self._job.planned is not None or count < 1:
            return have
        question = Plan(
            goal=self._job.goal,
            have=tuple(have),
            place=self._place(),
            language=self._job.language,
            today=f"{self._job.asked_at or self._parts.clock.now():%A %d %B %Y}",
            count=count,
        )
        async with self._trail.step("analyze", "Plan the searches", {"queries": have}) as step:
            answer = await self._trail.ask(
                self._parts.reasoner, question, step, reserve=RESERVED_CALLS + 1, tokens=900
            )
            self._planned = tuple(answer.queries)
            step.output = {"queries": [*have, *self._planned]}
        return [*have, *self._planned]

    def _place(self) -> str:
        place = self._job.location
        if place is None or place.city in (None, "any"):
            return ""
        return ", ".join(part for part in (place.city, place.state, place.country) if part)

    async def _follow_up(self) -> bool:
        """Ask what is missing and look for it; False when nothing is, or the budget is spent."""
        if not self._may_follow_up():
            return False
        question = FollowUp(
            goal=self._job.goal,
            facts=tuple(fact.text for fact in self._reading.facts),
            unread=self._look.unread(),
            queries=tuple(self._look.queries),
        )
        known = " ".join([*question.facts, *question.unread.values(), *question.queries])
        tokens = tokens_of(known) + 900
        async with self._trail.step("analyze", "Ask what is missing") as step:
            answer: FollowUpAnswer = await self._trail.ask(
                self._parts.reasoner, question, step, reserve=RESERVED_CALLS + 1, tokens=tokens
            )
            step.output = {"searches": answer.searches, "results": answer.results}
        pages = await self._look.read_numbers(answer.results[:1])
        if answer.searches and not pages:
            await self._look.search(answer.searches)
            pages = await self._look.read(1)
        await self._reading.read(pages)
        return bool(answer.searches or answer.results)

    def _may_follow_up(self) -> bool:
        budget, usage = self._job.budget, self._trail.usage
        somewhere = self._look.unread() or usage.searches < budget.searches
        calls = budget.calls - usage.calls
        return bool(
            self._reading.pages
            and somewhere
            and usage.pages < budget.pages
            and calls >= RESERVED_CALLS + 2
        )
