"""What the thread of the writing connection does in one turn: whole transactions.

Every turn costs two switches between threads, so the calls that belong together make one. What
several tasks bring while the connection is busy shares a commit, and with it one `fsync`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import aiosqlite

from scout_cli.errors import ScoutError
from scout_cli.store.sqlite_errors import translated

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]
"""Runs in the thread of a connection, inside a transaction that it neither begins nor ends.

It may be run twice, the second time after the first was rolled back.
"""
Bound = Mapping[str, Any]
"""Arguments of one statement by their number, as SQLite reads `$1`."""


class Worker(aiosqlite.Connection):
    """A connection that also runs functions of ours in its thread.

    Args:
        path: the file.
        seconds: how long a statement waits for another process.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        def connect() -> sqlite3.Connection:
            return sqlite3.connect(path, isolation_level=None, timeout=seconds)

        super().__init__(connect, iter_chunk_size=64)

    def within(self, work: Work[T]) -> asyncio.Future[T]:
        """Run `work` in the thread; once it has begun it ends, even when the caller is cancelled.

        A future and no coroutine: what must see the end of it waits without a task in between.

        Raises:
            ValueError: the connection is closed.
        """
        if not self._running:
            raise ValueError("Connection closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(work, self._conn)))
        return future


class Order(Generic[T]):
    """Work that waits for a transaction.

    Args:
        work: what to do in it.
    """

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._error: Exception | None = None
        self._result: list[T] = []

    @property
    def settled(self) -> bool:
        """Return whether it was committed or has failed."""
        return bool(self._result) or self._error is not None

    def run(self, connection: sqlite3.Connection) -> None:
        """Do the work in the transaction that is open."""
        self._result = [self._work(connection)]

    def fail(self, error: Exception) -> None:
        """Note why nothing of the work was kept."""
        self._result, self._error = [], error

    def outcome(self) -> T:
        """Return what the work returned.

        Raises:
            Exception: why nothing of it was kept, in scout's words where it has some.
        """
        with translated():
            if self._error is not None:
                raise self._error
        return self._result[0]


def settle(connection: sqlite3.Connection, orders: Sequence[Order[Any]]) -> None:
    """Commit `orders` together; when one of them spoils that, each by itself."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        for order in orders:
            order.fail(error)
        return
    spoilt = _commit(connection, orders)
    if spoilt is None:
        return
    if len(orders) == 1:
        orders[0].fail(spoilt)
        return
    for order in orders:
        settle(connection, [order])


def _commit(connection: sqlite3.Connection, orders: Sequence[Order[Any]]) -> Exception | None:
    """Do the work of `orders` and commit; return why nothing was kept, if so."""
    try:
        for order in orders:
            order.run(connection)
        connection.commit()
    except Exception as error:  # noqa: BLE001 - `outcome` raises it where the work was ordered
        connection.rollback()
        return error
    return None


def atomically(work: Work[T]) -> Work[T]:
    """Return `work` in a savepoint, for use in a transaction that goes on when it fails."""

    def protected(connection: sqlite3.Connection) -> T:
        connection.execute("SAVEPOINT turn")
        try:
            done = work(connection)
        except BaseException:  # whatever it was, nothing of it is kept
            # After a full disk SQLite has rolled back everything, the savepoint included.
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK TO turn")
                connection.execute("RELEASE turn")
            raise
        connection.execute("RELEASE turn")
        return done

    return protected


def fetched(sql: str, bound: Bound) -> Work[list[Mapping[str, Any]]]:
    """Return the work of running one statement for its rows."""

    def run(connection: sqlite3.Connection) -> list[Mapping[str, Any]]:
        cursor = connection.execute(sql, bound)
        # As tuples: `sqlite3.Row` finds every column by going through all their names.
        cursor.row_factory = None
        rows = cursor.fetchall()
        names = [each[0] for each in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    return run


def changed(sql: str, bound: Bound) -> Work[int]:
    """Return the work of running one statement for how many rows it changes."""

    def run(connection: sqlite3.Connection) -> int:
        cursor = connection.execute(sql, bound)
        count = cursor.rowcount
        cursor.close()
        return max(count, 0)

    return run


def repeated(sql: str, rows: Sequence[Bound]) -> Work[None]:
    """Return the work of running one statement for each row of arguments."""

    def run(connection: sqlite3.Connection) -> None:
        connection.executemany(sql, rows).close()

    return run


def in_turn(
    statements: Iterable[tuple[str, Bound, Callable[[], ScoutError] | None]],
) -> Work[None]:
    """Return the work of running statements one after the other.

    Each is text, arguments, and what makes the error when it neither returns nor changes a row.
    """
    listed = list(statements)

    def run(connection: sqlite3.Connection) -> None:
        for sql, bound, otherwise in listed:
            cursor = connection.execute(sql, bound)
            met = bool(cursor.fetchall()) if cursor.description else cursor.rowcount > 0
            cursor.close()
            if not met and otherwise is not None:
                raise otherwise()

    return run
