"""PostgreSQL through asyncpg: the database of servers.

A small pool of connections; every statement outside a transaction takes one and commits by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from scout_cli.core.ports import Clock
from scout_cli.store.database import Described, Kind, Statement, Watch
from scout_cli.store.finishing import to_the_end
from scout_cli.store.outgoing import outgoing
from scout_cli.store.postgres_errors import translated
from scout_cli.store.postgres_opening import check_server, open_connections, session_settings
from scout_cli.store.postgres_pool import Connections
from scout_cli.store.postgres_url import Address, address_of
from scout_cli.store.rows import Hydrating

_SCHEMA_LOCK = 0x73636F7574


async def open_postgres(url: str, clock: Clock) -> PostgresDatabase:
    """Connect to the database that `url` names; its tables are `migrate`'s business.

    Raises:
        ConfigError: the URL cannot be used.
        DatabaseUnavailable: no server, no such database, refused, too old, or without fsync.
    """
    address = address_of(url)
    database = PostgresDatabase(await open_connections(address), address, clock)
    try:
        await check_server(database, address)
    except BaseException:  # whatever ends the opening, cancellation too: nobody else closes it
        await to_the_end(database.close())
        raise
    return database


class _Session(Hydrating):
    """What a database and a transaction of it have in common."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def kind(self) -> Kind:
        return "postgresql"

    @property
    def skip_locked(self) -> str:
        return "FOR UPDATE SKIP LOCKED"

    @property
    def share_lock(self) -> str:
        return "FOR SHARE"

    @property
    def update_lock(self) -> str:
        return "FOR UPDATE"

    @property
    def present(self) -> str:
        # Stable within a statement, unlike clock_timestamp(), so that an index may be used for it.
        return "" if getattr(self._clock, "frozen", False) else "statement_timestamp()"

    async def now(self) -> datetime:
        # One clock for all machines; tests and recordings bring a frozen one.
        if getattr(self._clock, "frozen", False):
            return self._clock.now()
        moment = await self.value(datetime, "SELECT clock_timestamp()")
        assert moment is not None
        return moment

    def uuid(self) -> UUID:
        return self._clock.uuid()

    async def has_table(self, name: str) -> bool:
        return bool(await self.value(bool, "SELECT to_regclass($1) IS NOT NULL", name))


class PostgresTransaction(_Session):
    """One transaction, or a savepoint of it."""

    def __init__(self, connection: Any, clock: Clock) -> None:
        super().__init__(clock)
        self._connection = connection

    async def rows(self, sql: str, args: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement and return its rows by column name."""
        bound = _bound(args)
        with translated():
            found: Sequence[Mapping[str, Any]] = await self._connection.fetch(sql, *bound)
        return found

    async def execute(self, sql: str, *args: Any) -> int:
        """Run one statement and return how many rows it changed."""
        bound = _bound(args)
        with translated():
            tag: str = await self._connection.execute(sql, *bound)
        last = tag.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of arguments, all or none."""
        bound = [_bound(row) for row in rows]
        with translated():
            await self._connection.executemany(sql, bound)

    async def together(self, *statements: Statement) -> None:
        """Run statements one after the other in a savepoint, all or none."""
        async with self.transaction():
            await self.in_turn(statements)

    async def in_turn(self, statements: Iterable[Statement]) -> None:
        """Run statements one after the other; the first without its row raises its error."""
        for each in statements:
            if not await self.execute(each.sql, *each.args) and each.otherwise is not None:
                raise each.otherwise()

    async def script(self, sql: str) -> None:
        """Run several statements without arguments."""
        with translated():
            await self._connection.execute(sql)

    async def lock_schema(self) -> None:
        """Wait until no other process migrates, and keep them waiting until the commit."""
        await self.script("SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '10min'")
        await self.rows("SELECT pg_advisory_xact_lock($1)", (_SCHEMA_LOCK,))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """Open a transaction on this connection, or a savepoint inside one."""
        transaction = self._connection.transaction()
        # Entered as by `async with`: of one that was started by hand the driver's pool complains,
        # on standard error, when a cancellation came while it began.
        with translated():
            await transaction.__aenter__()
        try:
            yield self
        except BaseException as error:  # a cancellation too: nothing is half done
            await to_the_end(_roll_back(transaction, error))
            raise
        with translated():
            await to_the_end(transaction.__aexit__(None, None, None))


async def _roll_back(transaction: Any, error: BaseException) -> None:
    # A connection that is gone has rolled back already; what broke it is what the caller hears.
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await transaction.__aexit__(type(error), error, error.__traceback__)


def _bound(args: Sequence[Any]) -> list[Any]:
    return [outgoing(value) for value in args]


class PostgresDatabase(_Session):
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, connections: Connections, address: Address, clock: Clock) -> None:
        super().__init__(clock)
        self._connections = connections
        self._address = address

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[PostgresTransaction]:
        async with self._connections.one() as connection:
            session = PostgresTransaction(connection, self._clock)
            session.vault = self.vault
            yield session

    async def rows(self, sql: str, args: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement and return its rows by column name."""
        async with self._session() as session:
            return await session.rows(sql, args)

    async def execute(self, sql: str, *args: Any) -> int:
        """Run one statement and return how many rows it changed."""
        async with self._session() as session:
            return await session.execute(sql, *args)

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of arguments, all or none."""
        async with self._session() as session:
            await session.executemany(sql, rows)

    async def together(self, *statements: Statement) -> None:
        """Run statements one after the other in a transaction, all or none."""
        async with self.transaction() as transaction:
            await transaction.in_turn(statements)

    async def script(self, sql: str) -> None:
        """Run several statements without arguments, all or none."""
        async with self._session() as session:
            await session.script(sql)

    async def lock_schema(self) -> None:
        """Refuse: a lock without a transaction would be gone at once."""
        raise RuntimeError("lock_schema() is for the inside of a transaction")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """Open a transaction on a connection of its own."""
        async with self._session() as session, session.transaction() as transaction:
            yield transaction

    def watch(self) -> Watch:
        """Return what notices commits of any process that changed something."""
        from scout_cli.store.postgres_watch import PostgresWatch  # noqa: PLC0415 - only servers watch

        return PostgresWatch(self._address.dsn, session_settings(self._address))

    async def describe(self) -> Described:
        """Return version, URL without its password, and size."""
        version = await self.value(str, "SELECT current_setting('server_version')")
        size = await self.value(int, "SELECT pg_database_size(current_database())")
        return Described(
            kind="postgresql",
            version=version or "",
            location=self._address.shown,
            size_bytes=size,
        )

    async def close(self) -> None:
        """Close every connection, waiting for those in use for ten seconds."""
        await to_the_end(self._connections.close())
