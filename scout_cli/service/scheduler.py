"""From the clock to the queue: every due slot becomes one execution, whoever else is doing so.

One pass is short and may run in any number of processes at once; what two of them see, one gets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from scout_cli.core import schedule
from scout_cli.core.models import Record
from scout_cli.core.ports import Clock
from scout_cli.service.accounting import Notices, count_failure
from scout_cli.store import due, marks, queue, scouts, takeover
from scout_cli.store.database import Connection, Database
from scout_cli.store.due import DueScout, Slot
from scout_cli.store.marks import Mark
from scout_cli.store.takeover import Expired

BATCH = 500
"""Scouts in one transaction."""
MARK = "tick"
_BACKWARDS = timedelta(seconds=60)
"""A clock that goes back by less is corrected, not wrong."""


class Planned(Record, frozen=True, kw_only=True):
    """What one pass did."""

    queued: int = 0
    taken_back: int = 0
    """Runs whose process was lost."""
    scheduled: int = 0
    """Scouts whose next run was worked out anew."""
    late: int = 0


class Scheduler:
    """Queues what is due in one database.

    Args:
        db: where scouts and executions are.
        clock: identifiers, and time where the database has none.
        notices: tells people who are late or paused.
        lease: how long a run stays somebody's without a sign of life.
        patient: whether this process lives long enough to watch a lost run for a lease before it
            takes it back, which no jump of the clock can fool.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        notices: Notices,
        *,
        lease: timedelta,
        patient: bool = False,
    ) -> None:
        self._db = db
        self._clock = clock
        self._notices = notices
        self._lease = lease
        self._watch = _Watch(clock.monotonic, lease.total_seconds()) if patient else None

    async def plan(self) -> Planned:
        """Take back what was lost, then queue what is due.

        Raises:
            DatabaseUnavailable: nothing is lost; call it again.
        """
        now = await self._db.now()
        await self._look_at_the_clock(now)
        taken_back = await self._take_back(now)
        scheduled = await self._in_batches(self._schedule, now)
        late = await self._tell_stuck(now)
        queued = await self._in_batches(self._queue, now)
        await marks.put(self._db, Mark(name=MARK, at=now))
        return Planned(queued=queued, taken_back=taken_back, scheduled=scheduled, late=late)

    async def _look_at_the_clock(self, now: datetime) -> None:
        last = await marks.get(self._db, MARK)
        if last is None or last.at <= now + _BACKWARDS:
            return
        async with self._db.transaction() as tx:
            await queue.bring_back(tx, now, now + self._lease)
        await self._reconsider(now)

    async def _reconsider(self, now: datetime) -> None:
        """Move scouts back to their lattice whose next run lies further than it should."""
        last: UUID | None = None
        while True:
            async with self._db.transaction() as tx:
                page = await due.later_than(tx, now, last, BATCH)
                for scout in page:
                    anchor = scout.anchor or scout.created_at
                    slot = schedule.next_after(scout.schedule, scout.timezone, now, anchor=anchor)
                    if scout.next_run_at and scout.next_run_at > slot:
                        await due.schedule(tx, scout.id, slot, anchor)
            if len(page) < BATCH:
                return
            last = page[-1].id

    async def _take_back(self, now: datetime) -> int:
        lost = await takeover.expired(self._db, now, BATCH)
        if self._watch is not None:
            lost = self._watch.motionless(lost)
        if not lost:
            return 0
        async with self._db.transaction() as tx:
            for execution in await takeover.take_back(tx, lost, now):
                if execution.trigger != "manual":
                    await count_failure(tx, execution, takeover.LOST, self._notices)
        return len(lost)

    async def _schedule(self, tx: Connection, now: datetime) -> int:
        """Work out when scouts run next whose rhythm, zone or activity somebody changed."""
        found = await due.unscheduled(tx, BATCH)
        for scout in found:
            anchor = scout.anchor or (now if scout.last_run_at is None else scout.created_at)
            await due.schedule(tx, scout.id, schedule.upcoming(scout, now), anchor)
        return len(found)

    async def _queue(self, tx: Connection, now: datetime) -> int:
        found = await due.due(tx, now, BATCH)
        slots = [self._slot(scout, now) for scout in found]
        if slots:
            await due.enqueue(tx, slots, now)
            await self._watch_lateness(tx, slots, now)
        return len(slots)

    def _slot(self, scout: DueScout, now: datetime) -> Slot:
        turn = schedule.turn(scout, now)
        return Slot(
            execution_id=self._clock.uuid(),
            scout=scout,
            slot_at=turn.slot,
            covers_from=turn.covers_from,
            next_run_at=turn.upcoming,
            anchor=scout.anchor or scout.created_at,
        )

    async def _watch_lateness(self, tx: Connection, slots: list[Slot], now: datetime) -> None:
        for slot in slots:
            if slot.covers_from < slot.slot_at:
                await self._tell_late(tx, slot.scout, slot.covers_from, now)
            elif slot.scout.late_slot is not None:
                await due.late(tx, slot.scout.id, None)

    async def _tell_stuck(self, now: datetime) -> int:
        """Tell of scouts that are due again, and have been for an interval, while a run waits."""
        async with self._db.transaction() as tx:
            told = 0
            for scout in await due.stuck(tx, now, BATCH):
                if schedule.turn(scout, now).slot > (scout.next_run_at or now):
                    told += await self._tell_late(tx, scout, scout.next_run_at or now, now)
        return told

    async def _tell_late(
        self, tx: Connection, scout: DueScout, slot: datetime, now: datetime
    ) -> int:
        if scout.late_slot is not None:
            return 0
        whole = await scouts.get(tx, scout.id)
        if whole is not None:
            await self._notices.tell_late(tx, whole, slot, now)
        await due.late(tx, scout.id, slot)
        return 1

    async def _in_batches(
        self, work: Callable[[Connection, datetime], Awaitable[int]], now: datetime
    ) -> int:
        """Do `work` in one short transaction after another until one finds less than a batch."""
        total = 0
        while True:
            async with self._db.transaction() as tx:
                done = await work(tx, now)
            total += done
            if done < BATCH:
                return total


class _Watch:
    """Tells runs that show no sign of life, by a clock that never jumps.

    Args:
        monotonic: that clock, seconds.
        patience: seconds without a sign of life.
    """

    def __init__(self, monotonic: Callable[[], float], patience: float) -> None:
        self._monotonic = monotonic
        self._patience = patience
        self._since: dict[Expired, float] = {}

    def motionless(self, expired: list[Expired]) -> list[Expired]:
        """Return those of `expired` that have not moved since they were first seen so."""
        now = self._monotonic()
        self._since = {each: self._since.get(each, now) for each in expired}
        return [each for each, since in self._since.items() if now - since >= self._patience]
