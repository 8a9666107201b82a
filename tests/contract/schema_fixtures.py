"""Databases as each released schema made them, with rows in every table.

`python -m tests.contract.schema_fixtures 4` makes those of schema 4, once, when it is released;
they are kept in tests/fixtures/schema and never made again.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from scout_cli.store import Database, migrate, open_database
from scout_cli.store.archive_schema import Table, arguments, insertion, moved, tables
from tests import postgres as launcher
from tests.contract.databases import StoppedClock, sqlite_url

FOLDER = Path(__file__).parents[1] / "fixtures" / "schema"
BEGAN = datetime(2026, 11, 1, 9, 0, 0, 250_000, tzinfo=UTC)
DAY = timedelta(days=1)
CHANNEL = "ntfy://ntfy.example/ferries"
PAGE = "https://ferries.example/news"


def named(what: str) -> UUID:
    """Return the identifier of something in the story, always the same."""
    return uuid5(NAMESPACE_URL, f"https://scout.example/{what}")


def _base() -> dict[str, Any]:
    """Return what every row of the story refers to, as far as its table has such a column."""
    return {
        "user_id": named("user"),
        "scout_id": named("ferry"),
        "execution_id": named("first"),
        "created_at": BEGAN,
        "updated_at": BEGAN + 2 * DAY,
        "started_at": BEGAN + DAY,
        "fetched_at": BEGAN + DAY,
        "read_at": BEGAN + DAY,
        "url": PAGE,
        "canonical_url": PAGE,
        "source": 1,
        "fence": 1,
    }


def _run(name: str, day: int, outcome: str) -> dict[str, Any]:
    at = BEGAN + day * DAY
    summary = {"taskCompleted": True, "taskStatus": "completed", "response": "- It sails again."}
    return {
        "id": named(name),
        "status": "completed",
        "state": "completed",
        "outcome": outcome,
        "trigger": "schedule",
        "started_at": at,
        "created_at": at,
        "completed_at": at + timedelta(seconds=40),
        "results_summary": summary,
        "summary_text": "It sails again.",
        "model": "built-in",
        "embedder": "built-in/lexical-1",
        "usage": {"searches": 2},
        "counts": {"new": 1, "read": 2},
        "problems": [],
        "slot_at": at,
        "covers_from": at,
        "attempt": 1,
        "crash_count": 0,
        "beats": 2,
    }


def _finding(name: str, run: str, novelty: str, **more: Any) -> dict[str, Any]:
    return {
        "id": named(name),
        "execution_id": named(run),
        "fact": "The ferry sails again on 28 March 2026: „Leinen los“.",
        "quote": "sails again on 28 March 2026",
        "host": "ferries.example",
        "title": "Fähre – News",
        "published_from": "none",
        "changed": "",
        "terms": "ferry sails",
        "novelty": novelty,
        "reason": "",
        "stated_date": "2026-03-28",
        "answered_by": "built-in",
        **more,
    }


def _scout(name: str, **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        each: []
        for each in ("urls", "feeds", "include_domains", "exclude_domains", "notify",
                     "planned_queries")
    }  # fmt: skip
    return {
        "id": named(name),
        "title": name.title(),
        "goal": "When does the ferry run again?",
        "search_queries": ["ferry", "Fähre"],
        "location": {"city": "Bonn", "country": "Germany"},
        "frequency": "daily",
        "schedule": "daily",
        "timezone": "UTC",
        "consecutive_failures": 0,
        "anchor": BEGAN,
        **empty,
        **more,
    }


STORY: dict[str, list[dict[str, Any]]] = {
    "users": [
        {
            "id": named("user"),
            "email": None,
            "is_local": True,
            "role": "admin",
            "user_metadata": {},
        }
    ],
    "user_preferences": [{"id": named("preferences"), "firecrawl_key_status": "pending"}],
    "engine_state": [{"name": "ddgs/brave", "failures": 2, "detail": "limited"}],
    "resolved": [{"name": "llm_url", "value": "builtin://", "resolved_at": BEGAN}],
    "search_cache": [{"key": "k", "answer": {"outcome": "found", "hits": []}}],
    "marks": [
        {"name": "tick", "at": BEGAN + 2 * DAY, "detail": ""},
        {"name": "audit", "at": BEGAN + 2 * DAY, "detail": f"7:{'a' * 64}"},
    ],
    "audit_log": [
        {
            "number": 7,
            "at": BEGAN + 2 * DAY,
            "actor": "command line",
            "action": "scout.change",
            "target": str(named("ferry")),
            "result": "done",
            "address": "",
            "request_id": "",
            "hash": "a" * 64,
        }
    ],
    "tokens": [
        {
            "id": named("token"),
            "kind": "api",
            "name": "dashboard",
            "scopes": ["read"],
            "hash": "b" * 64,
        }
    ],
    "execution_events": [
        {
            "execution_id": named("first"),
            "number": 1,
            "kind": "run_started",
            "data": {"goal": "Ferries"},
            "at": BEGAN + DAY,
            "is_last": False,
        }
    ],
    "finding_opinions": [
        {"finding_id": named("fact"), "scout_id": named("ferry"), "opinion": "useful"}
    ],
    "channels": [
        {
            "id": named("channel"),
            "url": CHANNEL,
            "url_key": sha256(CHANNEL.encode()).hexdigest(),
            "state": "active",
            "reason": "",
            "served_at": BEGAN + DAY,
        }
    ],
    "scouts": [
        _scout(
            "ferry",
            is_active=True,
            notify=[CHANNEL],
            last_run_at=BEGAN + 2 * DAY,
            next_run_at=BEGAN + 3 * DAY,
            key="ferry",
        ),
        _scout("resting", is_active=False),
    ],
    "scout_messages": [{"id": named("message"), "role": "user", "content": "Fähre?"}],
    "scout_executions": [_run("first", 1, "new"), _run("second", 2, "nothing_new")],
    "seen_pages": [{"etag": '"1"', "last_modified": None, "content_hash": "a" * 64}],
    "execution_answers": [{"number": 1, "part": "search", "key": "k", "answer": "{}"}],
    "firecrawl_usage_logs": [{"id": named("usage"), "used_fallback": True, "api_calls_count": 3}],
    "notification_outbox": [
        {
            "id": named("told"),
            "channel_id": named("channel"),
            "kind": "news",
            "dedupe_key": "d" * 64,
            "batch": "b",
            "message": {"subject": "The ferry sails again"},
            "state": "sent",
            "attempt": 1,
            "next_attempt_at": BEGAN + DAY,
            "provider_id": "",
            "last_error": "",
            "sent_at": BEGAN + DAY,
        }
    ],
    "scout_execution_steps": [
        {
            "id": named("step"),
            "step_number": 1,
            "step_type": "search",
            "description": "Search",
            "output_data": {"searchResults": []},
            "status": "completed",
            "completed_at": BEGAN + DAY,
            "answered_by": "built-in",
        }
    ],
    "scout_findings": [
        _finding("fact", "first", "new"),
        _finding("again", "second", "repeat", same_as=named("fact"), similarity=0.75),
    ],
    "embeddings": [
        {
            "subject_kind": "finding",
            "subject_id": named("fact"),
            "embedder": "of-another-time",
            "dimension": 2,
            "vector": struct.pack("<2f", 0.6, -0.8),
        }
    ],
    "scout_pages": [
        {
            "id": named("page"),
            "final_url": PAGE,
            "outcome": "read",
            "http_status": 200,
            "detail": "",
            "title": "News",
            "text": "The ferry sails again on 28 March 2026.",
            "content_hash": "a" * 64,
            "published_from": "none",
        }
    ],
}
"""Rows by table; a column that a schema does not have yet is left out."""


async def fill(db: Database, number: int) -> None:
    """Bring an empty database to schema `number` and tell the story in it."""
    await migrate.migrate(db, up_to=number)
    for table in tables(number):
        for row in STORY[table.name]:
            whole = _whole(table, row)
            await db.execute(insertion(table), *arguments(table, moved(table)(**whole)))


def _whole(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    given = {**_base(), **row}
    found = {column.name: given.get(column.name) for column in table.columns}
    lacking = [
        each.name for each in table.columns if not each.nullable and found[each.name] is None
    ]
    assert not lacking, f"the story lacks {lacking} of {table.name}"
    return found


async def make(url: str, number: int) -> None:
    """Fill the empty database at `url`."""
    clock = StoppedClock(moment=BEGAN)
    db = await open_database(url, clock)
    try:
        await fill(db, number)
    finally:
        await db.close()


def packed(number: int, kind: str) -> Path:
    """Return the file of a fixture."""
    return FOLDER / (f"{number}.sqlite.gz" if kind == "sqlite" else f"{number}.postgresql.sql.gz")


def unpack(number: int, folder: Path) -> str:
    """Lay the SQLite fixture into a folder; return its URL."""
    file = folder / f"schema-{number}.db"
    file.write_bytes(gzip.decompress(packed(number, "sqlite").read_bytes()))
    return sqlite_url(file)


def load(number: int, server: launcher.Server) -> str:
    """Load the PostgreSQL fixture into a new database; return its name."""
    name = server.create()
    text = gzip.decompress(packed(number, "postgresql").read_bytes())
    words = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *_place(server, name)]
    done = subprocess.run(
        [server.install / "bin" / words[0], *words[1:]],
        input=text,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return name


def _place(server: launcher.Server, database: str) -> list[str]:
    return ["-h", str(server.folder), "-U", "postgres", "-d", database]


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{path.name}: {path.stat().st_size:,} bytes")  # noqa: T201 - a program


def _sqlite(number: int, folder: Path) -> None:
    file = folder / "made.db"
    asyncio.run(make(sqlite_url(file), number))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
    _write(packed(number, "sqlite"), file.read_bytes())
    file.unlink()


def _postgresql(number: int, server: launcher.Server) -> None:
    name = server.create()
    asyncio.run(make(server.url(name), number))
    words = ["--no-owner", "--no-privileges", "--inserts", *_place(server, name)]
    program = server.install / "bin" / "pg_dump"
    done = subprocess.run([program, *words], capture_output=True, check=True)
    _write(packed(number, "postgresql"), done.stdout)


def main(numbers: list[int]) -> None:
    """Make the fixtures of schemas that have none."""
    os.environ["SCOUT_BALLAST"] = "0"
    install = launcher.wheel()
    assert install is not None, "pip install '.[test]'"
    FOLDER.mkdir(parents=True, exist_ok=True)
    server, folder = launcher.start(install), Path(tempfile.mkdtemp())
    try:
        for number in numbers:
            assert not packed(number, "sqlite").exists(), f"schema {number} was made before"
            _sqlite(number, folder)
            _postgresql(number, server)
    finally:
        server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
