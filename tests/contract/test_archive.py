"""Back-ups: one format, either database, all rows or none."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import tarfile
import tracemalloc
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from scout_cli.errors import Conflict, InvalidInput, NotFound, Refused
from scout_cli.service import archive
from scout_cli.store import executions, findings, migrate, open_database, scouts, users
from scout_cli.store.archive_reading import reading
from scout_cli.store.archive_schema import newest, tables
from scout_cli.store.migrate import migrations
from tests.contract import databases, filled, rows
from tests.contract.databases import EVERY, KINDS, sqlite_url
from tests.security.hostile import rewritten

pytestmark = pytest.mark.databases(*EVERY)


@pytest.fixture(params=databases.KINDS[:2])
def second_url(request, tmp_path):
    """Yield the URL of another empty database, of either kind in turn."""
    yield from databases._place(request, tmp_path / "second", migrated=False)


async def planted(db, found=3):
    """Store a scout with findings."""
    owner = (await users.local_owner(db)).id
    scout = rows.scout(owner)
    await scouts.add(db, scout)
    await findings.add_many(db, [rows.finding(scout) for _ in range(found)])
    return scout


async def test_every_row_arrives_whatever_it_is_moved_to(
    database, second_url, clock, tmp_path, opened
):
    """From each kind of database to each kind: every value of every row of every table."""
    await filled.fill(database, copies=3)
    before = await filled.contents(database)
    assert all(before.values()), "a table without a row proves nothing"
    file = tmp_path / "all.tar.gz"
    await archive.backup(database, clock, file, version="1")
    done = await archive.restore(file, clock, second_url, unsound=True)
    assert done.migrated == ()
    other = await opened(second_url)
    assert await filled.contents(other) == before


async def test_there_and_back_again_is_the_same_archive(database, second_url, clock, tmp_path):
    """What an archive holds does not depend on which database it was in: not a byte differs."""
    await filled.fill(database)
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"
    made = await archive.backup(database, clock, first, version="1")
    await archive.restore(first, clock, second_url, unsound=True)
    other = await open_database(second_url, clock)
    again = await archive.backup(other, clock, second, version="1")
    await other.close()
    documents = {table.name for table in tables(newest()) if any(
        column.kind == "document" for column in table.columns)}  # fmt: skip
    for one, two in zip(made.tables, again.tables, strict=True):
        assert (one.table, one.rows) == (two.table, two.rows)
        if one.table not in documents:  # PostgreSQL writes JSON in an order of its own
            assert one.sha256 == two.sha256


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.tar.xz"])
async def test_an_archive_is_a_plain_tar_for_its_owner_alone(name, database, clock, tmp_path):
    """Any tar lists it, the manifest is first, and nobody else may read it."""
    await planted(database)
    path = tmp_path / name
    await archive.backup(database, clock, path, version="1.2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        text = tar.extractfile("scout_findings.jsonl").read()
    assert [each.name for each in members] == [
        "manifest.json",
        *(f"{table.name}.jsonl" for table in tables(newest())),
    ]
    assert all(each.isreg() and each.mode == 0o600 for each in members)
    assert text.count(b"\n") == 3
    tar_lists = await asyncio.create_subprocess_exec(
        "tar", "tf", path, stdout=asyncio.subprocess.PIPE
    )
    listed, _ = await tar_lists.communicate()
    assert listed.count(b"\n") == len(members)
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]
    with reading(path) as reader:
        assert (reader.manifest.scout, reader.manifest.schema) == ("1.2", newest())
        assert reader.manifest.made_at == clock.now()


async def test_a_backup_is_of_one_moment_while_others_write(database, clock, tmp_path):
    """Four writers never stop; the archive has whole transactions, and all from before it began."""
    scout = await planted(database, 0)
    stop, begun, stored = asyncio.Event(), asyncio.Event(), []

    async def write(number: int) -> None:
        while not stop.is_set():
            pair = [rows.finding(scout, source=number), rows.finding(scout, source=number)]
            async with database.transaction() as tx:
                for each in pair:
                    await findings.add_many(tx, [each])
            stored.extend(each.id for each in pair)
            if len(stored) >= 40:
                begun.set()
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(write(number))
        await begun.wait()
        for number in range(5):
            known = set(stored)
            path = tmp_path / f"{number}.tar"
            made = await archive.backup(database, clock, path, version="1")
            count = {each.table: each.rows for each in made.tables}["scout_findings"]
            assert count % 2 == 0, "half a transaction"
            with tarfile.open(path) as tar:
                text = tar.extractfile("scout_findings.jsonl").read().decode()
            assert all(str(each) in text for each in known)
            assert (await archive.verify(path, clock)).violations == ()
        stop.set()


@pytest.mark.databases(*KINDS)
async def test_memory_stays_flat(database, clock, tmp_path):
    """Backing up and trying out ten thousand findings takes no more memory than a few pages."""
    scout = await planted(database, 0)
    for _ in range(10):
        await findings.add_many(
            database, [rows.finding(scout, quote=f"{uuid4()}" * 20) for _ in range(1_000)]
        )
    tracemalloc.start()
    await archive.backup(database, clock, tmp_path / "a.tar.gz", version="1")
    await archive.verify(tmp_path / "a.tar.gz", clock)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20


async def test_an_archive_is_not_written_over(database, clock, tmp_path):
    """A file that is there stays, unless it is said aloud; a failure leaves no pieces."""
    await planted(database)
    path = tmp_path / "a.tar"
    path.write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        await archive.backup(database, clock, path, version="1")
    assert path.read_text() == "mine"
    await archive.backup(database, clock, path, version="1", force=True)
    assert (await archive.verify(path, clock)).violations == ()
    with pytest.raises(InvalidInput, match="No such file"):
        await archive.backup(database, clock, tmp_path / "no" / "a.tar", version="1")
    assert [each for each in tmp_path.iterdir() if each.name.startswith(".")] == []


async def test_a_database_without_tables_has_nothing_to_back_up(blank, clock, tmp_path):
    """An empty file is no back-up."""
    with pytest.raises(NotFound, match="no tables"):
        await archive.backup(blank, clock, tmp_path / "a.tar", version="1")
    assert not (tmp_path / "a.tar").exists()


async def test_an_older_schema_is_brought_forward(clock, tmp_path, second_url, opened):
    """An archive of the first schema becomes a database of this one."""
    old = await opened(sqlite_url(tmp_path / "old.db"))
    await migrate.migrate(old, up_to=1)
    user, scout = uuid4(), uuid4()
    await old.execute(
        "INSERT INTO users (id, is_local, created_at) VALUES ($1, TRUE, $2)", user, clock.now()
    )
    await old.execute(
        """INSERT INTO scouts (id, user_id, title, frequency, is_active, created_at, updated_at)
           VALUES ($1, $2, 'Ferry', 'weekly', TRUE, $3, $3)""",
        scout,
        user,
        clock.now(),
    )
    path = tmp_path / "old.tar"
    made = await archive.backup(old, clock, path, version="0.0.1")
    assert made.schema == 1
    done = await archive.restore(path, clock, second_url)
    assert done.migrated == tuple(each.name for each in migrations("sqlite") if each.number > 1)
    db = await opened(second_url)
    await migrate.check(db)
    found = await scouts.get(db, scout)
    assert (found.title, found.anchor) == ("Ferry", clock.now())


async def test_a_newer_scout_is_named(database, clock, tmp_path):
    """An archive with tables that this scout does not know is refused, and how to read it said."""
    await planted(database)
    path = tmp_path / "a.tar"
    await archive.backup(database, clock, path, version="9.0")
    newer = rewritten(path, tmp_path / "b.tar", manifest=lambda m: {**m, "schema": newest() + 1})
    with pytest.raises(Refused, match=r"newer scout \(9\.0") as caught:
        await archive.verify(newer, clock)
    assert "pip install --upgrade" in caught.value.hint


async def test_what_is_there_is_not_replaced_unasked(database, database_url, clock, tmp_path):
    """A database with scouts, or with a run under way, stays until it is said aloud."""
    scout = await planted(database)
    path = tmp_path / "a.tar"
    await archive.backup(database, clock, path, version="1")
    with pytest.raises(Conflict, match="1 scouts and 3 findings"):
        await archive.restore(path, clock, database_url)
    live = rows.execution(scout, lease_until=clock.now() + timedelta(minutes=1))
    await executions.add(database, live)
    with pytest.raises(Conflict, match="1 runs are under way"):
        await archive.restore(path, clock, database_url)
    await archive.restore(path, clock, database_url, replace=True)
    assert await executions.get(database, live.id) is None
    assert await findings.count(database, scout.id) == 3


async def test_a_restore_beside_writers_is_all_or_nothing(database, database_url, clock, tmp_path):
    """Who has the database open sees the old rows or the new ones, and can go on writing."""
    scout = await planted(database, 50)
    path = tmp_path / "a.tar"
    await archive.backup(database, clock, path, version="1")
    stop, turns, seen = asyncio.Event(), asyncio.Queue(), []

    async def write() -> None:
        while not stop.is_set():
            await findings.add_many(database, [rows.finding(scout)])
            seen.append(await findings.count(database, scout.id))
            turns.put_nowait(None)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        for _ in range(10):
            await turns.get()
        await archive.restore(path, clock, database_url, replace=True)
        for _ in range(turns.qsize() + 5):
            await turns.get()
        stop.set()
    # 50 is what a restore between the writing and the counting leaves.
    assert min(seen) >= 50, "a moment without the old and without the new"
    assert await findings.count(database, scout.id) == seen[-1]


async def test_an_unsound_archive_needs_a_word(database, database_url, clock, tmp_path):
    """What breaks an invariant is told by `verify`, and restored only when that is wanted."""
    scout = await planted(database)
    ended = rows.execution(scout, status="completed", state="failed", lease_until=None)
    await database.executemany(
        """INSERT INTO scout_executions (id, scout_id, user_id, status, state, started_at,
           created_at) VALUES ($1, $2, $3, 'completed', 'failed', $4, $4)""",
        [(ended.id, scout.id, scout.user_id, clock.now())],
    )
    path = tmp_path / "a.tar"
    await archive.backup(database, clock, path, version="1")
    (violation,) = (await archive.verify(path, clock)).violations
    assert violation.name == "I6"
    with pytest.raises(Refused, match="holds what cannot be: I6"):
        await archive.restore(path, clock, database_url, replace=True)
    await archive.restore(path, clock, database_url, replace=True, unsound=True)


class TestSqliteFile:
    """What becomes of the file that was there."""

    async def test_the_old_file_is_kept(self, clock, tmp_path, opened):
        """It lies beside, for its owner alone, and a second one does not replace the first."""
        url = sqlite_url(tmp_path / "scout.db")
        db = await opened(url)
        await migrate.migrate(db)
        scout = await planted(db)
        path = tmp_path / "a.tar"
        await archive.backup(db, clock, path, version="1")
        await scouts.delete(db, scout.id)
        first = await archive.restore(path, clock, url, replace=True)
        second = await archive.restore(path, clock, url, replace=True)
        assert (first.kept, second.kept) == (
            str(tmp_path / "scout.db.before-restore"),
            str(tmp_path / "scout.db.before-restore-2"),
        )
        assert stat.S_IMODE(Path(first.kept).stat().st_mode) == 0o600
        old = await opened(sqlite_url(Path(first.kept)))
        assert await scouts.get(old, scout.id) is None
        assert await scouts.get(db, scout.id) is not None

    @pytest.mark.parametrize(
        "content", [b"not a database, " * 500, b"SQLite format 3\0" + b"x" * 9000]
    )
    async def test_a_damaged_file_is_moved_aside(self, content, clock, tmp_path, opened):
        """A back-up helps just when the database cannot be read any more."""
        db = await opened(sqlite_url(tmp_path / "good.db"))
        await migrate.migrate(db)
        scout = await planted(db)
        path, broken = tmp_path / "a.tar", tmp_path / "scout.db"
        await archive.backup(db, clock, path, version="1")
        broken.write_bytes(content)
        with pytest.raises(Conflict, match="would be replaced"):
            await archive.restore(path, clock, sqlite_url(broken))
        done = await archive.restore(path, clock, sqlite_url(broken), replace=True)
        assert Path(done.kept).read_bytes() == content
        restored = await opened(sqlite_url(broken))
        assert await findings.count(restored, scout.id) == 3

    async def test_another_programs_database_is_left_alone(self, clock, tmp_path, opened):
        """No word is strong enough to write over what is not scout's."""
        db = await opened(sqlite_url(tmp_path / "good.db"))
        await migrate.migrate(db)
        await archive.backup(db, clock, tmp_path / "a.tar", version="1")
        other = tmp_path / "other.db"
        with sqlite3.connect(other) as connection:
            connection.execute("CREATE TABLE photos (name TEXT)")
        connection.close()
        before = other.read_bytes()
        with pytest.raises(Refused, match="another program"):
            await archive.restore(tmp_path / "a.tar", clock, sqlite_url(other), replace=True)
        assert other.read_bytes() == before
        assert sorted(each.name for each in tmp_path.iterdir() if "other" in each.name) == [
            "other.db"
        ]

    async def test_a_file_that_is_not_there_is_made(self, clock, tmp_path, opened):
        """Restoring on a new machine needs no database first."""
        db = await opened(sqlite_url(tmp_path / "good.db"))
        await migrate.migrate(db)
        scout = await planted(db)
        await archive.backup(db, clock, tmp_path / "a.tar", version="1")
        fresh = tmp_path / "new" / "scout.db"
        done = await archive.restore(tmp_path / "a.tar", clock, sqlite_url(fresh))
        assert done.kept is None
        assert stat.S_IMODE(fresh.stat().st_mode) == 0o600
        assert [each.name for each in fresh.parent.iterdir()] == ["scout.db"]
        again = await opened(sqlite_url(fresh))
        assert await findings.count(again, scout.id) == 3
