"""SQLite through aiosqlite: the embedded default.

One connection writes, behind a lock and always in BEGIN IMMEDIATE (a transaction that reads first
and then wants to write fails at once otherwise, whatever the time-out); another one only reads.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosqlite

from scout_cli.core.ports import Clock
from scout_cli.store.database import Described, Kind
from scout_cli.store.finishing import to_the_end
from scout_cli.store.rows import Hydrating, outgoing
from scout_cli.store.sqlite_errors import translated
from scout_cli.store.sqlite_file import path_of
from scout_cli.store.sqlite_opening import open_connections

_READS = re.compile(r"\s*(SELECT|EXPLAIN)\b", re.IGNORECASE)


async def open_sqlite(url: str, clock: Clock) -> SqliteDatabase:
    """Open, and create if missing, the file that `url` names; its tables are `migrate`'s business.

    Raises:
        ConfigError: the URL cannot be used.
        DatabaseUnavailable: the file, its folder or this SQLite cannot be used.
    """
    path = path_of(url)
    writer, reader = await open_connections(path)
    return SqliteDatabase(path, writer, reader, clock)


def _bound(args: Sequence[Any]) -> dict[str, Any]:
    # SQLite reads `$1` as a parameter *named* 1, so asyncpg's spelling needs no translation.
    return {str(number): _binding(value) for number, value in enumerate(args, 1)}


def _binding(value: Any) -> Any:
    plain = outgoing(value)
    if isinstance(plain, datetime):
        # Fixed width, so that text sorts like time.
        return plain.isoformat(timespec="microseconds")
    return str(plain) if isinstance(plain, UUID) else plain


class _Session(Hydrating):
    """What a database and a transaction of it have in common."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def kind(self) -> Kind:
        return "sqlite"

    @property
    def skip_locked(self) -> str:
        return ""

    @property
    def share_lock(self) -> str:
        return ""

    async def now(self) -> datetime:
        return self._clock.now()

    def uuid(self) -> UUID:
        return self._clock.uuid()

    async def has_table(self, name: str) -> bool:
        sql = "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = $1"
        return bool(await self.value(int, sql, name))


class SqliteTransaction(_Session):
    """One transaction on the writing connection, or a savepoint of it."""

    def __init__(self, connection: aiosqlite.Connection, clock: Clock) -> None:
        super().__init__(clock)
        self._connection: aiosqlite.Connection | None = connection
        self._depth = 0

    @property
    def _open(self) -> aiosqlite.Connection:
        if self._connection is None:
            raise RuntimeError("this transaction has ended")
        return self._connection

    def end(self) -> None:
        """Refuse every further statement: outside its block there is no transaction."""
        self._connection = None

    async def rows(self, sql: str, args: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement and return its rows by column name."""
        with translated():
            return _mappings(await self._open.execute_fetchall(sql, _bound(args)))

    async def execute(self, sql: str, *args: Any) -> int:
        """Run one statement and return how many rows it changed."""
        with translated():
            cursor = await self._open.execute(sql, _bound(args))
            changed = cursor.rowcount
            await cursor.close()
        return max(changed, 0)

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of arguments, all or none."""
        bound = [_bound(row) for row in rows]
        async with self.transaction():
            with translated():
                cursor = await self._open.executemany(sql, bound)
                await cursor.close()

    async def script(self, sql: str) -> None:
        """Run several statements without arguments."""
        for statement in split(sql):
            await self.execute(statement)

    async def lock_schema(self) -> None:
        """Nothing to do: BEGIN IMMEDIATE keeps every other writer out."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteTransaction]:
        """Open a savepoint."""
        self._depth += 1
        name = f"depth_{self._depth}"
        try:
            await self.execute(f"SAVEPOINT {name}")
            yield self
            await to_the_end(self.execute(f"RELEASE {name}"))
        except BaseException:
            await to_the_end(self._undo(name))
            raise
        finally:
            self._depth -= 1

    async def _undo(self, name: str) -> None:
        # After a full disk SQLite has rolled back everything by itself, the savepoint included.
        with suppress(sqlite3.Error):
            await self.execute(f"ROLLBACK TO {name}")
            await self.execute(f"RELEASE {name}")


class SqliteDatabase(_Session):
    """An open SQLite file."""

    def __init__(
        self,
        path: Path,
        writer: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        clock: Clock,
    ) -> None:
        super().__init__(clock)
        self._path = path
        self._writer = writer
        self._reader = reader
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[Any] | None = None

    async def rows(self, sql: str, args: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement and return its rows; whatever is not a SELECT goes to the writer."""
        if not _READS.match(sql):
            async with self.transaction() as transaction:
                return await transaction.rows(sql, args)
        with translated():
            return _mappings(await self._reader.execute_fetchall(sql, _bound(args)))

    async def execute(self, sql: str, *args: Any) -> int:
        """Run one statement in its own transaction and return how many rows it changed."""
        async with self.transaction() as transaction:
            return await transaction.execute(sql, *args)

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of arguments, all or none."""
        async with self.transaction() as transaction:
            await transaction.executemany(sql, rows)

    async def script(self, sql: str) -> None:
        """Run several statements without arguments, all or none."""
        async with self.transaction() as transaction:
            await transaction.script(sql)

    async def lock_schema(self) -> None:
        """Refuse: a lock without a transaction would be gone at once."""
        raise RuntimeError("lock_schema() is for the inside of a transaction")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteTransaction]:
        """Open the one writing transaction of this process, waiting for the one before it."""
        if self._holder is not None and self._holder is asyncio.current_task():
            raise RuntimeError("this task is inside a transaction: use that one, it would wait")
        async with self._lock:
            self._holder = asyncio.current_task()
            transaction = SqliteTransaction(self._writer, self._clock)
            try:
                with translated():
                    await self._writer.execute_fetchall("BEGIN IMMEDIATE")
                yield transaction
                with translated():
                    await to_the_end(self._writer.commit())
            except BaseException:
                # Queued behind whatever statement was cancelled, so it sees its effect.
                await to_the_end(self._writer.rollback())
                raise
            finally:
                transaction.end()
                self._holder = None

    async def describe(self) -> Described:
        """Return version, file and its size with the write-ahead log."""
        names = (self._path, self._path.with_name(self._path.name + "-wal"))
        size = sum(path.stat().st_size for path in names if path.exists())
        version = sqlite3.sqlite_version
        return Described(kind="sqlite", version=version, location=str(self._path), size_bytes=size)

    async def close(self) -> None:
        """Wait for the running transaction, then close both connections."""
        async with self._lock:
            await to_the_end(self._close())

    async def _close(self) -> None:
        await self._reader.close()
        with suppress(sqlite3.Error, ValueError):
            await self._writer.execute_fetchall("PRAGMA optimize")
        await self._writer.close()


def _mappings(rows: Iterable[sqlite3.Row]) -> list[Mapping[str, Any]]:
    return [dict(row) for row in rows]


def split(script: str) -> Iterator[str]:
    """Yield the statements of a script; trigger bodies and quoted semicolons stay whole."""
    pending = ""
    for piece in script.split(";"):
        pending += piece + ";"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip("; \n\t"):
        yield pending.removesuffix(";")
