"""Filters of realtime bindings: what is read from their text, and of which values it is true."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.errors import InvalidInput
from scout_cli.server.realtime import filters
from scout_cli.store.query.catalogue import TABLES

COLUMNS = TABLES["scouts"].by_name
ONE = "7ca5a67f-0c91-4406-8cd8-9fb2070b5bbc"
OTHER = "7ca5a67f-0c91-4406-8cd8-9fb2070b5bbd"
ROW = {
    "id": UUID(ONE),
    "title": "Ferries, and more",
    "description": None,
    "goal": 'A "5\\6" (new)',
    "frequency": "daily",
    "location": None,
    "is_active": False,
    "consecutive_failures": 2,
    "created_at": datetime(2026, 11, 21, 2, 37, 14, tzinfo=UTC),
    "last_run_at": None,
}


def passes(text: str) -> bool:
    """Return whether the row is told of with this filter."""
    return all(each.holds(ROW[each.column]) for each in filters.read(COLUMNS, text))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", True),
        ("  ", True),
        (f"id=eq.{ONE}", True),
        (f"id=eq.{ONE.upper()}", True),
        (f"id=neq.{ONE}", False),
        (f"id=in.({OTHER},{ONE})", True),
        (f"id=not.in.({OTHER},{ONE})", False),
        (f"id=lt.{OTHER}", True),
        ("id=in.()", False),
        ('title=eq."Ferries, and more"', True),
        ('title=neq."Ferries, and more"', False),
        ('title=in.(a,"Ferries, and more")', True),
        ("title=gt.E", True),
        ("title=gt.e", False),
        ("title=like.Ferries%", True),
        ("title=like.ferries*", False),
        ("title=ilike.ferries*", True),
        ('title=like."%, and mor_"', True),
        ('title=not.like."%,%"', False),
        (r'goal=eq."A \"5\\6\" (new)"', True),
        ("frequency=in.(daily,weekly),is_active=eq.false", True),
        ("frequency=in.(daily,weekly),is_active=eq.true", False),
        ("frequency=eq.daily, is_active=is.false , consecutive_failures=gte.2", True),
        ("consecutive_failures=gt.1,consecutive_failures=lt.3", True),
        ("consecutive_failures=gt.2", False),
        ("consecutive_failures=lte.10", True),
        ("consecutive_failures=in.(1,2,3)", True),
        ("created_at=gte.2026-11-21T03:37:14+01:00", True),
        ("created_at=lt.2026-11-21T02:37:14Z", False),
        ("is_active=is.true", False),
        ("is_active=not.is.true", True),
        # Null is neither this nor that; only `is` and `isdistinct` tell it from others.
        ("description=eq.x", False),
        ("description=neq.x", False),
        ("description=not.eq.x", False),
        ("description=in.(x)", False),
        ("description=not.in.(x)", False),
        ("description=like.%", False),
        ("description=isdistinct.x", True),
        ("description=not.isdistinct.x", False),
        ("frequency=not.isdistinct.daily", True),
        ("description=is.null", True),
        ("description=not.is.null", False),
        ("location=is.null", True),
        ("last_run_at=gt.2020-01-01T00:00:00Z", False),
    ],
)
def test_a_row_is_told_of_where_every_condition_is_true(text, meant):
    """Texts, truths, numbers, moments and identifiers are compared as what they are."""
    assert passes(text) is meant


@pytest.mark.parametrize(
    "text",
    [
        "undefined", "id", "id=", "id=eq", "=eq.1", ",", "title=eq.a,", ",title=eq.a",
        "title=eq.a,,title=eq.b", "title=eq.Ferries, and more", "title=foo.a", "title=match.(a+)+$",
        "title=imatch.a", "title=fts.a", "or=(id.eq.1,id.eq.2)", "and=(title.eq.a)", "not.or=(x)",
        "id=in.(1,2)", f"id=in.{ONE}", "id=eq.1);--", f"id=eq.{{{ONE}}}", f"id=eq.{UUID(ONE).hex}",
        "nothing=eq.1", "notify=eq.x", "consecutive_failures=eq.many",
        "consecutive_failures=eq.99999999999", "is_active=eq.perhaps", "is_active=is.perhaps",
        "title=is.true", "created_at=gt.yesterday", "location=eq.{}", "search_queries=in.(a)",
        "title=eq.\0", 'title=in.("a)', "title=like.\\", "consecutive_failures=like.1",
        "title=like." + "%a" * 30, "title=like." + "a" * 300, "title=eq." + "x" * 9_000,
        "consecutive_failures=in.(" + ",".join(map(str, range(101))) + ")",
        ",".join(["title=eq.a"] * 31), "title=not.not.eq.a", "title =eq.a",
    ],
)  # fmt: skip
def test_what_is_no_filter_is_refused(text):
    """Another grammar, operator, column or type is refused with a reason, never taken for less."""
    with pytest.raises(InvalidInput) as refused:
        filters.read(COLUMNS, text)
    assert refused.value.message


def test_as_much_as_is_allowed_is_read():
    """A hundred identifiers and thirty conditions are taken."""
    ids = ",".join([OTHER] * 99 + [ONE])
    assert passes(f"id=in.({ids})")
    assert passes(",".join(["consecutive_failures=eq.2"] * 30))


SIGNS = st.text(alphabet="aA%_\\.*b\n", max_size=12)


@given(text=SIGNS, pattern=SIGNS.map(lambda text: text.replace("*", "").rstrip("\\")))
def test_patterns_mean_what_they_mean_to_a_database(text, pattern):
    """`like` holds exactly where SQL's does."""
    db = sqlite3.connect(":memory:")
    db.execute("PRAGMA case_sensitive_like = ON")
    expected = bool(db.execute("SELECT ? LIKE ? ESCAPE '\\'", (text, pattern)).fetchone()[0])
    db.close()
    (condition,) = filters.read(COLUMNS, f"title=like.{quoted(pattern)}")
    assert condition.holds(text) is expected


@given(st.text(alphabet=',()"\\ ab=.', max_size=15).filter(lambda text: "\0" not in text))
def test_a_value_in_quotes_is_that_value(value):
    """Whatever is quoted as the client libraries quote it comes out as it was, beside others."""
    said = f"title=eq.{quoted(value)},frequency=in.({quoted(value)},weekly),is_active=is.false"
    title, frequency, active = filters.read(COLUMNS, said)
    assert title.value == value
    assert frequency.value == {value, "weekly"}
    assert active.value is False


def quoted(text: str) -> str:
    """Return text as the builder of the client libraries writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@pytest.mark.parametrize("text", ["title=like." + "%a" * 10 + "%b", "title=ilike.%" + "a" * 200])
def test_no_pattern_makes_a_search_that_lasts(text):
    """The worst pattern against the worst row is looked at in a moment."""
    (condition,) = filters.read(COLUMNS, text)
    began = time.process_time()
    assert condition.holds("a" * 20_000 + "c") is False
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("sign", ['"', "(", '("', ")", ",", "\\", '"(', "(("])
def test_no_filter_is_read_for_long(sign):
    """Quotes and brackets that are never closed are read once."""
    began = time.process_time()
    with pytest.raises(InvalidInput):
        filters.read(COLUMNS, "title=foo." + sign * (8_000 // len(sign)))
    assert time.process_time() - began < 0.5
