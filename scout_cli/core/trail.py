"""What a run has done and spent so far: numbers its steps, adds up its budget, emits its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from msgspec.structs import replace

from scout_cli.core.events import Emit, StepFinished, StepStarted, TokenDelta, Trouble
from scout_cli.core.job import Budget
from scout_cli.core.models import AnsweredBy, Problem, Status, StepKind, Usage
from scout_cli.core.ports import Answer, Clock, Reasoner
from scout_cli.errors import ScoutError

T = TypeVar("T")


class OutOfTime(ScoutError):
    """The run's seconds are used up; it ends with what was verified so far."""

    code = "deadline"


class OpenStep:
    """A step under way; what is set here is what its end reports."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.status: Status = "completed"
        self.output: Any = None
        self.error: str | None = None
        self.answered_by: AnsweredBy | None = "code"
        self.prompt_tokens = self.completion_tokens = 0

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
        self.emit = emit
        self.clock = clock
        self.budget = budget
        self.usage = Usage()
        self.problems: list[Problem] = []
        self.started = clock.monotonic()
        self._steps = 0

    @asynccontextmanager
    async def step(
        self, kind: StepKind, description: str, given: Any = None
    ) -> AsyncIterator[OpenStep]:
        """Open a step; it ends with the block, as failed when the block raises."""
        self._steps += 1
        step = OpenStep(self._steps)
        began = self.clock.monotonic()
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
        except ScoutError as error:
            step.fail(error.message)
            await self._finish(step, kind, began)
            raise
        await self._finish(step, kind, began)

    async def _finish(self, step: OpenStep, kind: StepKind, began: float) -> None:
        await self.emit(
            StepFinished(
                at=self.clock.now(),
                number=step.number,
                kind=kind,
                status=step.status,
                output=step.output,
                error=step.error,
                answered_by=step.answered_by,
                seconds=round(self.clock.monotonic() - began, 3),
                prompt_tokens=step.prompt_tokens,
                completion_tokens=step.completion_tokens,
            )
        )

    async def trouble(self, problem: Problem) -> None:
        """Note something that could not be done, once per cause."""
        same = (problem.code, problem.message)
        if any((known.code, known.message) == same for known in self.problems):
            return
        self.problems.append(problem)
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
            raise OutOfTime(
                f"the run's {self.budget.seconds:g} seconds are used up",
                hint="raise the setting `deadline`",
            ) from None

    async def ask(
        self, reasoner: Reasoner, question: Any, step: OpenStep, *, reserve: int, tokens: int
    ) -> Any:
        """Ask a question inside the budget and return its typed answer.

        Args:
            reasoner: who answers.
            question: one of `questions`.
            step: the step that the question belongs to.
            reserve: model calls that must be left for later questions.
            tokens: estimate of the prompt's tokens.

        When the budget does not allow a call, the built-in engine answers.
        """
        calls = self.budget.calls - self.usage.calls - reserve
        if calls < 1 or self.usage.prompt_tokens + tokens > self.budget.tokens:
            await self._tell_spent(step)
            step.answered_by = "fallback"
            return question.built_in()

        async def on_token(text: str) -> None:
            await self.emit(TokenDelta(at=self.clock.now(), step=step.number, text=text))

        answer = await self.within(reasoner.answer(question, on_token, calls=min(2, calls)))
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
