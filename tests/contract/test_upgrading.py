"""Databases of every released schema open in this version, whole and sound."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from msgspec import to_builtins

from scout_cli.errors import DatabaseUnavailable
from scout_cli.store import findings, invariants, migrate, users, words
from scout_cli.store.archive_schema import moved, newest, tables
from tests.contract import schema_fixtures
from tests.e2e.command import environment, scout

RELEASED = (1, 2, 3, 6, 7)
"""Schemas that some version of scout was released with."""

each_schema = pytest.mark.parametrize("number", RELEASED)


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request, tmp_path):
    """Return a function that lays a fixture somewhere and returns its URL."""

    def lay(number):
        if request.param == "sqlite":
            return schema_fixtures.unpack(number, tmp_path)
        server = request.getfixturevalue("postgres")
        return server.url(schema_fixtures.load(number, server))

    return lay


async def contents(db, number):
    """Return every row of every table of a schema, by its key."""
    found = {}
    for table in tables(number):
        sql = f"SELECT {table.listed} FROM {table.name}"
        rows = [to_builtins(row) for row in await db.all(moved(table), sql)]
        found[table.name] = {tuple(str(row[name]) for name in table.key): row for row in rows}
    return found


@each_schema
async def test_an_old_database_is_brought_up_to_date_and_sound(number, old_url, opened):
    """It is refused until it is migrated; then nothing is lost, and nothing in it is amiss."""
    db = await opened(old_url(number))
    with pytest.raises(DatabaseUnavailable) as refused:
        await migrate.check(db)
    assert refused.value.hint == "run `scout init-db`"
    before = await contents(db, number)
    assert all(before.values()), "a table without a row proves nothing"
    names = [each.name for each in migrate.migrations(db.kind)]
    assert await migrate.migrate(db) == names[number:]
    await migrate.check(db)
    assert await invariants.check(db, schema_fixtures.BEGAN + 2 * schema_fixtures.DAY) == []
    after = await contents(db, newest())
    for table, rows in before.items():
        assert after[table].keys() == rows.keys()
        for key, row in rows.items():
            now = {name: after[table][key][name] for name in row if name in after[table][key]}
            assert now == row, f"{table} {key}"


@each_schema
async def test_what_was_found_before_is_found_by_its_words(number, old_url, opened):
    """Of the two findings with the word one was told; one scout of theirs has both."""
    db = await opened(old_url(number))
    await migrate.migrate(db)
    owner = await users.local_owner(db)
    stored = await findings.listing(db, owner.id, limit=9)
    (scout_id,) = {each.scout_id for each in stored}
    for only, expected in (
        ({}, 2),
        ({"novelty": ("new", "update")}, 1),
        ({"novelty": ("possible_repeat",)}, 0),
        ({"scout_ids": [scout_id]}, 2),
        ({"scout_ids": [schema_fixtures.named("another")]}, 0),
    ):
        assert len(await words.ranked(db, owner.id, "ferry", limit=9, **only)) == expected
    assert await words.ranked(db, schema_fixtures.named("another"), "ferry", limit=9) == []


@each_schema
def test_the_command_line_upgrades_a_file(number, tmp_path):
    """Whoever types what the refusal says goes on with the scouts of the old version."""
    url = schema_fixtures.unpack(number, tmp_path)
    env = environment(
        SCOUT_DATABASE_URL=url,
        SCOUT_LLM_URL="builtin://",
        SCOUT_EMBED_URL="builtin://",
        SCOUT_SEARCH_URL="searxng+http://127.0.0.1:9",
        SCOUT_FETCH_URL="crawl4ai://http",
        SCOUT_BALLAST="0",
    )
    refused = scout("list", env=env)
    assert refused.code == 4
    assert refused.err.splitlines()[1:] == ["  run `scout init-db`"]
    assert scout("init-db", env=env).code == 0
    listed = json.loads(scout("list", "--json", env=env).out)
    assert sorted(each["scout"]["title"] for each in listed["scouts"]) == ["Ferry", "Resting"]
    checked = json.loads(scout("doctor", "--integrity", "--json", env=env).out)
    told = {each["name"]: each for each in checked["checks"]}
    for name in ("database", "database integrity", "database tables", "invariants"):
        assert told[name]["status"] == "ok", told[name]


def test_an_older_scout_refuses_a_newer_file_and_leaves_it_alone(tmp_path):
    """Two lines say what happened and what to type, whatever the command; no byte changes."""
    url = schema_fixtures.unpack(RELEASED[-1], tmp_path)
    env = environment(SCOUT_DATABASE_URL=url, SCOUT_BALLAST="0")
    assert scout("init-db", env=env).code == 0
    (file,) = tmp_path.glob("*.db")
    row = (9999, "9999_future", "x", "2027-01-01T00:00:00.000000Z")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("INSERT INTO migrations VALUES (?, ?, ?, ?)", row)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = file.read_bytes()
    for typed in (["list"], ["init-db"], ["run", "ferry"], ["tick"], ["serve", "--port", "0"]):
        refused = scout(*typed, env=env)
        assert refused.code == 4, typed
        assert refused.err.splitlines() == [
            "scout: error: the database was made by a newer scout (9999_future)",
            "  upgrade scout: pip install --upgrade scout-watch",
        ], typed
    assert file.read_bytes() == before


def test_every_released_schema_has_its_databases():
    """The fixtures are those that are listed here, with the migrations that they were made by."""
    there = sorted(path.name for path in schema_fixtures.FOLDER.iterdir())
    assert there == sorted(
        schema_fixtures.packed(number, kind).name
        for number in RELEASED
        for kind in ("sqlite", "postgresql")
    )
