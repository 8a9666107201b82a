"""Database and embedder as `scout doctor` sees them, sound and in each of their faults."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from msgspec.structs import replace

from scout_cli.service import diagnosis
from scout_cli.service.diagnosis import (
    Bounds,
    embedding,
    storage,
)
from scout_cli.store import embedders, migrate, vectors
from tests.contract.databases import EVERY, StoppedClock, sqlite_url
from tests.examined import made, subject, told
from tests.ollama_server import EMBEDDER, OllamaServer, Says

SHORT = Bounds(model=3.0, search=3.0, embedder=3.0)


async def test_the_embedder_gives_its_dimension():
    """Asked for one vector, it is measured by that."""
    async with (
        OllamaServer() as server,
        subject(
            "sqlite:////nowhere/x.db", embed_url=f"ollama://{server.host}/{EMBEDDER}"
        ) as examined,
    ):
        found = await told(lambda tell: embedding.examine(examined, None, tell))
    assert (found["embedder"].status, found["embedder"].data["dimension"]) == ("ok", 64)
    assert list(found) == ["embedder"]


@pytest.mark.parametrize(
    ("says", "detail"),
    [
        (Says(embeddings=[[0.0] * 64]), "zero"),
        (Says(raw=b"[]"), "protocol"),
        (Says(delay=10, embeddings=[[1.0]]), "within 3 s"),
    ],
)
async def test_an_embedder_that_fails(says, detail):
    """It fails within its bound, in the words of the adapter."""
    async with (
        OllamaServer(embed=lambda _: says) as server,
        subject(
            "sqlite:////nowhere/x.db",
            embed_url=f"ollama://{server.host}/{EMBEDDER}",
            bounds=SHORT,
        ) as examined,
    ):
        found = await told(lambda tell: embedding.examine(examined, None, tell))
    assert found["embedder"].status == "fail"
    assert detail in found["embedder"].detail


async def test_vectors_that_are_missing_are_told_and_made(database_url):
    """On both databases; afterwards nothing is left to do."""
    await made(database_url)
    async with subject(database_url) as examined:
        database = await examined.open_database()
        before = await told(lambda tell: embedding.examine(examined, database, tell))
        done = await diagnosis.mend(examined)
        after = await told(lambda tell: embedding.examine(examined, database, tell))
        again = await diagnosis.mend(examined)
    assert before["embedding vectors"].data == {"findings": 1, "missing": 1, "odd": 0}
    assert done == ["made 1 vectors of built-in/lexical-1"]
    assert after["embedding vectors"].data == {"findings": 1, "missing": 0, "odd": 0}
    assert again == []


async def test_vectors_of_another_length_are_told_and_made_again(tmp_path):
    """A model that was replaced under the same name gives vectors that fit no other."""
    url = sqlite_url(tmp_path / "scout.db")
    await made(url)
    async with subject(url) as examined:
        database = await examined.open_database()
        (row,) = await embedders.next_lacking(database, "built-in/lexical-1", 768, limit=5)
        short = vectors.of_finding(row, "built-in/lexical-1", [0.6, 0.8])
        await vectors.put_many(database, [short])
        before = await told(lambda tell: embedding.examine(examined, database, tell))
        await diagnosis.mend(examined)
        after = await told(lambda tell: embedding.examine(examined, database, tell))
    assert (before["embedding vectors"].status, before["embedding vectors"].data["odd"]) == (
        "warn",
        1,
    )
    assert before["embedding vectors"].hint == "scout doctor --fix"
    assert after["embedding vectors"].status == "ok"


async def test_a_sound_database(database_url):
    """Kind, version, size, tables and how it is kept; nothing to complain of."""
    async with subject(database_url) as examined:
        found = await told(lambda tell: storage.examine(examined, tell))
    kind = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    assert found["database"].data["kind"] == kind
    assert found["database"].data["bytes"] > 0
    assert found["database tables"].data["pending"] == []
    if kind == "sqlite":
        assert {check.status for check in found.values()} == {"ok"}
        assert found["database integrity"].data["problems"] == []
    else:
        server = found["database server"]
        assert server.data["fsync"] == "off"  # the test server's
        assert (server.status, "fsync = on" in server.hint) == ("warn", True)


@pytest.mark.databases(*EVERY)
async def test_pgvector_is_seen(database_url):
    """Where the extension is there, its version is told."""
    if database_url.startswith("sqlite"):
        return
    async with subject(database_url) as examined:
        found = await told(lambda tell: storage.examine(examined, tell))
        database = await examined.open_database()
        there = await database.value(
            int, "SELECT count(*) FROM pg_extension WHERE extname = 'vector'"
        )
    assert bool(found["database server"].data["pgvector"]) is bool(there)


async def test_a_database_that_is_not_there_is_not_made(tmp_path):
    """Looking makes nothing; the first command that needs it will."""
    path = tmp_path / "deep" / "scout.db"
    async with subject(sqlite_url(path)) as examined:
        found = await told(lambda tell: storage.examine(examined, tell))
        assert await diagnosis.mend(examined) == []
    assert list(found) == ["database"]
    assert (found["database"].status, path.parent.exists()) == ("ok", False)


async def test_a_folder_that_cannot_be_written():
    """The first command would fail, so this does."""
    async with subject("sqlite:////dev/null/x.db") as examined:
        found = await told(lambda tell: storage.examine(examined, tell))
    assert found["database"].status == "fail"
    assert "SCOUT_DATABASE_URL" in found["database"].hint


async def test_pending_migrations_are_told_and_applied(blank_url):
    """On both databases: told with the command, or done by the fix."""
    async with subject(blank_url) as examined:
        database = await examined.open_database()
        first = migrate.migrations(database.kind)[0]
        await database.script(first.sql)
        await database.execute(
            "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
            " sha256 TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL)"
        )
        sql = "INSERT INTO migrations VALUES ($1, $2, $3, $4)"
        now = await database.now()
        await database.execute(sql, first.number, first.name, first.sha256, now)
        before = await told(lambda tell: storage.examine(examined, tell))
        pending = before["database tables"].data["pending"]
        done = await diagnosis.mend(examined)
        after = await told(lambda tell: storage.examine(examined, tell))
    if not pending:
        pytest.skip("this version has one migration only")
    assert (before["database tables"].status, before["database tables"].hint) == (
        "fail",
        "scout init-db",
    )
    assert [f"applied the migration {name}" for name in pending] == done
    assert after["database tables"].status == "ok"


async def test_a_database_of_a_newer_scout(tmp_path):
    """It is left as it is, and the fix does not touch it."""
    url = sqlite_url(tmp_path / "scout.db")
    await made(url)
    with sqlite3.connect(tmp_path / "scout.db") as connection:
        connection.execute("INSERT INTO migrations VALUES (9999, 'x', 'y', '2030-01-01')")
    connection.close()
    async with subject(url) as examined:
        found = await told(lambda tell: storage.examine(examined, tell))
        done = await diagnosis.mend(examined)
    assert found["database tables"].status == "fail"
    assert "newer scout" in found["database tables"].detail
    assert any(line.startswith("not done: ") for line in done)


async def test_a_damaged_file_is_told(tmp_path):
    """quick_check finds what is broken; the remedy names the file."""
    path = tmp_path / "scout.db"
    await made(sqlite_url(path))
    with sqlite3.connect(path) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'scout_findings'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size + 8)
        file.write(b"\xff" * 40)
    async with subject(sqlite_url(path)) as examined:
        found = await told(lambda tell: storage.examine(examined, tell))
    integrity = found["database integrity"]
    assert integrity.status == "fail"
    assert "backup" in integrity.hint


async def test_rows_that_point_nowhere_are_told(tmp_path):
    """foreign_key_check finds what another program removed."""
    path = tmp_path / "scout.db"
    await made(sqlite_url(path))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DELETE FROM users")
    connection.close()
    async with subject(sqlite_url(path)) as examined:
        found = await told(lambda tell: storage.examine(examined, tell))
    assert found["database integrity"].status == "fail"
    assert "that is not there" in found["database integrity"].detail


async def test_the_look_into_a_large_file_is_bounded(tmp_path):
    """At its bound it ends by itself and says that it did not see all."""
    path = tmp_path / "scout.db"
    await made(sqlite_url(path))
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE filler AS WITH RECURSIVE n(i) AS"
            " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
            " SELECT i, hex(randomblob(30)) AS t FROM n"
        )
        connection.execute("CREATE INDEX filler_by_t ON filler (t)")
    connection.close()
    async with subject(sqlite_url(path), bounds=Bounds(integrity=0.001)) as examined:
        found = await told(lambda tell: storage.examine(examined, tell))
    assert found["database integrity"].status == "warn"
    assert "within 0.001 s" in found["database integrity"].detail


async def test_a_file_that_others_can_read(tmp_path):
    """A warning with the command; the fix does what it says, once."""
    path = tmp_path / "scout.db"
    await made(sqlite_url(path))
    path.chmod(0o644)
    async with subject(sqlite_url(path)) as examined:
        before = await told(lambda tell: storage.examine(examined, tell))
        done = await diagnosis.mend(examined)
    assert before["database file"].status == "warn"
    assert before["database file"].hint.startswith(f"chmod 600 {path}")
    assert f"made {path} private (mode 0600)" in done
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_server_that_does_not_answer():
    """Refused, it fails with the adapter's words, and what needs it is left out."""
    url = "postgresql://u:hunter2@127.0.0.1:1/none"
    async with subject(url) as examined:
        found = await told(lambda tell: storage.examine(examined, tell))
        clocks = await told(lambda tell: storage.clock(examined, None, tell))
    assert list(found) == ["database"]
    assert found["database"].status == "fail"
    assert "hunter2" not in found["database"].detail + found["database"].hint
    assert "could not be compared" in clocks["clock"].detail


async def test_clocks_are_compared(database_url):
    """On a server the skew is told, and warned of when it matters."""

    class Late(StoppedClock):
        frozen = False

    async with subject(database_url) as examined:
        database = await examined.open_database()
        near = await told(lambda tell: storage.clock(examined, database, tell))
        late = Late()
        late.moment = examined.clock.now() - timedelta(seconds=90)
        behind = replace(examined, clock=late)
        far = await told(lambda tell: storage.clock(behind, database, tell))
    assert near["clock"].status == "ok"
    if database_url.startswith("sqlite"):
        assert near["clock"].data["skew_seconds"] is None
        return
    assert abs(near["clock"].data["skew_seconds"]) < 2
    assert far["clock"].status == "warn"
    assert 88 < far["clock"].data["skew_seconds"] < 92
    assert "behind" in far["clock"].detail
