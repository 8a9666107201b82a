"""A row of every table with awkward values, and how databases are compared row by row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from msgspec import to_builtins

from scout_cli.store import Database
from scout_cli.store.archive_schema import Table, arguments, insertion, moved, newest, tables
from tests.contract.rows import AT

TEXT = "Fähre – \u202enach Hollen\n\"'\\ \U0001f6a2 \x7f"
DOCUMENT = {"b": [1, 2.5, -0.125, None, True, "ü"], "a": {"deep": [[{}]]}, "": 2**53}
CHOICES = {
    ("users", "role"): "admin",
    ("tokens", "kind"): "feed",
    ("user_preferences", "firecrawl_key_status"): "invalid",
    ("scouts", "frequency"): "weekly",  # beside `daily`, which a trigger would change
    ("scouts", "schedule"): "daily",
    ("scouts", "timezone"): "Europe/Berlin",
    ("scouts", "digest"): "weekly",
    ("scouts", "is_active"): False,
    ("scouts", "consecutive_failures"): 0,
    ("scouts", "search_queries"): ["ä", "b"],
    ("scouts", "notify"): ["tgram://123:canary/42"],
    ("scout_messages", "role"): "assistant",
    ("scout_executions", "status"): "completed",
    ("scout_executions", "state"): "completed",
    ("scout_executions", "outcome"): "new",
    ("scout_executions", "summary_embedding"): None,
    ("scout_executions", "fence"): 7,
    ("scout_execution_steps", "step_type"): "scrape",
    ("scout_execution_steps", "status"): "completed",
    ("scout_execution_steps", "answered_by"): "lines",
    ("scout_execution_steps", "fence"): 2,
    ("scout_findings", "novelty"): "possible_repeat",
    ("scout_findings", "answered_by"): "built-in",
    ("scout_findings", "similarity"): 0.1 + 0.2,
    ("finding_opinions", "opinion"): "not_useful",
    ("embeddings", "subject_kind"): "summary",
    ("embeddings", "dimension"): 3,
    ("embeddings", "vector"): bytes([0, 255, 10, 13, 92, 34, 1, 2, 3, 4, 5, 6]),
    ("channels", "state"): "disabled",
    ("notification_outbox", "kind"): "late",
    ("notification_outbox", "state"): "unknown",
}
PLAIN: dict[str, Any] = {
    "boolean": True,
    "integer": -(2**31),
    "bigint": 2**63 - 1,
    "number": 1e-300,
    "text": TEXT,
    "document": DOCUMENT,
    "blob": b"\0\xff",
}


async def fill(db: Database, copies: int = 1) -> None:
    """Store rows in every table, some of them with nothing where nothing may stand."""
    last: dict[str, UUID] = {}
    for table in tables(newest()):
        for number in range(copies):
            for bare in (False, True):
                if table.name == "scout_findings" and bare:
                    continue
                if table.name == "finding_opinions" and (bare or number):
                    continue  # one of a finding
                row = _row(table, last, bare=bare, number=number)
                await _insert(db, table, row)
                if "id" in row and not bare:
                    last[table.name] = row["id"]
    await _refer_backwards(db, last)


def _row(  # noqa: C901 - one choice a line, in the order in which they are made
    table: Table, last: dict[str, UUID], *, bare: bool, number: int
) -> dict[str, Any]:
    links = {each.column: last.get(each.table) for each in table.references}
    row: dict[str, Any] = {}
    for place, column in enumerate(table.columns):
        chosen = (table.name, column.name)
        if bare and column.nullable:
            row[column.name] = None
        elif column.name in links and column.name not in table.key:
            row[column.name] = None if column.name in table.own else links[column.name]
        elif chosen in CHOICES:
            row[column.name] = CHOICES[chosen]
        elif column.kind == "document" and chosen == ("scout_findings", "path"):
            row[column.name] = {"rungs": [], "near": [], "shift": 0.0}
        elif column.kind == "uuid":
            row[column.name] = links.get(column.name) or uuid4()
        elif column.kind == "moment":
            row[column.name] = AT + timedelta(microseconds=place * 1_000_003 + number)
        elif column.kind == "text":
            row[column.name] = f"{TEXT}{uuid4()}"
        elif column.kind in ("integer", "bigint") and column.name in table.key:
            row[column.name] = number * 2 + bare
        else:
            row[column.name] = PLAIN[column.kind]
    return _single(table, row, first=number == 0 and not bare)


def _single(table: Table, row: dict[str, Any], *, first: bool) -> dict[str, Any]:
    """Return a row that does not stand in the way of another one of its kind."""
    if table.name == "users":
        row["is_local"] = first
    if table.name == "user_preferences":
        row["user_id"] = None
    if table.name == "scout_execution_steps":
        row["step_number"] = uuid4().int % 2**30
    if table.name == "scout_findings":
        row["canonical_url"] = f"https://ferries.example/{row['id']}"
    return row


async def _insert(db: Database, table: Table, row: dict[str, Any]) -> None:
    if table.name == "user_preferences":
        sql = """SELECT u.id FROM users u LEFT JOIN user_preferences p ON p.user_id = u.id
            WHERE p.id IS NULL ORDER BY u.id LIMIT 1"""
        row["user_id"] = await db.value(UUID, sql)
    await db.execute(insertion(table), *arguments(table, moved(table)(**row)))


async def _refer_backwards(db: Database, last: dict[str, UUID]) -> None:
    """Let every finding but the last repeat the last one, so that no order of rows is right."""
    sql = "UPDATE scout_findings SET same_as = $1 WHERE id <> $1"
    await db.execute(sql, last["scout_findings"])
    # As a change by hand leaves it: the rhythm that the interface sees, and another of our own.
    await db.execute("UPDATE scouts SET schedule = 'daily', frequency = 'weekly', is_active = TRUE")
    await db.execute("UPDATE scouts SET schedule = 'daily', next_run_at = $1", AT)


async def contents(db: Database) -> dict[str, list[Any]]:
    """Return every row of every table as scout reads it, in an order that follows from them."""
    found = {}
    for table in tables(newest()):
        sql = f"SELECT {table.listed} FROM {table.name}"
        rows = [to_builtins(row) for row in await db.all(moved(table), sql)]
        found[table.name] = sorted(rows, key=lambda row: [str(row[name]) for name in table.key])
    return found
