"""How a database is: whether its file is sound, how its server is set, what vectors it holds."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

from scout_cli.core.models import Record, Secret
from scout_cli.store.database import Connection
from scout_cli.store.sqlite_errors import translated

_STEPS = 10_000
"""Of SQLite's virtual machine between two looks at the clock; some milliseconds."""

_MOST_TOLD = 10


class ServerFacts(Record, frozen=True, kw_only=True):
    """How a PostgreSQL server is set."""

    fsync: str
    synchronous_commit: str
    vector_installed: str | None
    """Version of the extension `vector` in this database."""
    vector_available: str | None
    """Version that the server could install."""


class VectorFacts(Record, frozen=True, kw_only=True):
    """The vectors of one embedder."""

    findings: int
    missing: int
    """Findings without a vector of it."""
    odd: int
    """Vectors of another length than it gives now."""


async def integrity(path: Path, seconds: float) -> list[str]:
    """Return what SQLite finds wrong with a file, at most twenty lines; nothing when it is sound.

    It reads on a connection of its own, and stops by itself at the bound.

    Args:
        path: the database file; another process may be writing to it.
        seconds: the bound.

    Raises:
        TimeoutError: it takes longer.
        DatabaseUnavailable: the file cannot be read at all.
    """
    gone = threading.Event()
    try:
        return await asyncio.to_thread(_integrity, path, time.monotonic() + seconds, gone)
    finally:
        gone.set()  # a thread cannot be cancelled; it is told


def _integrity(path: Path, end: float, gone: threading.Event) -> list[str]:
    address = f"{path.absolute().as_uri()}?mode=ro"
    with translated(), closing(sqlite3.connect(address, uri=True, timeout=5.0)) as connection:
        connection.set_progress_handler(
            lambda: int(gone.is_set() or time.monotonic() > end), _STEPS
        )
        try:
            checked = connection.execute(f"PRAGMA quick_check({_MOST_TOLD})").fetchall()
            orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_TOLD)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise TimeoutError from error
            raise
    wrong = [line for (line,) in checked if line != "ok"]
    return wrong + [
        f"a row of {table} names a {parent} that is not there" for table, _, parent, _ in orphans
    ]


async def server(db: Connection) -> ServerFacts:
    """Return how the PostgreSQL server of `db` is set."""
    sql = """
        SELECT current_setting('fsync') AS fsync,
               current_setting('synchronous_commit') AS synchronous_commit,
               (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector_installed,
               (SELECT default_version FROM pg_available_extensions WHERE name = 'vector')
                   AS vector_available
    """
    found = await db.one(ServerFacts, sql)
    assert found is not None
    return found


async def vectors(db: Connection, embedder: str, dimension: int) -> VectorFacts:
    """Return how many findings have a vector of `embedder`, and whether it fits the others."""
    sql = """
        SELECT (SELECT count(*) FROM scout_findings) AS findings,
               (SELECT count(*) FROM scout_findings f WHERE NOT EXISTS (
                   SELECT 1 FROM embeddings e WHERE e.subject_id = f.id
                   AND e.subject_kind = 'finding' AND e.embedder = $1)) AS missing,
               (SELECT count(*) FROM embeddings e WHERE e.subject_kind = 'finding'
                   AND e.embedder = $1 AND e.dimension <> $2) AS odd
    """
    found = await db.one(VectorFacts, sql, embedder, dimension)
    assert found is not None
    return found


async def channels(db: Connection) -> list[str]:
    """Return the notification URLs of all scouts, each once."""
    rows = await db.all(_Notified, "SELECT notify FROM scouts ORDER BY created_at, id")
    return list(dict.fromkeys(url for row in rows for url in row.notify))


class _Notified(Record, frozen=True, kw_only=True):
    notify: list[Secret]
