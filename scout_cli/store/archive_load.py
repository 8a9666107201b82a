"""The rows of an archive into an empty SQLite file, and from there into PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice

from msgspec import Struct

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.errors import Conflict, InvalidInput, NotFound
from scout_cli.store import migrate
from scout_cli.store.archive_dump import pages
from scout_cli.store.archive_file import Entry
from scout_cli.store.archive_reading import Reader, unusable
from scout_cli.store.archive_schema import (
    Table,
    archived,
    arguments,
    insertion,
    moved,
    newest,
    tables,
)
from scout_cli.store.database import Connection, Database

_ROWS = 256
_BYTES = 2**23


class _Trigger(Struct):
    name: str
    sql: str


class Standing(Record, frozen=True, kw_only=True):
    """What a restore would replace."""

    scouts: int = 0
    findings: int = 0
    live: int = 0
    """Runs that a process is working on."""
    unreadable: str = ""
    """Why the database cannot be read, if so; it would be moved aside."""


async def rows_there(db: Connection) -> Standing:
    """Return what is in a database of any schema."""
    if not await migrate.applied(db):
        return Standing()
    live = "SELECT count(*) FROM scout_executions WHERE status = 'running' AND lease_until > $1"
    return Standing(
        scouts=await db.value(int, "SELECT count(*) FROM scouts") or 0,
        findings=await db.value(int, "SELECT count(*) FROM scout_findings") or 0,
        live=await db.value(int, live, await db.now()) or 0,
    )


async def load(reader: Reader, db: Database) -> list[str]:
    """Fill an empty SQLite database with an archive and bring it up to this version.

    Args:
        reader: at its beginning.
        db: without tables; after an error it is worth nothing.

    Returns:
        The names of the migrations that the archive had not had.

    Raises:
        InvalidInput: the archive is damaged or made up.
    """
    number = reader.manifest.schema
    await migrate.migrate(db, up_to=number)
    try:
        async with db.transaction() as tx:
            # Rows of one table refer to one another in any order; the commit checks them all.
            await tx.execute("PRAGMA defer_foreign_keys=ON")
            async with _without_triggers(tx):
                for table, entry in zip(tables(number), reader.manifest.tables, strict=True):
                    await _fill(tx, table, entry, reader)
                await asyncio.to_thread(reader.end)
    except NotFound as error:
        raise unusable("a row refers to one that is not there") from error
    return await migrate.migrate(db)


async def _fill(tx: Connection, table: Table, entry: Entry, reader: Reader) -> None:
    lines, number = reader.lines(entry), 0
    while batch := await asyncio.to_thread(_batch, lines):
        rows = await asyncio.to_thread(_decoded, table, batch, number)
        try:
            await tx.executemany(insertion(table), rows)
        except (Conflict, InvalidInput) as error:
            where = f"{table.name}, rows {number + 1} to {number + len(batch)}"
            raise unusable(f"{where}: {error.message}") from error
        except OverflowError as error:
            raise unusable(f"{table.name}: a moment beyond the calendar") from error
        number += len(batch)


def _batch(lines: Iterator[bytes]) -> list[bytes]:
    taken: list[bytes] = []
    size = 0
    for line in islice(lines, _ROWS):
        taken.append(line)
        size += len(line)
        if size > _BYTES:
            break
    return taken


def _decoded(table: Table, batch: Sequence[bytes], before: int) -> list[tuple[object, ...]]:
    of = archived(table)
    rows = []
    for number, line in enumerate(batch, before + 1):
        try:
            row = shape.decode(line, of, what=f"{table.name}, row {number}")
        except InvalidInput as error:
            raise unusable(error.message) from error
        rows.append(arguments(table, row))
    return rows


@asynccontextmanager
async def _without_triggers(tx: Connection) -> AsyncIterator[None]:
    """Keep triggers from changing what is put back; they were at work when it was new."""
    sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    found = await tx.all(_Trigger, sql)
    for trigger in found:
        await tx.execute(f'DROP TRIGGER "{trigger.name}"')
    yield
    for trigger in found:
        await tx.execute(trigger.sql)


async def move(staged: Connection, tx: Connection) -> None:
    """Replace every row of a PostgreSQL database by those of a SQLite one of the same schema.

    Args:
        staged: the SQLite database.
        tx: a transaction; nothing is visible to others before it commits.

    Raises:
        DatabaseUnavailable: others hold its tables for a minute.
    """
    await tx.script(
        "SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '10min';"
        "SET LOCAL idle_in_transaction_session_timeout = '10min'"
    )
    every = tables(newest())
    for table in every:
        await tx.execute(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
    for table in reversed(every):
        # Not TRUNCATE, which a snapshot of somebody else would notice.
        await tx.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names of our own migrations
    for table in every:
        await _copy(staged, tx, table)
    for table in every:
        await tx.execute(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")


async def _copy(staged: Connection, tx: Connection, table: Table) -> None:
    of = moved(table)
    places = [place for place, each in enumerate(table.columns) if each.name in table.own]
    async for page in pages(staged, table, of):
        rows = [list(arguments(table, row)) for row in page]
        for row in rows:
            for place in places:
                row[place] = None  # what it refers to may come later
        await tx.executemany(insertion(table), rows)
    for column in table.own:
        keys = " AND ".join(f'"{name}" = ${n}' for n, name in enumerate(table.key, 2))
        update = f'UPDATE {table.name} SET "{column}" = $1 WHERE {keys}'  # noqa: S608 - names of our own migrations
        async for page in pages(staged, table, of, f'"{column}" IS NOT NULL'):
            names = (column, *table.key)
            await tx.executemany(update, [[getattr(row, name) for name in names] for row in page])
