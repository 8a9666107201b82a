"""When a scout runs, and how far back it looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.core import schedule
from scout_cli.core.models import Scout
from scout_cli.errors import InvalidInput

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
RHYTHMS = [*schedule.PERIODS, "0 9 * * 1", "30 2 * * *", "30 1 * * *", "*/15 * * * *", "0 0 29 2 *"]
BERLIN = ZoneInfo("Europe/Berlin")


def slots(cron, zone, start, count):
    """Return the next local times of a cron line."""
    found = []
    for _ in range(count):
        start = schedule.next_after(cron, zone, start)
        found.append(start.astimezone(ZoneInfo(zone)))
    return found


@given(
    st.sampled_from(RHYTHMS),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - made aware below
)
def test_the_next_slot_is_later(rhythm, zone, moment):
    """No rhythm in no zone ever gives the slot that ran, or one before it."""
    slot = moment.replace(tzinfo=UTC)
    upcoming = schedule.next_after(rhythm, zone, slot)
    assert upcoming > slot
    assert upcoming.utcoffset() == timedelta(0)


@given(
    st.sampled_from(RHYTHMS),
    st.sampled_from([*ZONES, "Pacific/Apia", "America/Sao_Paulo"]),
    st.datetimes(datetime(2009, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - made aware below
    st.timedeltas(timedelta(0), timedelta(days=900)),
)
def test_slots_are_one_lattice(rhythm, zone, start, later):
    """The last slot before a moment and the first after it have no slot between them."""
    anchor, now = start.replace(tzinfo=UTC), start.replace(tzinfo=UTC) + later
    latest = schedule.latest(rhythm, zone, now, anchor=anchor)
    upcoming = schedule.next_after(rhythm, zone, now, anchor=anchor)
    assert latest <= now < upcoming
    assert schedule.next_after(rhythm, zone, latest, anchor=anchor) == upcoming
    assert schedule.latest(rhythm, zone, upcoming, anchor=anchor) == upcoming


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 9])
def test_a_daily_scout_runs_once_per_local_day(zone, hour):
    """Two years long, through every change of daylight saving, at its own time of day."""
    anchor = datetime(2025, 1, 1, hour, 30, tzinfo=ZoneInfo(zone))
    slot, days = anchor, []
    for _ in range(730):
        slot = schedule.next_after("daily", zone, slot, anchor=anchor)
        days.append(slot.astimezone(ZoneInfo(zone)))
    assert [day.toordinal() - days[0].toordinal() for day in days] == list(range(730))
    moved = [day for day in days if (day.hour, day.minute) != (hour, 30)]
    assert len(moved) <= 2


def scout(**changes):
    """Return a scout made on a Monday."""
    made = datetime(2026, 3, 2, 9, tzinfo=UTC)
    nobody = UUID(int=0)
    fields = {"id": nobody, "user_id": nobody, "title": "t", "created_at": made, "anchor": made}
    return Scout(**fields | {"updated_at": made} | changes)


def test_missed_slots_become_one_turn():
    """After four days without a machine a daily scout runs once, for the newest slot."""
    due = datetime(2026, 3, 3, 9, tzinfo=UTC)
    turn = schedule.turn(scout(next_run_at=due), datetime(2026, 3, 6, 11, tzinfo=UTC))
    assert turn.slot == datetime(2026, 3, 6, 9, tzinfo=UTC)
    assert turn.covers_from == due
    assert turn.upcoming == datetime(2026, 3, 7, 9, tzinfo=UTC)


def test_a_first_run_needs_no_slot_of_the_lattice():
    """A cron scout made at noon runs at once, then by its line."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    turn = schedule.turn(scout(schedule="0 9 * * *", next_run_at=noon), noon)
    assert (turn.slot, turn.covers_from) == (noon, noon)
    assert turn.upcoming == datetime(2026, 3, 3, 9, tzinfo=UTC)


def test_a_minutely_line_of_ten_years_is_one_turn():
    """A clock that jumped ten years costs one run and no million steps."""
    due = datetime(2026, 3, 2, 9, tzinfo=UTC)
    turn = schedule.turn(
        scout(schedule="* * * * *", next_run_at=due), due + timedelta(days=3650, seconds=30)
    )
    assert turn.slot == due + timedelta(days=3650)


def test_a_scout_that_rested_is_due_since_the_slot_it_missed():
    """Resumed after a week it runs at once; resumed within its day it waits for the slot."""
    rested = scout(last_run_at=datetime(2026, 3, 4, 9, 5, tzinfo=UTC))
    assert schedule.upcoming(rested, datetime(2026, 3, 11, 12, tzinfo=UTC)) == datetime(
        2026, 3, 11, 9, tzinfo=UTC
    )
    assert schedule.upcoming(rested, datetime(2026, 3, 4, 12, tzinfo=UTC)).day == 5
    assert schedule.upcoming(scout(), datetime(2026, 3, 11, 12, tzinfo=UTC)).hour == 12


def test_a_time_that_the_spring_leaves_out_runs_an_hour_later():
    """02:30 on the night of the change runs at 03:30 or 03:00, once, and is back the next day."""
    found = slots("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), 2)
    assert [at.day for at in found] == [29, 30]
    assert found[0].hour == 3
    assert (found[1].hour, found[1].minute) == (2, 30)


def test_a_time_that_the_autumn_has_twice_runs_once():
    """02:30 on the night of the change runs once."""
    found = slots("30 2 * * *", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), 3)
    assert [at.day for at in found] == [25, 26, 27]


def test_cron_keeps_its_local_hour():
    """Nine o'clock is nine o'clock in summer and in winter."""
    found = slots("0 9 * * *", "America/New_York", datetime(2026, 3, 6, tzinfo=UTC), 5)
    assert {at.hour for at in found} == {9}


def test_a_named_rhythm_follows_from_the_slot():
    """A run that took long does not slide through the day."""
    slot = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert schedule.next_after("daily", "UTC", slot) == slot + timedelta(days=1)


@pytest.mark.parametrize(
    ("every", "cron", "zone", "said"),
    [
        ("dayly", None, "UTC", "daily"),
        ("", "60 * * * *", "UTC", "0 9"),
        (None, "0 0 30 2 *", "UTC", "0 9"),
        (None, "* * * * * *", "UTC", "minute hour"),
        (None, "@daily", "UTC", "minute hour"),
        (None, "a b c d e", "UTC", "0 9"),
        ("daily", "0 9 * * *", "UTC", "not both"),
        ("daily", None, "Mars/Base", "IANA"),
        ("daily", None, "Europe/Berln", "Europe/Berlin"),
        ("daily", None, "../../etc/passwd", ""),
        ("daily", None, "", "IANA"),
    ],
)
def test_what_is_refused(every, cron, zone, said):
    """Unknown rhythms and zones, six fields and dates that never come are refused with a hint."""
    with pytest.raises(InvalidInput) as refused:
        schedule.parse(every, cron, zone)
    assert said in refused.value.hint


def test_what_is_accepted():
    """Names and lines of five fields are kept as they are, white space folded."""
    assert schedule.parse().text == "daily"
    assert schedule.parse(cron=" 0  9 * * MON ").text == "0 9 * * MON"
    assert schedule.parse(every="weekly", timezone="Europe/Berlin").timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("rhythm", "recency", "days"),
    [
        ("hourly", "d", 1.5),
        ("daily", "d", 1.5),
        ("every_3_days", "w", 4.5),
        ("weekly", "w", 10.5),
        ("0 9 1 * *", "m", 45),
    ],
)
def test_the_window_follows_from_the_rhythm(rhythm, recency, days):
    """A scout looks back over its rhythm and half of it again, at least a day and a half."""
    now = datetime(2026, 3, 3, 9, tzinfo=UTC)
    last = now - min(schedule.period_of(rhythm, "UTC", now), timedelta(days=28))
    window = schedule.window(rhythm, "UTC", now, last=last)
    assert window.recency == recency
    assert window.since == now - timedelta(days=days)


def test_the_first_run_looks_back_a_month():
    """A baseline needs more than a day."""
    now = datetime(2026, 3, 3, 9, tzinfo=UTC)
    window = schedule.window("hourly", "UTC", now, last=None)
    assert (window.recency, window.since) == ("m", now - timedelta(days=31))


def test_the_window_reaches_behind_the_last_look():
    """News of a weekend, or of a week in which the machine slept, is not stale."""
    monday = datetime(2026, 3, 9, 9, tzinfo=UTC)
    friday = monday - timedelta(days=3)
    window = schedule.window("0 9 * * 1-5", "UTC", monday, last=friday)
    assert window.since is not None
    assert window.since < friday
    assert window.recency == "w"


@pytest.mark.parametrize(
    ("rhythm", "nearest"),
    [("hourly", "daily"), ("0 9 * * 1", "weekly"), ("0 9 */3 * *", "every_3_days")],
)
def test_the_rhythm_that_the_interface_shows(rhythm, nearest):
    """The web interface knows three rhythms and is told the nearest."""
    assert schedule.frequency_of(rhythm, "UTC", datetime(2026, 3, 3, tzinfo=UTC)) == nearest
