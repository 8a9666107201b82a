"""Values go in and come out the same on both databases, and are refused the same."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from scout_cli.core.models import Location, Record
from scout_cli.errors import InvalidInput
from scout_cli.store.database import Json
from scout_cli.store.statements import insert, upsert, values

WIDE = """
    CREATE TABLE wide (
        id UUID PRIMARY KEY, words TEXT, number BIGINT, ratio DOUBLE PRECISION, yes BOOLEAN,
        moment TIMESTAMPTZ, raw BYTEA, items JSONB, place JSONB, anything JSONB
    )
"""


class Wide(Record, frozen=True, kw_only=True):
    """One column of every kind."""

    id: UUID
    words: str | None = None
    number: int | None = None
    ratio: float | None = None
    yes: bool | None = None
    moment: datetime | None = None
    raw: bytes | None = None
    items: list[str] | None = None
    place: Location | None = None
    anything: Any = None


@pytest.fixture
async def wide(blank):
    """Return a database with a table of every kind of column."""
    await blank.script(WIDE)
    return blank


async def kept(db, **columns) -> Wide:
    """Return what comes back of a row."""
    row = Wide(id=uuid4(), **columns)
    await db.execute(insert("wide", Wide), *values(row))
    found = await db.one(Wide, "SELECT * FROM wide WHERE id = $1", row.id)
    assert found.id == row.id
    return found


FULL = {
    "words": "Zürich – 東京 🛥 'quoted' \"double\" $1 ; -- \\ \n\t",
    "number": -(2**63),
    "ratio": 0.1,
    "yes": False,
    "moment": datetime(2026, 11, 21, 2, 37, 14, 1, tzinfo=UTC),
    "raw": bytes(range(256)),
    "items": ["a", "ü", "", "null"],
    "place": Location(city="Lisboa", state_code="11", latitude=38.7, longitude=-9.0),
    "anything": {"huge": 10**30, "deep": [{"x": [None, True, 1.5, "\u2028"]}], "": "e"},
}


async def test_every_kind_of_value_comes_back_as_it_went_in(wide):
    """A row of every type is equal to itself after a round trip, types included."""
    found = await kept(wide, **FULL)
    for name, value in FULL.items():
        assert getattr(found, name) == value, name
        assert type(getattr(found, name)) is type(value), name


async def test_nothing_comes_back_as_none(wide):
    """NULL is None in every type of column."""
    found = await kept(wide)
    assert found == Wide(id=found.id)


@pytest.mark.parametrize("text", ["null", "NULL", "true", "1", "1e5", "", " ", "2026-11-21"])
async def test_text_is_never_taken_for_something_else(wide, text):
    """Text that looks like another type stays text, inside JSON too."""
    found = await kept(wide, words=text, items=[text], anything={"a": text})
    assert (found.words, found.items, found.anything) == (text, [text], {"a": text})


async def test_moments_are_the_same_instant_in_utc_to_the_microsecond(wide):
    """A moment of another zone comes back as the same instant, in UTC."""
    local = datetime(
        2026, 11, 21, 4, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=30))
    )
    found = await kept(wide, moment=local)
    assert found.moment == local
    assert found.moment.utcoffset() == timedelta(0)


async def test_moments_sort_and_compare_like_time(wide):
    """Comparison and order in SQL are those of time, whole seconds and other zones included."""
    start = datetime(2026, 11, 21, tzinfo=UTC)
    west = timezone(timedelta(hours=-8))
    later = [timedelta(microseconds=n) for n in (-1, 0, 1, 999_999, 1_000_000)]
    moments = [(start + gap).astimezone(west) for gap in later]
    for moment in reversed(moments):
        await kept(wide, moment=moment)
    assert await wide.all(datetime, "SELECT moment FROM wide ORDER BY moment") == moments
    after = "SELECT moment FROM wide WHERE moment > $1 ORDER BY moment"
    assert await wide.all(datetime, after, start) == moments[2:]


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (str, "ä"),
        (int, 2**63 - 1),
        (bool, True),
        (bytes, b"\0\xff"),
        (UUID, UUID("12345678-1234-1234-1234-123456789012")),
        (datetime, datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
async def test_scalars_are_read_by_their_type(wide, of, value):
    """`value`, `one` and `all` return scalars of the type that was asked for."""
    name = {str: "words", int: "number", bool: "yes", bytes: "raw", datetime: "moment"}.get(
        of, "id"
    )
    row = Wide(**{"id": uuid4(), name: value})
    await wide.execute(insert("wide", Wide), *values(row))
    sql = f"SELECT {name} FROM wide WHERE {name} = $1"
    assert await wide.value(of, sql, value) == value
    assert await wide.one(of, sql, value) == value
    assert [type(found) for found in await wide.all(of, sql, value)] == [of]


async def test_nothing_found_is_none_or_empty(wide):
    """No row is None for `one` and `value` and an empty list for `all`."""
    sql = "SELECT * FROM wide WHERE id = $1"
    assert await wide.one(Wide, sql, uuid4()) is None
    assert await wide.value(UUID, sql, uuid4()) is None
    assert await wide.all(Wide, sql, uuid4()) == []


async def test_counts_and_aggregates_are_numbers(wide):
    """count, sum and max come back as the type that was asked for."""
    for number in (2, 40):
        await kept(wide, number=number)
    assert await wide.value(int, "SELECT sum(number) FROM wide") == 42
    assert await wide.value(bool, "SELECT count(*) > 1 FROM wide") is True


@pytest.mark.parametrize(
    "columns",
    [
        {"words": "a\0b"},
        {"words": "\ud800"},
        {"items": ["a\0b"]},
        {"items": ["\udfff"]},
        {"anything": {"k\0": 1}},
        {"anything": "bare"},
        {"anything": 5},
        {"number": 2**63},
        {"ratio": float("nan")},
        {"ratio": float("inf")},
        {"moment": datetime(2026, 1, 1)},  # noqa: DTZ001 - a naive one is the point
    ],
    ids=str,
)
async def test_what_one_database_cannot_store_both_refuse(wide, columns):
    """NUL, half a surrogate pair, naive moments and the like are invalid, and nothing is stored."""
    with pytest.raises(InvalidInput):
        await kept(wide, **columns)
    assert await wide.value(int, "SELECT count(*) FROM wide") == 0


async def test_a_backslash_before_u0000_is_not_a_nul(wide):
    """The six characters of an escape are text, not the character they would stand for."""
    assert (await kept(wide, items=["\\u0000"])).items == ["\\u0000"]


async def test_a_dict_that_is_not_marked_is_a_mistake(wide):
    """A bare dict is a TypeError: JSON arguments are marked."""
    with pytest.raises(TypeError, match="Json"):
        await wide.execute("UPDATE wide SET anything = $1", {})
    assert await wide.execute("UPDATE wide SET anything = $1", Json({})) == 0


async def test_further_columns_are_ignored(wide):
    """SELECT * fits a record that has fewer fields than the table has columns."""

    class Short(Record, frozen=True, kw_only=True):
        number: int
        missing: str = "default"

    await kept(wide, number=7, words="x")
    assert await wide.all(Short, "SELECT * FROM wide") == [Short(number=7)]


async def test_lower_knows_more_than_ascii(wide):
    """`lower` folds letters of other alphabets."""
    await kept(wide, words="ÄÖÜ ÉÑ ДОМ ΑΣΑ")
    assert await wide.value(str, "SELECT lower(words) FROM wide") == "äöü éñ дом ασα"
    assert await wide.value(
        int, "SELECT count(*) FROM wide WHERE lower(words) LIKE lower($1)", "ä%"
    )
    assert await wide.value(str, "SELECT lower(CAST(NULL AS TEXT)) FROM wide") is None


async def test_like_knows_case_and_escape(wide):
    """LIKE tells A from a, and ESCAPE makes a wildcard literal."""
    await kept(wide, words="Ab_c")
    sql = "SELECT count(*) FROM wide WHERE words LIKE $1 ESCAPE '!'"
    found = [await wide.value(int, sql, p) for p in ("Ab%", "ab%", "Ab!_c", "A!_%", "A__c")]
    assert found == [1, 0, 1, 0, 1]


async def test_arguments_may_repeat_and_come_in_any_order(wide):
    """$2 before $1, $1 twice, and `$1` inside a literal are taken as PostgreSQL takes them."""
    sql = "SELECT CAST($2 AS TEXT) || '$1' || CAST($1 AS TEXT) || CAST($1 AS TEXT)"
    assert await wide.value(str, sql, "a", "b") == "b$1aa"


async def test_an_upsert_overwrites_all_but_its_key(wide):
    """The second row of a key takes the place of the first, emptied columns included."""
    row = Wide(id=uuid4(), words="first", items=["x"])
    sql = upsert("wide", Wide, ("id",))
    for version in (row, Wide(id=row.id, number=2)):
        await wide.execute(sql, *values(version))
    assert await wide.all(Wide, "SELECT * FROM wide") == [Wide(id=row.id, number=2)]


async def test_execute_counts_rows(wide):
    """`execute` says how many rows changed, and 0 for a definition."""
    for number in range(3):
        await kept(wide, number=number)
    assert await wide.execute("UPDATE wide SET yes = $1 WHERE number >= $2", True, 1) == 2
    assert await wide.execute("DELETE FROM wide WHERE number = $1", 99) == 0
    assert await wide.execute("CREATE TABLE more (a TEXT)") == 0


async def test_returning_writes_and_reads(wide):
    """UPDATE ... RETURNING through `one` and `all` is committed."""
    await kept(wide, number=1)
    found = await wide.one(Wide, "UPDATE wide SET number = number + $1 RETURNING *", 1)
    assert found.number == await wide.value(int, "SELECT number FROM wide") == 2
