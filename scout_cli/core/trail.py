"""What a run has done and spent so far: numbers its steps, adds up its budget, emits its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from msgspec.structs import replace

from scout_cli.core.events import Emit, Event, StepFinished, StepStarted, TokenDelta, Trouble
from scout_cli.core.job import Budget
from scout_cli.core.models import AnsweredBy, Problem, Status, StepKind, Usage
from scout_cli.core.ports import Answer, Clock, Reasoner
from scout_cli.errors import ScoutError

T = TypeVar("T")


class OutOfTime(ScoutError):
    """The run's seconds are used up; it ends with what was verified so far.

    Args:
        seconds: the budget of the run.
    """

    code = "deadline"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the run's {seconds:g} seconds are used up", hint="raise the setting `deadline`"
        )


class OpenStep:
    """A step under way; what is set here is what its end reports."""

    def __init__(self, number: int, kind: StepKind, began: float) -> None:
        self.number = number
        self.kind = kind
        self.began = began
        self.status: Status = "completed"
        self.output: Any = None
        self.error: str | None = None
        self.answered_by: AnsweredBy | None = "code"
        self.prompt_tokens = self.completion_tokens = 0
        self.postponed = False
        """Whether the model was not asked, for want of budget, and could be in another run."""

    def fail(self, error: str) -> None:
        """Mark the step failed."""
        self.status, self.error = "failed", error


class Trail:
    """The record of one run.

    Args:
        emit: receives every event, awaited.
        clock: gives the time of events and the deadline.
        budget: the bounds of the run.
    """

    def __init__(self, emit: Emit, clock: Clock, budget: Budget) -> None:
        self._sink = emit
        self._deaf = False
        self.clock = clock
        self.budget = budget
        self.usage = Usage()
        self.problems: list[Problem] = []
        self.started = clock.monotonic()
        self._steps = 0
        self._open: dict[int, OpenStep] = {}

    async def emit(self, event: Event) -> None:
        """Hand an event to the sink; one that raised is told nothing more."""
        if self._deaf:
            return
        try:
            await self._sink(event)
        except Exception:  # a sink may raise anything: it goes on its way
            self._deaf = True
            raise

    @asynccontextmanager
    async def step(
        self, kind: StepKind, description: str, given: Any = None
    ) -> AsyncIterator[OpenStep]:
        """Open a step; it ends with the block, as failed when the block raises.

        A step that is cancelled stays open until `end_open`: nobody may be left to tell.
        """
        self._steps += 1
        step = self._open[self._steps] = OpenStep(self._steps, kind, self.clock.monotonic())
        await self.emit(
            StepStarted(
                at=self.clock.now(),
                number=step.number,
                kind=kind,
                description=description,
                input=given,
            )
        )
        try:
            yield step
        except Exception as error:  # told as the end of the step, then it goes on its way
            unexpected = f"unexpected {type(error).__name__}"
            step.fail(error.message if isinstance(error, ScoutError) else unexpected)
            await self._finish(step)
            raise
        await self._finish(step)

    async def end_open(self, error: str) -> None:
        """End the steps that were cancelled because another one failed."""
        for step in list(self._open.values()):
            step.fail(error)
            await self._finish(step)

    async def _finish(self, step: OpenStep) -> None:
        del self._open[step.number]
        await self.emit(
            StepFinished(
                at=self.clock.now(),
                number=step.number,
                kind=step.kind,
                status=step.status,
                output=step.output,
                error=step.error,
                answered_by=step.answered_by,
                seconds=round(self.clock.monotonic() - step.began, 3),
                prompt_tokens=step.prompt_tokens,
                completion_tokens=step.completion_tokens,
            )
        )

    async def trouble(self, problem: Problem) -> None:
        """Note something that could not be done, once per cause, under its first step.

        The order is that of the steps, not of the answers of parts that work side by side.
        """
        for at, known in enumerate(self.problems):
            if (known.code, known.message) == (problem.code, problem.message):
                self.problems[at] = min(known, problem, key=_place)
                self.problems.sort(key=_place)
                return
        self.problems.append(problem)
        self.problems.sort(key=_place)
        await self.emit(Trouble(at=self.clock.now(), problem=problem))

    def spend(self, **amounts: int) -> None:
        """Add to what the run has used, such as `spend(pages=1)`."""
        self.usage = replace(
            self.usage, **{key: getattr(self.usage, key) + n for key, n in amounts.items()}
        )

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the deadline, not below zero."""
        return max(0.0, self.budget.seconds - (self.clock.monotonic() - self.started))

    async def within(self, work: Awaitable[T]) -> T:
        """Await something outside, at most until the deadline.

        Raises:
            OutOfTime: the deadline came first.
        """
        limit = asyncio.timeout(self.seconds_left)
        try:
            async with limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise
            raise OutOfTime(self.budget.seconds) from None

    def affords(self, tokens: int, *, reserve: int) -> bool:
        """Return whether a call with so many prompt tokens is within calls, tokens and time.

        Args:
            tokens: estimate of the prompt's tokens.
            reserve: model calls that must be left for later questions.
        """
        calls = self.budget.calls - self.usage.calls - reserve
        left = self.budget.tokens - self.usage.prompt_tokens
        return calls >= 1 and left >= tokens and self.seconds_left > 0

    async def ask(
        self, reasoner: Reasoner, question: Any, step: OpenStep, *, reserve: int, tokens: int
    ) -> Any:
        """Ask a question inside the budget and return its typed answer.

        Args:
            reasoner: who answers.
            question: one of `questions`.
            step: the step that the question belongs to.
            reserve: model calls that must be left for later questions.
            tokens: estimate of the prompt's tokens; a repair turn costs them again.

        When the budget does not allow a call, the built-in engine answers.
        """
        calls = self.budget.calls - self.usage.calls - reserve
        calls = min(2, calls, (self.budget.tokens - self.usage.prompt_tokens) // tokens)
        if calls < 1:
            await self._tell_spent(step)
            step.answered_by = "fallback"
            step.postponed = reserve < self.budget.calls and tokens <= self.budget.tokens
            return question.built_in()

        async def on_token(text: str) -> None:
            await self.emit(TokenDelta(at=self.clock.now(), step=step.number, text=text))

        answer = await self.within(reasoner.answer(question, on_token, calls=calls))
        await self._count(answer, step)
        return answer.value

    async def _count(self, answer: Answer, step: OpenStep) -> None:
        step.answered_by = answer.by
        step.prompt_tokens += answer.prompt_tokens
        step.completion_tokens += answer.completion_tokens
        self.spend(
            calls=answer.calls,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
        )
        if answer.by == "fallback":
            problem = Problem(
                step=step.number,
                code="bad_output",
                message=f"the model's answer could not be used: {answer.note}",
                hint="the built-in engine answered instead; a larger model helps",
            )
            await self.trouble(problem)

    async def _tell_spent(self, step: OpenStep) -> None:
        problem = Problem(
            step=step.number,
            code="budget",
            message="the run's model calls or tokens are used up",
            hint="raise the settings `max_calls` and `max_tokens`",
        )
        await self.trouble(problem)


def _place(problem: Problem) -> float:
    return float("inf") if problem.step is None else problem.step
