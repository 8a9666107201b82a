"""Run a scout: the agent thinks, this stores every step and commits the result at once."""

from __future__ import annotations

from pathlib import Path

from scout_cli.core.asking import fingerprint
from scout_cli.core.events import Emit
from scout_cli.core.job import Budget, Result
from scout_cli.core.memory import ListMemory
from scout_cli.core.models import Execution, Scout
from scout_cli.core.ports import Clock
from scout_cli.service import audit, deeds
from scout_cli.service.attempts import Attempts
from scout_cli.service.audit import COMMAND_LINE, Asker
from scout_cli.service.jobs import wish_job
from scout_cli.service.kit import Kit, agent
from scout_cli.service.lease import Terms
from scout_cli.service.recording import Player, Replay, recorded_run
from scout_cli.service.wishes import Wish, check
from scout_cli.store import queue
from scout_cli.store.database import Connection, Database


class Runs:
    """Runs scouts of one database when somebody asks for it.

    Args:
        db: where everything is stored.
        clock: time and identifiers.
        attempts: carries out what this started.
        terms: how long an execution is ours.
        asker: who asks, for the log.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        attempts: Attempts,
        terms: Terms,
        asker: Asker = COMMAND_LINE,
    ) -> None:
        self._db = db
        self._clock = clock
        self._attempts = attempts
        self._terms = terms
        self._asker = asker

    async def run(
        self,
        scout: Scout,
        emit: Emit,
        *,
        trigger: str = "manual",
        record: Path | None = None,
    ) -> Result:
        """Run `scout` now and store everything; one that waits in the queue is run at once.

        Args:
            scout: which one.
            emit: receives every event after it was stored.
            trigger: `manual` or `api`.
            record: folder for a recording of the run.

        Raises:
            Conflict: it is running already.
            Unavailable: a part is absent; the execution is stored as failed.
        """
        lease = self._terms.begin(await self._db.now())
        asked = Execution(
            id=self._clock.uuid(),
            scout_id=scout.id,
            user_id=scout.user_id,
            status="running",
            started_at=lease.now,
            created_at=lease.now,
            trigger=trigger,
            attempt=1,
            lease_owner=lease.owner,
            lease_until=lease.until,
            deadline_at=lease.deadline,
            prompts=fingerprint(),
        )
        async with self._db.transaction() as tx:
            execution = await queue.start(tx, asked)
            await audit.write(tx, self._asker, deeds.of("run.start", execution))
        return await self._attempts.carry_out(execution, scout, emit, record)

    async def request(
        self, scout: Scout, *, trigger: str = "api", within: Connection | None = None
    ) -> Execution:
        """Queue a run of `scout` for the next worker that is free, and return it.

        Args:
            scout: which one.
            trigger: who asked; `api` for a program, `interface` for the web interface.
            within: a transaction that it belongs to.

        Raises:
            Conflict: it is running already, or waits to run.
            NotFound: it is not there any more.
        """
        now = await self._db.now()
        asked = Execution(
            id=self._clock.uuid(),
            scout_id=scout.id,
            user_id=scout.user_id,
            status="running",
            state="queued",
            started_at=now,
            created_at=now,
            run_after=now,
            trigger=trigger,
            fence=0,
        )
        async with (within or self._db).transaction() as tx:
            await queue.ask(tx, asked)
            await audit.write(tx, self._asker, deeds.of("run.start", asked))
        return asked

    async def cancel(self, execution: Execution) -> Execution:
        """End a run that waits or works, and return it as it is then.

        A process that works on it stops at its next write, or sign of life.

        Raises:
            Conflict: it has ended.
            NotFound: it is not there any more.
        """
        async with self._db.transaction() as tx:
            ended = await queue.cancel(tx, execution.id)
            await audit.write(tx, self._asker, deeds.of("run.cancel", ended))
        return ended


async def once(
    kit: Kit, clock: Clock, budget: Budget, wish: Wish, emit: Emit, record: Path | None = None
) -> Result:
    """Look once for a wish and store nothing.

    Raises:
        InvalidInput: a wish that cannot be used.
        Unavailable: a part is absent.
    """
    job = wish_job(check(wish), clock.now(), budget)
    parts = kit.parts(ListMemory(), clock)
    if record is not None:
        return await recorded_run(parts, job, emit, record)
    return await agent(parts).run(job, emit)


async def replay(folder: Path, emit: Emit) -> Result:
    """Repeat a recorded run without network, model or database.

    Raises:
        NotFound: no recording there, or the program asks for what was not recorded.
    """
    player = Player(folder)
    parts = Replay(player).parts()
    return await agent(parts).run(player.header.job, emit)
