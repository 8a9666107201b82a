"""Moments as people read and type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.cli import times
from scout_cli.cli.times import Times
from scout_cli.errors import InvalidInput

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "text"),
    [
        ({"seconds": -5}, "now"),
        ({"minutes": -5}, "5 min ago"),
        ({"hours": -3, "minutes": -59}, "3 h ago"),
        ({"days": -2}, "2 d ago"),
        ({"minutes": 61}, "in 1 h"),
        ({"days": -40}, "2026-01-29"),
    ],
)
def test_relative(away, text):
    """Near moments are distances, far ones dates."""
    assert times.relative(NOW + timedelta(**away), NOW) == text


def test_what_should_have_happened_is_due():
    """A slot in the past is not "3 h ago" but due."""
    assert times.upcoming(NOW - timedelta(hours=3), NOW) == "due now"
    assert times.upcoming(NOW + timedelta(hours=3), NOW) == "in 3 h"
    assert times.upcoming(None, NOW) == "-"


def test_exact_times_are_utc_to_the_second():
    """Another zone is converted, as RFC 3339 has it."""
    moment = datetime(2026, 3, 10, 1, 2, 3, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert times.exact(moment) == "2026-03-09T23:02:03Z"
    assert times.exact(None) == "-"
    shown = Times(NOW, utc=True)
    assert shown.past(NOW) == shown.due(NOW) == shown.at(NOW) == "2026-03-10T12:00:00Z"
    assert shown.both(NOW, "2026-03-10T12:00:00Z") == "2026-03-10T12:00:00Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_shown_as_exact_can_be_typed_as_since(moment):
    """The two ways of writing a moment understand each other."""
    assert times.since(times.exact(moment), NOW) == moment.replace(microsecond=0)


@given(st.text(max_size=30))
def test_since_understands_or_refuses(text):
    """Nothing that is typed becomes another error."""
    try:
        found = times.since(text, NOW)
    except InvalidInput:
        return
    assert found.tzinfo is not None


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (245, "4:05")])
def test_durations(seconds, text):
    """Tenths while they matter."""
    assert times.lasted(seconds) == text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("24h", NOW - timedelta(hours=24)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-03-01T08:00:00+02:00", datetime(2026, 3, 1, 6, tzinfo=UTC)),
    ],
)
def test_since(text, moment):
    """A distance or an ISO moment."""
    assert times.since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "-1d", "7", "999999w", "2026-13-01", "٣d"])
def test_since_refuses_the_rest(text):
    """The error shows what is understood."""
    with pytest.raises(InvalidInput, match="is not a moment") as caught:
        times.since(text, NOW)
    assert "7d" in caught.value.hint
