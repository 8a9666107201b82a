"""Every row of a database as JSON Lines, from one snapshot, while others go on writing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.core.ports import Clock
from scout_cli.errors import NotFound, Refused
from scout_cli.store import migrate, open_database
from scout_cli.store.archive_file import MAX_LINE, Entry
from scout_cli.store.archive_schema import Table, newest, stored, tables, wire
from scout_cli.store.database import Connection, Database
from scout_cli.store.finishing import to_the_end
from scout_cli.store.sqlite_errors import translated
from scout_cli.store.sqlite_file import url_of

_FEW, _MANY = 16, 1_024
_LIGHT, _HEAVY = 2**20, 2**23
"""Bytes of a page of rows, between which its number of rows is left as it is."""


class Dumped(Record, frozen=True, kw_only=True):
    """What was written."""

    schema: int
    entries: tuple[Entry, ...]
    members: tuple[Path, ...]


async def dump(db: Database, clock: Clock, folder: Path) -> Dumped:
    """Write one file per table, all of the same moment.

    Args:
        db: any schema that this scout knows, not only its newest.
        clock: for the copy of a SQLite file.
        folder: empty, for the caller alone.

    Raises:
        NotFound: the database has no tables.
        Refused: a newer scout made it, or a row is too big.
        DatabaseUnavailable: it went away.
    """
    async with _snapshot(db, clock, folder) as snapshot:
        number = await _schema(snapshot)
        entries, members = [], []
        for place, table in enumerate(tables(number)):
            member = folder / f"{place:03d}.jsonl"
            entries.append(await _spool(snapshot, table, member))
            members.append(member)
    return Dumped(schema=number, entries=tuple(entries), members=tuple(members))


async def _schema(db: Connection) -> int:
    done = await migrate.applied(db)
    if not done:
        raise NotFound("the database has no tables yet", hint="scout add makes the first scout")
    if done[-1].number > newest():
        raise Refused(
            f"the database was made by a newer scout ({done[-1].name})", hint="upgrade scout"
        )
    return done[-1].number


@asynccontextmanager
async def _snapshot(db: Database, clock: Clock, folder: Path) -> AsyncIterator[Connection]:
    """Yield the database as it is now, whatever others write meanwhile."""
    if db.kind == "postgresql":
        async with db.transaction() as tx:
            await tx.script(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                "SET LOCAL statement_timeout = '10min';"
                "SET LOCAL idle_in_transaction_session_timeout = '10min'"
            )
            yield tx
        return
    # A long read of the file itself would keep its write-ahead log from being used anew.
    copy = folder / "snapshot.db"
    await asyncio.to_thread(copy_file, Path((await db.describe()).location), copy)
    opened = await open_database(url_of(copy), clock)
    try:
        yield opened
    finally:
        await to_the_end(opened.close())


def copy_file(source: Path, target: Path) -> None:
    """Copy an SQLite database whole, as it is at one moment, others writing or not.

    Args:
        source: the file; its write-ahead log is part of it.
        target: not there yet; readable for its owner alone.

    Raises:
        DatabaseUnavailable: it is damaged or locked, or the disk is full.
        FileExistsError: there is a target.
    """
    target.touch(mode=0o600, exist_ok=False)
    address = f"{source.absolute().as_uri()}?mode=rw"
    try:
        with (
            translated(),
            closing(sqlite3.connect(address, uri=True, timeout=10)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
    except BaseException:  # an interruption too: no half copy stays
        target.unlink()
        raise


async def pages(
    db: Connection, table: Table, of: type[Struct], where: str = "TRUE"
) -> AsyncIterator[list[Struct]]:
    """Yield the rows of a table by its key, as many at a time as are light to hold.

    Args:
        db: a snapshot, or a database that nobody else uses.
        table: which one.
        of: what a row is read as.
        where: a condition without values.
    """
    keys = ", ".join(f'"{name}"' for name in table.key)
    marks = ", ".join(f"${number}" for number in range(2, len(table.key) + 2))
    select = f"SELECT {table.listed} FROM {table.name} WHERE {where}"  # noqa: S608 - names of our own migrations
    size, last = _FEW, None
    while True:
        beyond = f"AND ({keys}) > ({marks})" if last else ""
        found = await db.all(of, f"{select} {beyond} ORDER BY {keys} LIMIT $1", size, *(last or ()))
        if found:
            yield found
        if len(found) < size:
            return
        last = tuple(getattr(found[-1], name) for name in table.key)
        size = _next(size, sum(map(_weight, found)))


def _weight(row: Struct) -> int:
    values = (getattr(row, name) for name in row.__struct_fields__)
    return sum(len(value) for value in values if isinstance(value, str | bytes))


def _next(size: int, weight: int) -> int:
    if weight > _HEAVY:
        return max(size // 2, 1)
    return min(size * 2, _MANY) if weight < _LIGHT else size


async def _spool(db: Connection, table: Table, path: Path) -> Entry:
    digest, rows, size = sha256(), 0, 0
    with path.open("xb") as file:
        async for page in pages(db, table, stored(table)):
            text = await asyncio.to_thread(_lines, table, page)
            digest.update(text)
            file.write(text)
            rows, size = rows + len(page), size + len(text)
    return Entry(table=table.name, rows=rows, bytes=size, sha256=digest.hexdigest())


def _lines(table: Table, page: list[Struct]) -> bytes:
    lines = [shape.encode(wire(table, row)) for row in page]
    if any(len(line) > MAX_LINE for line in lines):
        raise Refused(f"a row of {table.name} is bigger than {MAX_LINE // 2**20} MiB")
    return b"\n".join([*lines, b""])
