"""Runs what is due, side by side, and delivers the news: once for cron, or without end.

The loop never waits for a run, and nothing but `concurrency` limits how many there are at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from scout_cli.core.events import Event
from scout_cli.core.models import Execution, Scout
from scout_cli.core.ports import Clock
from scout_cli.errors import DatabaseUnavailable, FenceLost, ScoutError
from scout_cli.service.attempts import Attempts
from scout_cli.service.lease import Terms
from scout_cli.service.listener import Ended, Listener
from scout_cli.service.scheduler import Scheduler
from scout_cli.service.spreading import Spread
from scout_cli.store import queue, scouts
from scout_cli.store.database import Database

INTERVAL = 60.0
"""Seconds between two looks at the clock, at most."""
GRACE = 20.0
"""Seconds that running work has to finish after it was asked to stop."""
_RETRY = 1.0
"""Seconds between two tries to reach a database that is gone."""


class Worker:
    """Claims and runs what the scheduler queues.

    Args:
        db: where the queue is.
        clock: measures how long runs take.
        scheduler: queues what is due.
        attempts: carries out a claimed execution.
        terms: how long a claim holds.
        concurrency: executions at the same time.
        chores: done beside the runs, again and again: deliveries, clean-ups.
        relieve: makes room when an error says that the disk is full.
        spread: brings runs from a queue beside the database; without it, this claims by itself.
        listener: hears what happens.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        scheduler: Scheduler,
        attempts: Attempts,
        terms: Terms,
        listener: Listener,
        *,
        concurrency: int,
        chores: tuple[Callable[[], Awaitable[object]], ...] = (),
        relieve: Callable[[BaseException], Awaitable[bool]] | None = None,
        spread: Spread | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._scheduler = scheduler
        self._attempts = attempts
        self._terms = terms
        self._listener = listener
        self._concurrency = concurrency
        self._chores = (*chores, spread.sweep) if spread is not None else chores
        self._spread = spread
        self._room = asyncio.Semaphore(concurrency)
        self._relieve = relieve
        self._interval = INTERVAL
        self._running: set[asyncio.Task[None]] = set()

    async def tick(self, stop: asyncio.Event) -> None:
        """Queue what is due, run all that waits, do the chores, and return.

        Args:
            stop: set it to claim nothing more; what runs has `GRACE` seconds to finish and is
                given back after that.

        Raises:
            DatabaseUnavailable: before anything was claimed.
        """
        await self._plan()
        async with self._doing_chores(stop), self._winding_down():
            if self._spread is not None:
                await self._take_from(self._spread, stop, stays=False)
            else:
                await self._run_what_waits(stop)
        if not stop.is_set():
            for chore in self._chores:
                await chore()

    async def serve(self, stop: asyncio.Event) -> None:
        """Do so without end, looking at the clock at least once a minute.

        Args:
            stop: set it to end; see `tick`.
        """
        planner = asyncio.create_task(self._keep_planning(stop))
        try:
            async with self._doing_chores(stop), self._winding_down():
                while not stop.is_set():
                    await self._guarded(lambda: self._work(stop))
        finally:
            planner.cancel()
            await asyncio.gather(planner, return_exceptions=True)

    @asynccontextmanager
    async def _doing_chores(self, stop: asyncio.Event) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._keep_doing(chore, stop)) for chore in self._chores]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _plan(self) -> None:
        await self._listener.planned(await self._scheduler.plan())
        if self._spread is not None:
            await self._spread.offer()

    async def _keep_planning(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._guarded(self._plan)
            await _sleep(stop, self._interval)

    async def _keep_doing(
        self, chore: Callable[[], Awaitable[object]], stop: asyncio.Event
    ) -> None:
        while not stop.is_set():
            await self._guarded(chore)
            await _sleep(stop, _RETRY)

    async def _guarded(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do `work`; a database that is gone comes back, and the loop is still here then."""
        try:
            await work()
        except DatabaseUnavailable as error:
            await self._listener.trouble(error)
            if self._relieve is not None:
                with suppress(DatabaseUnavailable):  # told a moment ago, and tried again in one
                    await self._relieve(error)
            await asyncio.sleep(_RETRY)

    async def _work(self, stop: asyncio.Event) -> None:
        if self._spread is not None:
            await self._take_from(self._spread, stop, stays=True)
            return
        await self._fill(stop)
        await self._wait_for_one(stop, min(1.0, self._interval))

    async def _run_what_waits(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._fill(stop)
            if not self._running:
                return
            await self._wait_for_one(stop, None)

    async def _take_from(self, spread: Spread, stop: asyncio.Event, *, stays: bool) -> None:
        """Run what the queue brings, until `stop` is set or, unless it stays, nothing is left."""
        stopping = asyncio.create_task(stop.wait())

        async def take(execution_id: UUID) -> None:
            await self._take(execution_id, stopping)

        taking = asyncio.create_task(spread.work(take, self._concurrency, stays=stays))
        try:
            await asyncio.wait({taking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                taking.result()
        finally:
            stopping.cancel()
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    async def _take(self, execution_id: UUID, stopping: asyncio.Task[bool]) -> None:
        """Claim and run what the queue brought; the queue may go away, the run goes on.

        Runs that outlived a connection of the queue count, so there may be no room at once.
        """
        await self._room.acquire()
        if stopping.done():
            self._room.release()
            return
        task = asyncio.create_task(self._claim_and_run(execution_id))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: self._room.release())
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)

    async def _claim_and_run(self, execution_id: UUID) -> None:
        try:
            execution = await queue.claim_one(self._db, self._terms.span, execution_id)
            if execution is not None:
                await self._run(execution, await scouts.get(self._db, execution.scout_id))
        except DatabaseUnavailable as error:
            await self._listener.trouble(error)  # it waits still, and is offered again

    async def _fill(self, stop: asyncio.Event) -> None:
        """Claim as much as there is room for, and start it."""
        while (room := self._concurrency - len(self._running)) > 0 and not stop.is_set():
            claimed = await queue.claim_now(self._db, self._terms.span, room)
            owners = await scouts.by_ids(self._db, [each.scout_id for each in claimed])
            for execution in claimed:
                run = self._run(execution, owners.get(execution.scout_id))
                task = asyncio.create_task(run)
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if len(claimed) < room:
                return
            # Once more: what ended while this claimed has made room that nobody else fills.

    async def _run(self, execution: Execution, scout: Scout | None) -> None:
        if scout is None:
            return  # deleted a moment ago, and its execution with it
        began = self._clock.monotonic()
        await self._listener.started(execution, scout.title)

        async def emit(event: Event) -> None:
            await self._listener.event(execution, event)

        outcome, message = "", ""
        try:
            result = await self._attempts.carry_out(execution, scout, emit)
            outcome = result.outcome
            if outcome == "could_not_look" and result.problems:
                message = result.problems[0].message
        except FenceLost as error:
            outcome, message = "lost", error.message
        except asyncio.CancelledError:
            outcome = "given_back"
        except ScoutError as error:
            outcome, message = "failed", error.message
        except Exception as error:  # noqa: BLE001 - stored as failed; the other runs go on
            outcome, message = "failed", f"unexpected {type(error).__name__}: {error}"
        await self._listener.ended(
            Ended(
                execution=execution,
                title=scout.title,
                outcome=outcome,
                message=message,
                seconds=self._clock.monotonic() - began,
            )
        )

    async def _wait_for_one(self, stop: asyncio.Event, seconds: float | None) -> None:
        """Wait until a run has ended, `stop` is set or the time is over."""
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait(
                {stopping, *self._running}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stopping.cancel()

    @asynccontextmanager
    async def _winding_down(self) -> AsyncIterator[None]:
        """Let what runs finish after the block, for a while; give all of it back when it breaks."""
        try:
            yield
        except BaseException:  # a cancellation too: no run goes on unwatched
            await self._give_back(set(self._running))
            raise
        if self._running:
            _, late = await asyncio.wait(set(self._running), timeout=GRACE)
            await self._give_back(late)

    async def _give_back(self, running: set[asyncio.Task[None]]) -> None:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
