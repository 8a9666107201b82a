"""Two years of calendars: each slot is run once, whatever daylight saving and the clock do."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from multiprocessing.pool import Pool
from zoneinfo import ZoneInfo

import pytest

from scout_cli.core import schedule
from scout_cli.core.models import Scout
from scout_cli.store import migrate, open_database
from scout_cli.testing import FrozenClock
from tests.chaos import examination
from tests.chaos.almanac import NAMED, SCHEDULES, ZONES, Almanac, lattice
from tests.chaos.harness import Outcome
from tests.chaos.places import KINDS, Place

pytestmark = pytest.mark.chaos

START = datetime(2026, 1, 5, 11, 17, tzinfo=UTC)
YEARS = timedelta(days=730)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """A scout as its calendar sees it."""

    schedule: str
    timezone: str
    anchor: datetime
    created_at: datetime
    last_run_at: datetime | None
    next_run_at: datetime


def walked(pair: tuple[str, str]) -> tuple[int, list[str]]:
    """Walk one schedule in one zone through two years; return its slots and what is wrong.

    The clock is looked at a few seconds after each slot, as a worker does.
    """
    rhythm, zone = pair
    wrong: list[str] = []
    slots: list[datetime] = []
    due = schedule.next_after(rhythm, zone, START, anchor=START)
    while due < START + YEARS:
        scout = Rhythm(
            schedule=rhythm,
            timezone=zone,
            anchor=START,
            created_at=START,
            last_run_at=None,
            next_run_at=due,
        )
        turn = schedule.turn(scout, due + timedelta(seconds=len(slots) % 60))
        if not turn.slot == turn.covers_from == due < turn.upcoming:
            wrong.append(f"{rhythm} {zone}: {due} is run as {turn.slot}, next {turn.upcoming}")
        slots.append(due)
        due = max(turn.upcoming, due + timedelta(minutes=1))
    return len(slots), wrong + _unexpected(rhythm, zone, slots)


def _unexpected(rhythm: str, zone: str, slots: list[datetime]) -> list[str]:
    """Compare the slots with the days of the calendar: once on each that it names, else never."""
    if rhythm == "hourly":
        steps = {later - earlier for earlier, later in pairwise(slots)}
        return [] if steps == {timedelta(hours=1)} else [f"hourly {zone}: steps {steps}"]
    local = ZoneInfo(zone)
    ran = Counter(slot.astimezone(local).date() for slot in slots)
    first, last = START.astimezone(local).date(), (START + YEARS).astimezone(local).date()
    days = [first + timedelta(days=n) for n in range(1, (last - first).days)]
    expected = Counter(day for day in days if _named(rhythm, first, day))
    ran = Counter({day: number for day, number in ran.items() if first < day < last})
    return [f"{rhythm} {zone}: {day} {ran[day]} times" for day in days if ran[day] != expected[day]]


def _named(rhythm: str, first: date, day: date) -> bool:
    """Return whether a rhythm names a day; written without the parser that is on trial."""
    if rhythm in NAMED:
        return (day - first).days % schedule.PERIODS[rhythm].days == 0
    _, _, month_day, month, week_day = rhythm.split()
    weekdays = {"*": range(7), "1": [1], "0": [0], "1-5": range(1, 6)}[week_day]
    return (
        (month_day == "*" or day.day in map(int, month_day.split(",")))
        and (month == "*" or day.month == int(month))
        and day.isoweekday() % 7 in weekdays
    )


def calendar(seed: int, *, zones: int, schedules: int, pool: Pool | None = None) -> Outcome:
    """Walk many schedules in many zones through two years.

    Args:
        seed: printed; nothing is left to chance.
        zones: how many.
        schedules: how many in each zone.
        pool: processes to share the work; None does it here.
    """
    began = time.monotonic()
    step = max(1, len(SCHEDULES) // schedules)
    pairs = [(rhythm, zone) for rhythm in SCHEDULES[::step][:schedules] for zone in ZONES[:zones]]
    found = pool.map(walked, pairs, 4) if pool else [walked(pair) for pair in pairs]
    wrong = [line for _, lines in found for line in lines]
    return Outcome(
        test="calendar",
        database="none",
        seed=seed,
        seconds=time.monotonic() - began,
        counts={
            "zones": zones,
            "schedules": len(pairs) // zones,
            "slots": sum(number for number, _ in found),
        },
        faults={"slots_wrong": len(wrong)},
        details=wrong,
    )


async def almanac(place: Place, seed: int, *, scouts: int, days: int) -> Outcome:
    """Let the real scheduler live through a piece of the calendar, then let its clock leap.

    Args:
        place: the database.
        seed: printed; nothing is left to chance.
        scouts: how many, each with a rhythm and a zone of its own.
        days: of calendar, from the first of February.
    """
    began = time.monotonic()
    clock = FrozenClock(datetime(2026, 2, 1, 11, 17, tzinfo=UTC))
    clock.frozen = True  # type: ignore[attr-defined] - makes PostgreSQL obey it too
    db = await open_database(place.url, clock)
    try:
        await migrate.migrate(db)
        book = Almanac(db, clock)
        planted = await book.plant(scouts)
        begun = clock.now()
        await book.go_to(begun + timedelta(days=days))
        wrong = _amiss(planted, await book.slots(), begun, clock.now())
        before = sum(map(len, (await book.slots()).values()))
        violations = await examination.violated(db)
        extra, skipped = 0, 0
        for leap in (DAY, -DAY, timedelta(days=3653)):
            more, missed = await _leap(book, planted, leap)
            extra, skipped = max(extra, more), skipped + missed
        violations += await examination.violated(db, steady=False)
    finally:
        await db.close()
    return Outcome(
        test="almanac",
        database=place.kind,
        seed=seed,
        seconds=time.monotonic() - began,
        counts={"scouts": scouts, "days": days, "slots": before, "extra_runs_per_leap": extra},
        faults={
            "slots_wrong": len(wrong),
            "extra_runs_too_many": max(0, extra - 1),
            "slots_skipped": skipped,
            "violations": len(violations),
        },
        details=wrong + [str(each) for each in violations],
    )


def _amiss(planted: list[Scout], ran: dict, begun: datetime, ended: datetime) -> list[str]:
    wrong = []
    for scout in planted:
        expected = lattice(scout, begun, ended)
        if ran.get(scout.id, []) != expected:
            told = f"{len(ran.get(scout.id, []))} runs for {len(expected)} slots"
            wrong.append(f"{scout.schedule} {scout.timezone}: {told}")
    return wrong


async def _leap(book: Almanac, planted: list[Scout], leap: timedelta) -> tuple[int, int]:
    """Let the clock leap and, a tick later, come back; then live a fortnight.

    Returns:
        The most runs too many of any scout, and the slots of the fortnight that nobody ran.
    """
    before = await book.slots()
    right = book.clock.now()
    book.clock._now += leap
    await book.tick()
    book.clock._now -= leap
    book.clock.advance(seconds=120)
    await book.tick()
    await book.go_to(right + timedelta(days=14))
    after = await book.slots()
    extra, skipped = 0, 0
    for scout in planted:
        new = after.get(scout.id, [])[:]
        for slot in before.get(scout.id, []):
            new.remove(slot)
        anchor = scout.anchor or right
        due = [slot for slot in lattice(scout, anchor, book.clock.now()) if slot > right]
        extra = max(extra, len(set(new) - set(due)))
        skipped += len(set(due) - set(new))
    return extra, skipped


def test_every_slot_of_two_years_is_one_run():
    """Ten rhythms in three zones, both daylight changes of each, a leap day and short months."""
    calendar(0, zones=3, schedules=10).check()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_scheduler_keeps_the_calendar_and_survives_leaps(on, kind):
    """Ten scouts through a spring; then the clock leaps a day on, a day back and ten years on."""
    async with on(kind) as place:
        (await almanac(place, 0, scouts=10, days=70)).check()
