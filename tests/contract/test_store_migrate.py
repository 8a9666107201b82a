"""Migrations on both databases: once each, whoever runs them, and never on what they do not fit."""

import asyncio
import sqlite3
import sys

import asyncpg
import pytest

from scout_cli.errors import DatabaseUnavailable
from scout_cli.store import migrate
from tests.contract.databases import EVERY

pytestmark = pytest.mark.databases(*EVERY)

INTERFACE = {
    "scouts": "id user_id title description goal search_queries location frequency is_active"
    " last_run_at consecutive_failures created_at updated_at",
    "scout_messages": "id scout_id role content created_at",
    "scout_executions": "id scout_id status started_at completed_at error_message results_summary"
    " summary_text summary_embedding created_at",
    "scout_execution_steps": "id execution_id step_number step_type description input_data"
    " output_data status started_at completed_at error_message created_at",
    "user_preferences": "id user_id location firecrawl_api_key firecrawl_custom_api_key"
    " firecrawl_key_status firecrawl_key_created_at firecrawl_key_error last_test_email_at"
    " created_at updated_at",
    "firecrawl_usage_logs": "id user_id created_at",
}


async def test_a_blank_database_gets_every_migration_once(blank, clock):
    """`migrate` says what it applied, then has nothing to do; `check` agrees."""
    names = [migration.name for migration in migrate.migrations(blank.kind)]
    assert names[0] == "0001_initial"
    assert await migrate.pending(blank) == names
    with pytest.raises(DatabaseUnavailable) as refused:
        await migrate.check(blank)
    assert refused.value.hint == "run `scout init-db`"
    assert await migrate.migrate(blank) == names
    assert await migrate.migrate(blank) == []
    assert await migrate.pending(blank) == []
    await migrate.check(blank)
    assert {row.applied_at for row in await migrate.applied(blank)} == {clock.now()}


@pytest.mark.parametrize("table", INTERFACE)
async def test_the_tables_of_the_web_interface_have_its_columns(database, table):
    """Every column that the interface selects can be selected."""
    columns = INTERFACE[table].replace(" ", ", ")
    assert await database.all(dict, f"SELECT {columns} FROM {table}") == []


async def test_every_row_names_its_owner(database):
    """Every table that holds something of a user has `user_id`, so a change names its owner."""
    shared = {"users", "migrations", "search_cache", "engine_state", "resolved", "marks"}
    shared |= {"allowances", "chat_items"}
    derived = "finding_words"  # what SQLite keeps to search in findings
    sql = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        if database.kind == "sqlite"
        else "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'"
    )
    tables = set(await database.all(str, sql)) - shared
    assert len(tables) >= 10
    for table in tables:
        if not table.startswith(derived):
            await database.all(str, f"SELECT user_id FROM {table}")


async def test_many_at_once_apply_each_migration_once(blank_url, opened):
    """Five connections migrate the same database side by side: each file is applied by one."""
    opened = [await opened(blank_url) for _ in range(5)]
    results = await asyncio.gather(*(migrate.migrate(db) for db in opened))
    names = [migration.name for migration in migrate.migrations(opened[0].kind)]
    assert sorted(name for applied in results for name in applied) == names
    assert [row.name for row in await migrate.applied(opened[0])] == names
    for db in opened:
        await migrate.check(db)
        await db.close()


PROCESS = """
import asyncio, sys
from scout_cli.store import migrate, open_database
from tests.contract.databases import StoppedClock

async def main(url):
    db = await open_database(url, StoppedClock())
    print(len(await migrate.migrate(db)))
    await db.close()

asyncio.run(main(sys.argv[1]))
"""


async def test_two_processes_migrate_a_missing_database_at_once(blank_url):
    """Two first commands at the same moment both succeed, and one of them applies."""
    command = [sys.executable, "-c", PROCESS, blank_url]
    pipe = asyncio.subprocess.PIPE
    both = [await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe) for _ in "ab"]
    told = [await process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    total = sum(int(out) for out, _ in told)
    assert total == len(migrate.migrations("sqlite"))


async def test_a_newer_database_is_refused_untouched(database):
    """A number this scout does not know means a newer scout made it."""
    await database.execute(
        "INSERT INTO migrations (number, name, sha256, applied_at) VALUES ($1, $2, $3, $4)",
        9999,
        "9999_future",
        "x",
        await database.now(),
    )
    for command in (migrate.check, migrate.migrate):
        with pytest.raises(DatabaseUnavailable, match=r"newer scout \(9999_future\)") as refused:
            await command(database)
        assert "upgrade" in refused.value.hint
        assert refused.value.exit_code == 4
        assert not refused.value.retryable


async def test_another_build_is_refused(database):
    """A migration of the same number and another text means another build made it."""
    await database.execute("UPDATE migrations SET sha256 = $1", "x")
    for command in (migrate.check, migrate.migrate):
        with pytest.raises(DatabaseUnavailable, match="another build"):
            await command(database)


async def test_an_older_database_is_refused_until_it_is_migrated(database):
    """A database that lacks a migration is refused with the command that brings it."""
    await database.execute("DELETE FROM migrations")
    with pytest.raises(DatabaseUnavailable) as refused:
        await migrate.check(database)
    assert refused.value.hint == "run `scout init-db`"


async def test_a_migration_that_fails_leaves_nothing(database):
    """One bad statement takes back those before it, and the row that would record it."""
    before = await migrate.applied(database)
    broken = migrate.Migration(
        number=9998,
        name="9998_broken",
        sha256="x",
        sql="CREATE TABLE half (a TEXT); INSERT INTO half VALUES ('x'); CREATE TABLE (;",
    )
    with pytest.raises((sqlite3.Error, asyncpg.PostgresError)):
        await migrate._apply(database, broken)
    assert not await database.has_table("half")
    assert await migrate.applied(database) == before
    await migrate.check(database)
