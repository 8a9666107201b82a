"""SQLite through aiosqlite: the embedded default.

One connection writes, behind a lock and always in BEGIN IMMEDIATE (a transaction that reads first
and then wants to write fails at once otherwise, whatever the time-out); another one only reads.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from scout_cli.core.ports import Clock
from scout_cli.store.database import Described, Kind, Statement, Watch
from scout_cli.store.finishing import to_the_end
from scout_cli.store.rows import Hydrating
from scout_cli.store.sqlite_errors import translated
from scout_cli.store.sqlite_file import path_of
from scout_cli.store.sqlite_opening import open_connections
from scout_cli.store.sqlite_text import bound, split
from scout_cli.store.sqlite_worker import (
    Order,
    Work,
    Worker,
    atomically,
    changed,
    fetched,
    in_turn,
    repeated,
    settle,
)

T = TypeVar("T")

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

    @property
    def update_lock(self) -> str:
        return ""

    @property
    def present(self) -> str:
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

    def __init__(self, connection: Worker, clock: Clock) -> None:
        super().__init__(clock)
        self._connection: Worker | None = connection
        self._depth = 0

    async def _do(self, work: Work[T]) -> T:
        if self._connection is None:
            raise RuntimeError("this transaction has ended")
        with translated():
            return await self._connection.within(work)

    def end(self) -> None:
        """Refuse every further statement: outside its block there is no transaction."""
        self._connection = None

    async def rows(self, sql: str, args: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement and return its rows by column name."""
        return await self._do(fetched(sql, bound(args)))

    async def execute(self, sql: str, *args: Any) -> int:
        """Run one statement and return how many rows it changed."""
        return await self._do(changed(sql, bound(args)))

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of arguments, all or none."""
        await self._do(atomically(_repeated(sql, rows)))

    async def together(self, *statements: Statement) -> None:
        """Run statements one after the other in a savepoint, all or none."""
        await self._do(atomically(_in_turn(statements)))

    async def script(self, sql: str) -> None:
        """Run several statements without arguments."""
        await self._do(in_turn((each, {}, None) for each in split(sql)))

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
        except BaseException:  # a cancellation too: nothing is half done
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

    def __init__(self, path: Path, writer: Worker, reader: Worker, clock: Clock) -> None:
        super().__init__(clock)
        self._path = path
        self._writer = writer
        self._reader = reader
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[Any] | None = None
        self._orders: list[Order[Any]] = []

    async def rows(self, sql: str, args: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement and return its rows; whatever is not a SELECT goes to the writer."""
        work = fetched(sql, bound(args))
        if not _READS.match(sql):
            return await self._write(work)
        with translated():
            return await self._reader.within(work)

    async def execute(self, sql: str, *args: Any) -> int:
        """Run one statement in its own transaction and return how many rows it changed."""
        return await self._write(changed(sql, bound(args)))

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of arguments, all or none."""
        await self._write(_repeated(sql, rows))

    async def together(self, *statements: Statement) -> None:
        """Run statements one after the other in a transaction, all or none."""
        await self._write(_in_turn(statements))

    async def script(self, sql: str) -> None:
        """Run several statements without arguments, all or none."""
        await self._write(in_turn((each, {}, None) for each in split(sql)))

    async def _write(self, work: Work[T]) -> T:
        """Do `work` in a transaction; what waits at the same time is committed with it."""
        self._refuse_holder()
        order = Order(work)
        self._orders.append(order)
        try:
            async with self._lock:
                if not order.settled:
                    await self._settle(order)
        finally:
            if order in self._orders:  # cancelled before its turn
                self._orders.remove(order)
        return order.outcome()

    async def _settle(self, first: Order[Any]) -> None:
        others = [order for order in self._orders if order is not first]
        self._orders.clear()
        self._holder = asyncio.current_task()
        try:
            await to_the_end(self._writer.within(partial(settle, orders=[first, *others])))
        finally:
            self._holder = None

    def _refuse_holder(self) -> None:
        if self._holder is not None and self._holder is asyncio.current_task():
            raise RuntimeError("this task is inside a transaction: use that one, it would wait")

    async def lock_schema(self) -> None:
        """Refuse: a lock without a transaction would be gone at once."""
        raise RuntimeError("lock_schema() is for the inside of a transaction")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteTransaction]:
        """Open the one writing transaction of this process, waiting for the one before it."""
        self._refuse_holder()
        async with self._lock:
            self._holder = asyncio.current_task()
            transaction = SqliteTransaction(self._writer, self._clock)
            transaction.vault = self.vault
            try:
                with translated():
                    await self._writer.execute_fetchall("BEGIN IMMEDIATE")
                yield transaction
                with translated():
                    await to_the_end(self._writer.commit())
            except BaseException:  # a cancellation too: nothing is half done
                # Queued behind whatever statement was cancelled, so it sees its effect.
                await to_the_end(self._writer.rollback())
                raise
            finally:
                transaction.end()
                self._holder = None

    def watch(self) -> Watch:
        """Return what notices commits of any process to the file."""
        from scout_cli.store.sqlite_watch import SqliteWatch  # noqa: PLC0415 - only servers watch

        return SqliteWatch(self._path)

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


def _repeated(sql: str, rows: Iterable[Sequence[Any]]) -> Work[None]:
    return repeated(sql, [bound(row) for row in rows])


def _in_turn(statements: Iterable[Statement]) -> Work[None]:
    return in_turn((each.sql, bound(each.args), each.otherwise) for each in statements)
