"""Values in requests over the table interface: filters and bodies read them alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scout_cli.server.rest import bodies, values
from scout_cli.server.rest.failures import RestError
from scout_cli.server.rest.plan import Viewer
from scout_cli.store.query.catalogue import TABLES

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("2026-01-01T00:00:00.000Z", 0),
        ("2026-01-01T00:00:00+00:00", 0),
        ("2026-01-01T00:00:00 00:00", 0),  # the plus sign of a query string
        ("2026-01-01 00:00:00", 0),
        ("2026-01-01 00:00:00+00", 0),
        ("2026-01-01 00:00:00 00", 0),
        ("2026-01-01 00:00:00 +00:00", 0),
        ("2026-01-01T00:00", 0),
        ("2026-01-01", 0),
        (" 2026-01-01t00:00:00z ", 0),
        ("2026-01-01T02:30:00+0230", 0),
        ("2026-01-01T02:00:00 02:00", 0),
        ("2026-01-01 00:00:00-05", 5 * 3_600),
        ("2026-01-01 00:00:01.250000", 1.25),
    ],
)
def test_a_moment_is_read_in_every_spelling(text, after):
    """With T or a blank, with any form of a zone or none, which is UTC."""
    expected = MIDNIGHT + timedelta(seconds=after)
    assert values.moment(text) == expected
    assert values.moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-01-01T",
        "2026-13-01",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:00:0000:00",
        "2026-01-01T00:00:00+25:00",
        "2026-W01-1",
        "0001-01-01T00:00:00+14:00",
        "٢٠٢٦-01-01",
        5,
        None,
    ],
)
def test_what_is_no_moment_is_refused(text):
    """As PostgreSQL words it, never with a traceback."""
    with pytest.raises(RestError) as refused:
        values.moment(text)
    assert refused.value.failure.code == "22007"


def test_a_body_takes_the_spellings_that_a_filter_takes():
    """The value of a column is read by the same reader."""
    table = TABLES["user_preferences"]
    row = {"last_test_email_at": "2026-01-01 00:00:00"}
    typed = bodies.typed(table, row, Viewer(role="user"), new=True)
    assert typed["last_test_email_at"] == MIDNIGHT
    assert values.of(table.by_name["last_test_email_at"], "2026-01-01 00:00:00") == MIDNIGHT
