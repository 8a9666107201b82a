"""Rhythms and zones in which something happens, and scouts that live by them and a moved clock."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from msgspec.structs import replace

from scout_cli.core import schedule
from scout_cli.core.models import Scout
from scout_cli.service.lease import Terms
from scout_cli.service.scheduler import Scheduler
from scout_cli.store import executions, queue, users
from scout_cli.store.database import Database
from scout_cli.store.statements import insert, values
from scout_cli.testing import FrozenClock
from tests.chaos import examination
from tests.chaos.scheduling_process import Silence

ZONES = """
    UTC Europe/Berlin Europe/London Europe/Dublin Europe/Lisbon Africa/Casablanca Africa/Cairo
    America/New_York America/Los_Angeles America/St_Johns America/Santiago America/Asuncion
    America/Sao_Paulo Asia/Kolkata Asia/Kathmandu Asia/Tokyo Australia/Sydney Australia/Lord_Howe
    Pacific/Auckland Pacific/Chatham
""".split()
NAMED = ("hourly", "daily", "every_3_days", "weekly")
TIMES = (
    *("0 0", "1 0", "30 0", "59 0", "0 1", "15 1", "30 1", "59 1", "0 2", "1 2", "15 2", "30 2"),
    *("45 2", "59 2", "0 3", "30 3", "59 3", "0 6", "30 8", "0 9", "0 12", "59 23"),
)
"""Minute and hour; most of them in the hours that clocks skip or repeat."""
CRON = (
    *(f"{moment} * * *" for moment in TIMES),
    *(f"{moment} * * 1" for moment in TIMES[4:14]),
    *(f"{moment} * * 0" for moment in TIMES[9:17]),
    *("30 2 1 * *", "0 9 29 2 *", "0 1 31 * *", "30 1 * * 1-5", "15 0 15 * *", "0 3 1,15 * *"),
)
SCHEDULES = (*NAMED, *CRON)


class Almanac:
    """A database whose scouts have all kinds of rhythms, and a clock that is moved by hand.

    Args:
        db: it must obey the clock.
        clock: of both.
    """

    def __init__(self, db: Database, clock: FrozenClock) -> None:
        self.db = db
        self.clock = clock
        terms = Terms(owner="chaos")
        self._terms = terms
        self._scheduler = Scheduler(db, clock, Silence(), lease=terms.lease)

    async def plant(self, many: int) -> list[Scout]:
        """Store scouts, each with a rhythm and a zone of its own."""
        owner = await users.local_owner(self.db)
        now = self.clock.now()
        made = []
        for number in range(many):
            rhythm, zone = SCHEDULES[1:][number * 7 % 49], ZONES[number % len(ZONES)]
            due = schedule.next_after(rhythm, zone, now, anchor=now)
            row = {"title": rhythm, "goal": "x", "schedule": rhythm, "timezone": zone}
            row |= {"anchor": now, "next_run_at": due, "created_at": now, "updated_at": now}
            made.append(Scout(id=uuid4(), user_id=owner.id, last_run_at=now, **row))
        await self.db.executemany(insert("scouts", Scout), [values(scout) for scout in made])
        return made

    async def tick(self) -> None:
        """Queue what is due, and run it in no time."""
        await self._scheduler.plan()
        now = self.clock.now()
        for run in await queue.claim(self.db, self._terms.begin(now), 10_000):
            done = replace(run, state="completed", status="completed", completed_at=now)
            await executions.finish(self.db, done)

    async def go_to(self, moment: datetime) -> None:
        """Tick at every moment at which something is due, until `moment`."""
        while True:
            due = await self.db.value(datetime, "SELECT min(next_run_at) FROM scouts")
            assert due is not None
            if due > moment:
                break
            self.clock.advance(seconds=max(0.0, (due - self.clock.now()).total_seconds()))
            await self.tick()
        self.clock.advance(seconds=(moment - self.clock.now()).total_seconds())
        await self.tick()

    async def slots(self) -> dict[object, list[datetime]]:
        """Return by scout the slots that it ran, in the order of the calendar."""
        rows = await self.db.all(
            examination.SlotRun, "SELECT * FROM scout_executions ORDER BY slot_at"
        )
        found: dict[object, list[datetime]] = {}
        for row in rows:
            found.setdefault(row.scout_id, []).append(row.slot_at)
        return found


def lattice(scout: Scout, begun: datetime, ended: datetime) -> list[datetime]:
    """Return the slots of a scout after `begun` and up to `ended`."""
    found, at = [], begun
    while (at := schedule.next_after(scout.schedule, scout.timezone, at, anchor=begun)) <= ended:
        found.append(at)
    return found
