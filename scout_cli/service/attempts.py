"""One execution from its claim to its end: carried out, stored, tried again or given back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec.structs import replace

from scout_cli.core import schedule
from scout_cli.core.asking import fingerprint
from scout_cli.core.events import Emit, Event
from scout_cli.core.job import Budget, Job, Result
from scout_cli.core.models import Execution, Problem, Scout, ScoutPatch
from scout_cli.core.ports import Clock, Parts
from scout_cli.core.retries import Decision, decide
from scout_cli.core.schedule import Turn
from scout_cli.errors import DatabaseUnavailable, FenceLost
from scout_cli.service import reach, rebuilding
from scout_cli.service.accounting import Notices, count_failure
from scout_cli.service.ballast import is_full
from scout_cli.service.changes import wished
from scout_cli.service.jobs import job_of, planned_for
from scout_cli.service.journal import Journal
from scout_cli.service.kit import Kit, agent
from scout_cli.service.lease import Terms, alive
from scout_cli.service.memory import StoredMemory
from scout_cli.service.outcome import failed, finding, finished, problem_of
from scout_cli.service.recording import recorded_run
from scout_cli.service.resuming import Ledger
from scout_cli.service.screenshots import Filing, Screenshots
from scout_cli.store import answers, executions, findings, queue, scouts, steps, vectors
from scout_cli.store.database import Connection, Database
from scout_cli.store.finishing import to_the_end

_PATIENCE = 60.0
"""Seconds for which a result waits for its database to come back."""


class Attempts:
    """Carries out executions that this process holds.

    Args:
        db: where everything is stored.
        clock: time and identifiers.
        kit: opens the outside parts, the first time they are needed.
        budget: the bounds of every run.
        notices: queues the news.
        terms: how long an execution is ours.
        screenshots: where pictures of its pages are filed; None when none are taken.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        kit: Callable[[], Awaitable[Kit]],
        budget: Budget,
        notices: Notices,
        terms: Terms,
        screenshots: Screenshots | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._kit = kit
        self._budget = budget
        self._notices = notices
        self._terms = terms
        self._screenshots = screenshots

    async def carry_out(
        self, execution: Execution, scout: Scout, emit: Emit, record: Path | None = None
    ) -> Result:
        """Run an execution that is ours, and store what it comes to.

        A scheduled run that failed for now goes back to the queue; so does one that is
        interrupted. Whatever happened is raised after it was stored.

        Raises:
            FenceLost: another process has taken it over; nothing more was written.
            Unavailable: a part is absent.
        """
        journal = Journal(self._db, execution, self._clock, emit)
        work = self._work(execution, scout, journal, record)
        try:
            return await alive(self._db, self._clock, execution, self._terms, work)
        except FenceLost:
            raise
        except BaseException as error:  # a cancellation too: what became of it is stored
            await to_the_end(self._broke_off(execution, journal, error))
            raise

    async def _work(
        self, execution: Execution, scout: Scout, journal: Journal, record: Path | None
    ) -> Result:
        kit = await self._kit()
        execution = replace(
            execution,
            model=kit.reasoner.name,
            embedder=kit.embedder.name,
            prompts=fingerprint(),
        )
        await rebuilding.complete(self._db, scout.id, kit.embedder)
        memory = StoredMemory(self._db, scout.id, kit.embedder)
        since = replace(scout, last_run_at=await reach.last_look(self._db, scout))
        job = job_of(since, execution.id, execution.started_at, self._budget)
        parts = kit.parts(memory, self._clock)
        if self._screenshots is not None:
            filing = Filing(parts.fetcher, self._screenshots, execution.id)
            parts = replace(parts, fetcher=filing)
        result = await self._think(execution, parts, job, journal, record)
        await to_the_end(self._store(execution, scout, job, journal, memory, result))
        return result

    async def _think(
        self, execution: Execution, parts: Parts, job: Job, journal: Journal, record: Path | None
    ) -> Result:
        if record is not None:
            return await recorded_run(parts, job, journal.emit, record)
        if execution.trigger == "manual":
            return await agent(parts).run(job, journal.emit)
        ledger = Ledger(execution, await answers.of_execution(self._db, execution.id))

        async def emit(event: Event) -> None:
            await journal.emit(event)
            await ledger.flush(self._db)

        return await agent(ledger.parts(parts)).run(job, emit)

    async def _store(
        self,
        execution: Execution,
        scout: Scout,
        job: Job,
        journal: Journal,
        memory: StoredMemory,
        result: Result,
    ) -> None:
        """Commit result, findings, vectors, memory and news in one transaction."""
        if result.outcome == "could_not_look":
            await self._came_to_nothing(execution, journal, result)
            return
        now = await self._db.now()
        ended, turn = finished(execution, result, now), _taken(execution, scout)
        if turn is not None:
            ended = replace(ended, slot_at=turn.slot, covers_from=turn.covers_from)
        found = [finding(fact, execution, now) for fact in result.facts]
        rows = [vectors.of_finding(each, memory.embedder, memory.kept[each.id]) for each in found]

        async def commit() -> None:
            async with self._db.transaction() as tx:
                await executions.finish(tx, ended)
                await journal.store_rest(tx)
                await findings.add_many(tx, found)
                await vectors.put_many(tx, rows)
                await answers.forget(tx, execution.id)
                current = await self._advance(tx, scout, job, result, turn)
                if wished(current) == job.goal:  # else it was read for another wish
                    await reach.remember(tx, scout, journal.seen, result.unfinished)
                await self._notices.tell(tx, current, ended, result)

        await self._surely(ended, commit)

    async def _advance(
        self, tx: Connection, scout: Scout, job: Job, result: Result, turn: Turn | None
    ) -> Scout:
        patch = ScoutPatch(last_run_at=job.asked_at or self._clock.now(), consecutive_failures=0)
        if turn is not None:
            anchor = scout.anchor or scout.created_at
            patch = replace(patch, next_run_at=turn.upcoming, anchor=anchor)
        if result.planned is not None and result.planned != job.planned:
            planned = list(result.planned)
            patch = replace(patch, planned_queries=planned, planned_for=planned_for(scout))
        return await scouts.update(tx, scout.id, patch)

    async def _came_to_nothing(
        self, execution: Execution, journal: Journal, result: Result
    ) -> None:
        ended = finished(execution, result, await self._db.now())
        problem = (
            result.problems[0]
            if result.problems
            else Problem(code="nothing_read", message="nothing could be read", retryable=False)
        )
        await self._give_up(ended, journal, problem)

    async def _broke_off(
        self, execution: Execution, journal: Journal, error: BaseException
    ) -> None:
        """Store how the attempt ended, and with it the steps that were under way."""
        problem = problem_of(error)
        scheduled = execution.trigger != "manual"
        if scheduled and isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
            await self._give_back(execution, journal)
            return
        await self._give_up(failed(execution, error, await self._db.now()), journal, problem)

    async def _give_back(self, execution: Execution, journal: Journal) -> None:
        now = await self._db.now()
        async with self._db.transaction() as tx:
            await steps.fail_open(tx, replace(execution, completed_at=now), "given back")
            await queue.release(tx, execution, now)
            await journal.store_rest(tx)

    async def _give_up(self, ended: Execution, journal: Journal, problem: Problem) -> None:
        """End a failed attempt: back to the queue for later, or failed for good."""
        decision = decide(problem, ended.attempt, str(ended.id))

        async def commit() -> None:
            async with self._db.transaction() as tx:
                await steps.fail_open(tx, ended, problem.message)
                await self._conclude(tx, ended, problem, decision)
                await journal.store_rest(tx)

        await self._surely(ended, commit)

    async def _conclude(
        self, tx: Connection, ended: Execution, problem: Problem, decision: Decision
    ) -> None:
        assert ended.completed_at is not None
        if decision.retry_in is not None and ended.trigger != "manual":
            after = ended.completed_at + decision.retry_in
            await queue.retry(tx, ended, after, problem.message, problem.code)
            return
        await executions.finish(tx, ended)
        await answers.forget(tx, ended.id)
        if decision.attributable:
            await count_failure(tx, ended, problem.message, self._notices)

    async def _surely(self, ended: Execution, commit: Callable[[], Awaitable[None]]) -> None:
        """Commit, waiting for a database that went away; a commit that arrived is not repeated.

        When the connection is lost at the commit nobody knows whether it arrived. Then the fence
        tells: the same transaction cannot pass it a second time.
        """
        began, tried = self._clock.monotonic(), False
        while True:
            try:
                await commit()
            except DatabaseUnavailable as error:
                passing = error.retryable or is_full(error)
                if not passing or self._clock.monotonic() - began > _PATIENCE:
                    raise
                tried = True
                await asyncio.sleep(0.25)
            except FenceLost:
                if tried and await executions.ended_as_held(self._db, ended):
                    return
                raise
            else:
                return


def _taken(execution: Execution, scout: Scout) -> Turn | None:
    """Return the turn that a run by hand takes: the one that was due when it began.

    A run with a slot takes no other, however late it began: the next one stays due.
    """
    due = scout.next_run_at
    if execution.slot_at is not None or due is None or due > execution.started_at:
        return None
    return schedule.turn(scout, execution.started_at)
