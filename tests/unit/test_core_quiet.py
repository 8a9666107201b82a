"""Quiet hours and the moments of digests, in any zone, across both changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scout_cli.core import quiet, redelivery
from scout_cli.errors import InvalidInput

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
ZONES += ["America/St_Johns", "Pacific/Apia", "Africa/Casablanca"]
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - made aware
    lambda naive: naive.replace(tzinfo=UTC)
)
NIGHT = quiet.hours("22:00-07:00")
BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    """Return a moment written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(MOMENTS, TIMES, TIMES, st.sampled_from(ZONES))
def test_after_the_quiet_hours_it_is_not_quiet(moment, start, end, zone):
    """The moment returned lies outside, is not before the one asked for, and within a day of it."""
    assume(start != end)
    hours = quiet.Hours(start=start, end=end)
    found = quiet.after_quiet(moment, hours, zone)
    assert found >= moment
    assert not hours.cover(found.astimezone(ZoneInfo(zone)).time())
    assert quiet.after_quiet(found, hours, zone) == found


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_night_is_never_longer_than_a_night(moment, zone):
    """Nine quiet hours hold a message for ten at most, also when the clock goes back in them."""
    assert quiet.after_quiet(moment, NIGHT, zone) - moment <= timedelta(hours=10)


@given(MOMENTS, st.sampled_from(ZONES))
def test_without_quiet_hours_nothing_waits(moment, zone):
    """No setting, no wait."""
    assert quiet.after_quiet(moment, quiet.hours(""), zone) == moment


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-10 20:59", "2026-01-10 20:59"),  # 21:59 there
        ("2026-01-10 21:00", "2026-01-11 06:00"),  # 22:00 there
        ("2026-01-11 05:59", "2026-01-11 06:00"),
        ("2026-01-11 06:00", "2026-01-11 06:00"),
        ("2026-03-28 23:30", "2026-03-29 05:00"),  # the night of the spring change
        ("2026-10-24 22:30", "2026-10-25 06:00"),  # the night of the autumn change
    ],
)
def test_the_night_in_berlin(moment, expected):
    """22:00 to 07:00 by the clock on the wall, whatever the offset."""
    assert quiet.after_quiet(at(moment), NIGHT, BERLIN) == at(expected)


def test_an_end_that_the_autumn_has_twice():
    """In the second 02:15 of that night the quiet hours end at the second 02:30."""
    hours = quiet.Hours(start=time(0), end=time(2, 30))
    assert quiet.after_quiet(at("2026-10-25 01:15"), hours, BERLIN) == at("2026-10-25 01:30")


def test_an_end_that_the_spring_leaves_out():
    """02:30 is not on the clock that night; 03:30 is when it would have been."""
    hours = quiet.Hours(start=time(0), end=time(2, 30))
    assert quiet.after_quiet(at("2026-03-29 00:15"), hours, BERLIN) == at("2026-03-29 01:30")


@pytest.mark.parametrize("text", ["22:00", "22-7", "24:00-07:00", "22:00-22:00", "7:00-8:00", "x"])
def test_hours_that_are_none(text):
    """What cannot be meant is refused, with an example."""
    with pytest.raises(InvalidInput) as refused:
        quiet.hours(text)
    assert "22:00-07:00" in refused.value.hint


@given(MOMENTS, TIMES, st.sampled_from(ZONES), st.sampled_from(["daily", "weekly"]))
def test_digests_follow_each_other(moment, local, zone, kind):
    """The next is later, the last is not, and nothing lies between them."""
    upcoming = quiet.next_digest(kind, local, zone, moment)
    last = quiet.last_digest(kind, local, zone, moment)
    assert last <= moment < upcoming
    assert quiet.last_digest(kind, local, zone, upcoming) == upcoming
    assert quiet.next_digest(kind, local, zone, last) == upcoming
    most = timedelta(days=2 if kind == "daily" else 8)  # Apia once left out a day
    assert upcoming - last <= most


@pytest.mark.parametrize(
    ("kind", "now", "expected"),
    [
        ("daily", "2026-03-02 06:59", "2026-03-02 07:00"),
        ("daily", "2026-03-02 07:00", "2026-03-03 07:00"),
        ("daily", "2026-03-28 12:00", "2026-03-29 06:00"),  # summer time has begun
        ("weekly", "2026-03-02 06:59", "2026-03-02 07:00"),  # a Monday
        ("weekly", "2026-03-02 07:00", "2026-03-09 07:00"),
        ("weekly", "2026-03-29 12:00", "2026-03-30 06:00"),
    ],
)
def test_digests_in_berlin(kind, now, expected):
    """At eight by the clock on the wall; weekly on Monday."""
    assert quiet.next_digest(kind, time(8), BERLIN, at(now)) == at(expected)


def test_the_waits_between_attempts():
    """30 s, 2 min, 10 min, 1 h, 4 h, 12 h, then no more."""
    waits = [redelivery.wait(attempt, None, 0.5) for attempt in range(1, 8)]
    assert [wait and round(wait.total_seconds()) for wait in waits] == [
        30, 120, 600, 3_600, 14_400, 43_200, None,
    ]  # fmt: skip


@given(st.integers(1, 6), st.floats(0, 1))
def test_the_waits_differ_by_a_fifth(attempt, chance):
    """Jitter never takes more or gives more than that."""
    wait = redelivery.wait(attempt, None, chance)
    assert wait is not None
    assert 0.79 < wait / redelivery.WAITS[attempt - 1] < 1.21


def test_what_the_receiver_asks_for_counts_when_it_is_more():
    """A longer Retry-After wins, a shorter one does not, and none beyond 12 hours."""
    assert redelivery.wait(1, 3_000, 0.5) == timedelta(seconds=3_000)
    assert redelivery.wait(3, 5, 0.5) == timedelta(seconds=600)
    assert redelivery.wait(1, 10**9, 0.5) == timedelta(hours=12)
