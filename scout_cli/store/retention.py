"""What may go after a while, in small transactions; and what a person wants forgotten.

Findings, their vectors and the pages that scout has seen are never pruned by age: without them old
news would be new again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from uuid import UUID

from scout_cli.core.models import Finding, Record
from scout_cli.store import words
from scout_cli.store.database import Connection, Database
from scout_cli.store.sqlite_errors import translated
from scout_cli.store.statements import placeholders

BATCH = 500
"""Rows in one transaction."""
KEPT_RUNS = 5
"""The newest runs of a scout, which stay whatever their age."""

_RUNS = 100
"""Executions in one transaction, after their pages and steps."""
_WAL = 64 * 2**20
_VACUUMED = 1_000
"""Pages of the file given back in one transaction; four megabytes."""


class Prunable(Record, frozen=True, kw_only=True):
    """Rows that may go when they are from before a moment, `$1`."""

    name: str
    table: str
    key: str
    where: str


_OF_OLD_RUNS = """execution_id IN (SELECT id FROM scout_executions
    WHERE started_at < $1 AND status <> 'running')"""
_FIFTH = f"""SELECT n.started_at FROM scout_executions n WHERE n.scout_id = e.scout_id
    ORDER BY n.started_at DESC LIMIT 1 OFFSET {KEPT_RUNS - 1}"""  # noqa: S608 - a constant
_LAST_NEWS = """SELECT n.started_at FROM scout_executions n
    WHERE n.scout_id = e.scout_id AND n.outcome = 'new' ORDER BY n.started_at DESC LIMIT 1"""

PAGES = Prunable(name="pages", table="scout_pages", key="id", where=_OF_OLD_RUNS)
STEPS = Prunable(name="steps", table="scout_execution_steps", key="id", where=_OF_OLD_RUNS)
SENT = Prunable(
    name="outbox_sent",
    table="notification_outbox",
    key="id",
    where="state = 'sent' AND sent_at < $1",
)
DEAD = Prunable(
    name="outbox_dead",
    table="notification_outbox",
    key="id",
    where="state IN ('dead', 'unknown') AND created_at < $1",
)
SEARCHES = Prunable(name="searches", table="search_cache", key="key", where="created_at < $1")
ANSWERS = Prunable(
    name="answers",
    table="execution_answers",
    key="execution_id, number",
    where=_OF_OLD_RUNS,
)
EVENTS = Prunable(
    name="events",
    table="execution_events",
    key="execution_id, fence, number",
    where=_OF_OLD_RUNS,
)
SESSIONS = Prunable(name="sessions", table="sessions", key="id", where="expires_at < $1")
TOKENS = Prunable(name="tokens", table="tokens", key="id", where="expires_at < $1")
CODES = Prunable(name="codes", table="codes", key="hash", where="expires_at < $1")
ALLOWANCES = Prunable(name="allowances", table="allowances", key="name", where="full_at < $1")
CHANGES = Prunable(
    name="changes",
    table="changes",
    key="number",
    # The newest old one stays: it tells how far back the log goes.
    where="""(written_by, number) < (SELECT c.written_by, c.number FROM changes c
        WHERE c.at < $1 ORDER BY c.written_by DESC, c.number DESC LIMIT 1)""",
)
CHAT_ITEMS = Prunable(name="chat_items", table="chat_items", key="id", where="created_at < $1")
AUDIT = Prunable(name="audit", table="audit_log", key="number", where="at < $1")
REPEATS = Prunable(
    name="requests",
    table="idempotency_keys",
    key="user_id, key",
    where="created_at < $1",
)
EXECUTIONS = Prunable(
    name="executions",
    table="scout_executions",
    key="id",
    where=f"""id IN (SELECT e.id FROM scout_executions e
        WHERE e.started_at < $1 AND e.status <> 'running' AND e.started_at < ({_FIFTH})
            AND (e.outcome IS NULL OR e.outcome <> 'new' OR e.started_at < ({_LAST_NEWS})))""",  # noqa: S608 - constants
)


async def count(db: Connection, what: Prunable, before: datetime) -> int:
    """Return how many rows may go."""
    sql = f"SELECT count(*) FROM {what.table} WHERE {what.where}"  # noqa: S608 - constants
    return await db.value(int, sql, before) or 0


async def prune(db: Connection, what: Prunable, before: datetime) -> int:
    """Delete at most `BATCH` rows that may go, none that another process is changing.

    Returns:
        How many; less than `BATCH` when it was the last of them.
    """
    sql = f"""
        DELETE FROM {what.table} WHERE ({what.key}) IN (
            WITH picked AS MATERIALIZED (
                SELECT {what.key} FROM {what.table} WHERE {what.where} LIMIT $2 {db.skip_locked})
            SELECT {what.key} FROM picked)
    """  # noqa: S608 - constants
    return await db.execute(sql, before, BATCH)


async def prune_runs(db: Database, before: datetime) -> tuple[int, int]:
    """Delete some runs that may go with what is left of them; their findings stay.

    Returns:
        How many runs, and how many rows were deleted in all; no runs when none may go.
    """
    sql = f"SELECT id FROM scout_executions WHERE {EXECUTIONS.where} LIMIT $2"  # noqa: S608 - constants
    ids = await db.all(UUID, sql, before, _RUNS)
    if not ids:
        return 0, 0
    rows = 0
    for table, key in (
        ("scout_pages", "id"),
        ("scout_execution_steps", "id"),
        ("execution_answers", "execution_id, number"),
        ("execution_events", "execution_id, fence, number"),
    ):
        rows += await _empty(db, table, key, ids)
    marks = placeholders(ids, first=1)
    async with db.transaction() as tx:
        rows += await tx.execute(
            f"""DELETE FROM embeddings
                WHERE subject_kind = 'summary' AND subject_id IN ({marks})""",  # noqa: S608 - placeholders
            *ids,
        )
        runs = await tx.execute(
            f"DELETE FROM scout_executions WHERE status <> 'running' AND id IN ({marks})",  # noqa: S608 - placeholders
            *ids,
        )
    return runs, rows + runs


async def _empty(db: Connection, table: str, key: str, ids: Sequence[UUID]) -> int:
    marks = placeholders(ids, first=2)
    sql = f"""DELETE FROM {table} WHERE ({key}) IN (
        SELECT {key} FROM {table} WHERE execution_id IN ({marks}) LIMIT $1)"""  # noqa: S608 - constants and placeholders
    total = 0
    while True:
        done = await db.execute(sql, BATCH, *ids)
        total += done
        if done < BATCH:
            return total


def tidy_file(path: Path) -> int:
    """Give freed pages of an SQLite file back to the disk, and keep its log and statistics small.

    Args:
        path: the database; others may be using it.

    Returns:
        By how many bytes the file shrank.

    Raises:
        DatabaseUnavailable: it is locked for more than ten seconds, or the disk is full.
    """
    before = path.stat().st_size
    with translated(), closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as file:
        while file.execute("PRAGMA freelist_count").fetchone()[0]:
            left = file.execute("PRAGMA page_count").fetchone()
            file.execute(f"PRAGMA incremental_vacuum({_VACUUMED})").fetchall()
            if file.execute("PRAGMA page_count").fetchone() == left:
                break
        log = path.with_name(f"{path.name}-wal")
        if before > path.stat().st_size or (log.exists() and log.stat().st_size > _WAL):
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        file.execute("PRAGMA analysis_limit=400").fetchall()
        file.execute("PRAGMA optimize").fetchall()
    return max(before - path.stat().st_size, 0)


async def findings_of(
    db: Connection, scout_id: UUID, before: datetime | None, limit: int
) -> list[Finding]:
    """Return findings of a scout, oldest first.

    Args:
        db: the database.
        scout_id: whose.
        before: only those from before this moment; None for all.
        limit: at most so many.
    """
    sql = """SELECT * FROM scout_findings
        WHERE scout_id = $1 AND (CAST($2 AS TEXT) IS NULL OR created_at < $3)
        ORDER BY created_at, id LIMIT $4"""
    said = before.isoformat() if before else None
    return await db.all(Finding, sql, scout_id, said, before, limit)


async def count_findings(db: Connection, scout_id: UUID, before: datetime | None) -> int:
    """Return how many findings of a scout are from before a moment, all of them for None."""
    sql = """SELECT count(*) FROM scout_findings
        WHERE scout_id = $1 AND (CAST($2 AS TEXT) IS NULL OR created_at < $3)"""
    return await db.value(int, sql, scout_id, before.isoformat() if before else None, before) or 0


async def forget(tx: Connection, found: Sequence[Finding]) -> int:
    """Inside a transaction: delete findings, their vectors, and what is remembered of their pages.

    A page on which another finding stands stays remembered.

    Args:
        tx: the transaction.
        found: at most `BATCH`.

    Returns:
        How many findings were still there.
    """
    ids = [each.id for each in found]
    marks = placeholders(ids, first=1)
    await tx.execute(
        f"DELETE FROM embeddings WHERE subject_kind = 'finding' AND subject_id IN ({marks})",  # noqa: S608 - placeholders
        *ids,
    )
    gone = await tx.execute(f"DELETE FROM scout_findings WHERE id IN ({marks})", *ids)  # noqa: S608 - placeholders
    pages = {(each.scout_id, each.canonical_url) for each in found}
    await tx.executemany(
        """DELETE FROM seen_pages WHERE scout_id = $1 AND canonical_url = $2 AND NOT EXISTS (
            SELECT 1 FROM scout_findings f WHERE f.scout_id = $1 AND f.canonical_url = $2)""",
        sorted(pages),
    )
    await words.bring_over(tx)
    return gone


async def forget_pages(tx: Connection, scout_id: UUID, before: datetime | None) -> int:
    """Forget which pages a scout has read, all or those last read before a moment."""
    sql = """DELETE FROM seen_pages
        WHERE scout_id = $1 AND (CAST($2 AS TEXT) IS NULL OR read_at < $3)"""
    return await tx.execute(sql, scout_id, before.isoformat() if before else None, before)
