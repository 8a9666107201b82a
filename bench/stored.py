"""Databases with very many scouts, for `scheduling.py`, and the bare loops it is compared with."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from measure import ROOT

from scout_cli.service.clocks import SystemClock
from scout_cli.store import Database, migrate, open_database, users
from scout_cli.store.sqlite_file import path_of

sys.path.insert(0, str(ROOT))
from tests import postgres as launcher

_LOAD = {
    "postgresql": """
        INSERT INTO scouts (id, user_id, title, goal, schedule, frequency, is_active, last_run_at,
            anchor, next_run_at, created_at, updated_at)
        SELECT gen_random_uuid(), $1, 'Scout ' || n, 'ferries', 'daily', 'daily', true, now.at,
            now.at, now.at + interval '1 day' + n * interval '3 days' / CAST($3 AS INTEGER),
            now.at, now.at
        FROM generate_series(1, CAST($3 AS INTEGER)) AS n,
            (SELECT CAST($2 AS TIMESTAMPTZ) AS at) AS now""",
    "sqlite": """
        WITH RECURSIVE numbers (n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $3)
        INSERT INTO scouts (id, user_id, title, goal, schedule, frequency, is_active, last_run_at,
            anchor, next_run_at, created_at, updated_at)
        SELECT printf('%08x-%04x-4%03x-8%03x-%012x', abs(random()) % 4294967296,
                abs(random()) % 65536, abs(random()) % 4096, abs(random()) % 4096, n),
            $1, 'Scout ' || n, 'ferries', 'daily', 'daily', 1, $2, $2,
            strftime('%Y-%m-%dT%H:%M:%S', $2, '+1 day', '+' || (n * 259200 / $3) || ' seconds')
                || '.000000+00:00', $2, $2
        FROM numbers""",
}
_PICK = """SELECT id FROM scout_executions WHERE state = 'queued' AND run_after <= {now}
    ORDER BY run_after, id LIMIT 1"""
_LEAST = """state = 'running', fence = fence + 1, attempt = attempt + 1, lease_owner = 'bench',
    lease_until = {until}"""
_WHOLE = f"""{_LEAST}, beats = 0, deadline_at = {{until}}, error_message = NULL,
    error_class = NULL, started_at = {{now}}"""
_TAKEN = """RETURNING id, scout_id, user_id, "trigger", slot_at, covers_from, fence, attempt"""


@dataclass(frozen=True)
class Stored:
    """A database with scouts in it."""

    kind: str
    url: str
    db: Database

    async def make_due(self, many: int) -> None:
        """Forget all runs and let exactly so many scouts be due."""
        now = await self.db.now()
        await self.db.execute("DELETE FROM scout_executions")
        await self.db.execute(
            "UPDATE scouts SET next_run_at = $1 WHERE next_run_at < $2",
            now + timedelta(days=5),
            now + timedelta(hours=12),
        )
        sql = """UPDATE scouts SET next_run_at = $1, anchor = $1
            WHERE id IN (SELECT id FROM scouts ORDER BY id LIMIT $2)"""
        await self.db.execute(sql, now - timedelta(seconds=1), many)
        if self.kind == "postgresql":
            await self.db.script("VACUUM ANALYZE scouts")
            await self.db.script("VACUUM ANALYZE scout_executions")

    async def bare_claims(self, many: int, *, whole: bool = False) -> float:
        """Claim so many queued runs with nothing but the driver; return seconds for each.

        Args:
            many: how many, one after the other.
            whole: write all that a claim must: the deadline, and when the run began, which three
                indexes hold. Without it, state and lease alone: the floor of any queue.
        """
        if self.kind == "sqlite":
            return await asyncio.to_thread(_bare_sqlite, path_of(self.url), many, whole=whole)
        return await _bare_postgres(self.url, many, whole=whole)


@asynccontextmanager
async def stored(kind: str, scouts: int, server: launcher.Server) -> AsyncIterator[Stored]:
    """Make a database with so many scouts, none of them due today."""
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        name = server.create() if kind == "postgresql" else ""
        url = server.url(name) if name else f"sqlite:///{folder}/scout.db"
        if name:
            server.sql(name, f"ALTER DATABASE {name} SET synchronous_commit = on")
        db = await open_database(url, SystemClock())
        try:
            await migrate.migrate(db)
            owner = await users.local_owner(db)
            async with db.transaction() as tx:
                if name:
                    await tx.script("SET LOCAL statement_timeout = 0")
                await tx.execute(_LOAD[kind], owner.id, await db.now(), scouts)
            yield Stored(kind, url, db)
        finally:
            await db.close()
            if name:
                server.drop(name)


def _bare_sqlite(path: Path, many: int, *, whole: bool) -> float:
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    pick = _PICK.format(now="$1")
    take = f"UPDATE scout_executions SET {_WHOLE if whole else _LEAST} WHERE id = $2 {_TAKEN}"
    take = take.format(now="$1", until="$1")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        began = time.perf_counter()
        for _ in range(many):
            connection.execute("BEGIN IMMEDIATE")
            (id_,) = connection.execute(pick, {"1": now}).fetchone()
            assert connection.execute(take, {"1": now, "2": id_}).fetchall()
            connection.execute("COMMIT")
        return (time.perf_counter() - began) / many


async def _bare_postgres(url: str, many: int, *, whole: bool) -> float:
    sql = f"""UPDATE scout_executions SET {_WHOLE if whole else _LEAST}
        WHERE id = ({_PICK} FOR UPDATE SKIP LOCKED) {_TAKEN}"""
    sql = sql.format(now="$1", until="$2")
    connection = await asyncpg.connect(url.partition("&scout_unsafe")[0])
    try:
        now = datetime.now(UTC)
        began = time.perf_counter()
        for _ in range(many):
            assert await connection.fetchrow(sql, now, now)
        return (time.perf_counter() - began) / many
    finally:
        await connection.close()
