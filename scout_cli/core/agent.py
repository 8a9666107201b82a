"""The agent: takes a wish, looks, and gives back verified facts as a stream of events.

It thinks; it stores, prints and notifies nothing. Code decides the steps, the model fills small
forms: plan, search, select, fetch, extract, verify, follow up, compare, write, summarise.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from scout_cli.core.events import Emit, Event
from scout_cli.core.job import Job, Result
from scout_cli.core.ports import (
    Clock,
    Embedder,
    Fetcher,
    Memory,
    Parts,
    Reasoner,
    SearchEngine,
)
from scout_cli.core.run import Run

_QUEUE = 256


class ScoutAgent:
    """Looks once for what a job asks.

    Args:
        reasoner: a model with its safety net, or the built-in engine.
        embedder: turns facts into vectors.
        search: finds pages.
        fetcher: reads pages and feeds.
        memory: what the same scout read and reported before.
        clock: time and identifiers.
    """

    def __init__(
        self,
        *,
        reasoner: Reasoner,
        embedder: Embedder,
        search: SearchEngine,
        fetcher: Fetcher,
        memory: Memory,
        clock: Clock,
    ) -> None:
        self._parts = Parts(
            reasoner=reasoner,
            embedder=embedder,
            search=search,
            fetcher=fetcher,
            memory=memory,
            clock=clock,
        )

    async def run(self, job: Job, emit: Emit) -> Result:
        """Run `job`, awaiting `emit` for every event.

        Raises:
            ModelUnavailable: the model or embedder went away; nothing is reported half.
            Exception: whatever `emit` raises ends the run at once.
        """
        warming = asyncio.create_task(self._parts.fetcher.warm_up())
        try:
            return await Run(self._parts, job, emit).go()
        finally:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)

    async def stream(self, job: Job) -> AsyncGenerator[Event]:
        """Run `job` and yield its events; closing the generator ends the run.

        The run is a task of its own behind a bounded queue: a slow consumer slows it down, and
        nothing of the consumer is ever cancelled by a search that fails.
        """
        events: asyncio.Queue[Event | None] = asyncio.Queue(_QUEUE)

        async def work() -> None:
            try:
                await self.run(job, events.put)
            finally:
                await events.put(None)

        task = asyncio.create_task(work())
        try:
            while (event := await events.get()) is not None:
                yield event
            await task
        finally:
            task.cancel()
            while not events.empty():  # makes room for the last word of the task
                events.get_nowait()
            await asyncio.gather(task, return_exceptions=True)


async def collect(agent: ScoutAgent, job: Job) -> list[Event]:
    """Return all events of a run as a list."""
    async with aclosing(agent.stream(job)) as stream:
        return [event async for event in stream]
