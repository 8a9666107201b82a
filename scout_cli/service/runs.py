"""Run a scout: the agent thinks, this stores every step and commits the result at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from scout_cli.core import schedule
from scout_cli.core.agent import ScoutAgent
from scout_cli.core.asking import fingerprint
from scout_cli.core.events import Emit
from scout_cli.core.job import Budget, Job, Result
from scout_cli.core.memory import ListMemory
from scout_cli.core.models import Execution, Record, Scout, ScoutPatch
from scout_cli.core.ports import Clock, Embedder, Fetcher, Memory, Parts, Reasoner, SearchEngine
from scout_cli.errors import FenceLost
from scout_cli.service.clocks import SeededClock
from scout_cli.service.jobs import job_of, planned_for, wish_job
from scout_cli.service.journal import Journal
from scout_cli.service.memory import StoredMemory
from scout_cli.service.outcome import failed, finding, finished
from scout_cli.service.recording import Player, Recording, Replay, Tape, header
from scout_cli.service.scouts import Wish, check
from scout_cli.store import executions, findings, pages, scouts, steps, vectors
from scout_cli.store.database import Connection, Database
from scout_cli.store.finishing import to_the_end

LEASE = timedelta(seconds=60)
"""How long an execution stays somebody's without a sign of life."""
HEARTBEAT = 15.0
"""Seconds between signs of life."""

T = TypeVar("T")


class Kit(Record, frozen=True, kw_only=True):
    """The outside parts of a run, opened."""

    reasoner: Reasoner
    embedder: Embedder
    search: SearchEngine
    fetcher: Fetcher


class Runs:
    """Runs scouts of one database.

    Args:
        db: where everything is stored.
        clock: time and identifiers.
        kit: opens the outside parts, the first time they are needed.
        budget: the bounds of every run.
    """

    def __init__(
        self, db: Database, clock: Clock, kit: Callable[[], Awaitable[Kit]], budget: Budget
    ) -> None:
        self._db = db
        self._clock = clock
        self._kit = kit
        self._budget = budget

    async def run(
        self,
        scout: Scout,
        emit: Emit,
        *,
        trigger: str = "manual",
        record: Path | None = None,
    ) -> Result:
        """Run `scout` now and store everything.

        Args:
            scout: which one.
            emit: receives every event after it was stored.
            trigger: `manual`, `schedule` or `api`.
            record: folder for a recording of the run.

        Raises:
            Conflict: it is running already.
            Unavailable: a part is absent; the execution is stored as failed.
        """
        kit = await self._kit()
        execution = self._new_execution(scout, kit, trigger)
        await executions.start(self._db, execution)
        try:
            return await self._alive(execution, self._work(scout, execution, kit, emit, record))
        except FenceLost:
            raise
        except BaseException as error:
            ended = failed(execution, error, self._clock.now())
            await to_the_end(self._end(ended))
            raise

    def _new_execution(self, scout: Scout, kit: Kit, trigger: str) -> Execution:
        now = self._clock.now()
        return Execution(
            id=self._clock.uuid(),
            scout_id=scout.id,
            user_id=scout.user_id,
            status="running",
            started_at=now,
            created_at=now,
            trigger=trigger,
            lease_until=now + LEASE,
            model=kit.reasoner.name,
            embedder=kit.embedder.name,
            prompts=fingerprint(),
        )

    async def _alive(self, execution: Execution, work: Awaitable[T]) -> T:
        """Do the work while renewing the lease; losing it ends the work at once."""
        task = asyncio.ensure_future(work)
        pulse = asyncio.create_task(self._pulse(execution))
        try:
            await asyncio.wait({task, pulse}, return_when=asyncio.FIRST_COMPLETED)
            if pulse.done() and not task.done():
                pulse.result()
            return await task
        finally:
            for each in (pulse, task):
                each.cancel()
            await asyncio.gather(pulse, task, return_exceptions=True)

    async def _pulse(self, execution: Execution) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            until = self._clock.now() + LEASE
            await executions.renew(self._db, execution.id, execution.fence, until)

    async def _work(
        self, scout: Scout, execution: Execution, kit: Kit, emit: Emit, record: Path | None
    ) -> Result:
        await self._complete_vectors(scout, kit.embedder)
        memory = StoredMemory(self._db, scout.id, kit.embedder)
        job = job_of(scout, execution.id, self._clock.now(), self._budget)
        journal = Journal(self._db, execution, self._clock, emit)
        result = await _play(kit, memory, self._clock, job, journal.emit, record)
        await to_the_end(self._store(scout, execution, job, journal, memory, result))
        return result

    async def _complete_vectors(self, scout: Scout, embedder: Embedder) -> None:
        """Give earlier findings a vector of the current embedder, so that all can be compared."""
        lacking = await vectors.without(self._db, scout.id, embedder.name)
        for at in range(0, len(lacking), 64):
            batch = lacking[at : at + 64]
            made = await embedder.embed([finding.fact for finding in batch])
            rows = [
                vectors.of_finding(finding, embedder.name, vector)
                for finding, vector in zip(batch, made, strict=True)
            ]
            await vectors.put_many(self._db, rows)

    async def _store(
        self,
        scout: Scout,
        execution: Execution,
        job: Job,
        journal: Journal,
        memory: StoredMemory,
        result: Result,
    ) -> None:
        """Commit result, findings, vectors and memory in one transaction."""
        now = self._clock.now()
        found = [finding(fact, execution, now) for fact in result.facts]
        rows = [vectors.of_finding(each, memory.embedder, memory.kept[each.id]) for each in found]
        async with self._db.transaction() as tx:
            await executions.finish(tx, finished(execution, result, now))
            await findings.add_many(tx, found)
            await vectors.put_many(tx, rows)
            if result.outcome != "could_not_look":
                await pages.seen_put_many(tx, journal.seen)
            await self._advance(tx, scout, job, result)

    async def _advance(self, tx: Connection, scout: Scout, job: Job, result: Result) -> None:
        now = job.asked_at or self._clock.now()
        upcoming = scout.next_run_at or now
        while upcoming <= now:
            upcoming = schedule.next_after(scout.schedule, scout.timezone, upcoming)
        patch = ScoutPatch(next_run_at=upcoming)
        if result.outcome != "could_not_look":
            patch = replace(patch, last_run_at=now, consecutive_failures=0)
        if result.planned is not None and result.planned != job.planned:
            planned = list(result.planned)
            patch = replace(patch, planned_queries=planned, planned_for=planned_for(scout))
        await scouts.update(tx, scout.id, patch)

    async def _end(self, execution: Execution) -> None:
        """Store how the execution failed, and with it the steps that were under way."""
        async with self._db.transaction() as tx:
            assert execution.completed_at is not None
            await steps.fail_open(tx, execution, execution.error_message or "")
            await executions.finish(tx, execution)


async def once(
    kit: Kit, clock: Clock, budget: Budget, wish: Wish, emit: Emit, record: Path | None = None
) -> Result:
    """Look once for a wish and store nothing.

    Raises:
        InvalidInput: a wish that cannot be used.
        Unavailable: a part is absent.
    """
    job = wish_job(check(wish), clock.now(), budget)
    return await _play(kit, ListMemory(), clock, job, emit, record)


async def replay(folder: Path, emit: Emit) -> Result:
    """Repeat a recorded run without network, model or database.

    Raises:
        NotFound: no recording there, or the program asks for what was not recorded.
    """
    player = Player(folder)
    parts = Replay(player).parts()
    return await _agent(parts).run(player.header.job, emit)


async def _play(
    kit: Kit, memory: Memory, clock: Clock, job: Job, emit: Emit, record: Path | None
) -> Result:
    parts = Parts(
        reasoner=kit.reasoner,
        embedder=kit.embedder,
        search=kit.search,
        fetcher=kit.fetcher,
        memory=memory,
        clock=clock,
    )
    if record is None:
        return await _agent(parts).run(job, emit)
    seed = str(clock.uuid())
    seeded = replace(parts, clock=SeededClock(seed))
    tape = Tape(record, header(parts, job, job.asked_at or clock.now(), seed))
    try:
        return await _agent(Recording(seeded, tape).parts()).run(job, emit)
    finally:
        tape.close()


def _agent(parts: Parts) -> ScoutAgent:
    return ScoutAgent(
        reasoner=parts.reasoner,
        embedder=parts.embedder,
        search=parts.search,
        fetcher=parts.fetcher,
        memory=parts.memory,
        clock=parts.clock,
    )
