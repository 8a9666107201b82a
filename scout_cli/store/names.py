"""The names of the saved scouts, quickly, for Tab: no migration, no pool, nothing created.

Whoever presses Tab waits, so this reads past the adapters: a SQLite file through the standard
library, a PostgreSQL server within a bounded time. What cannot be read has no names.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import NamedTuple

from scout_cli.errors import ConfigError
from scout_cli.plug import scheme_of
from scout_cli.store.sqlite_file import path_of

_WAIT_SECONDS = 0.3
"""Longer, and the shell would seem to hang."""
_SQL = """
    SELECT CAST(scouts.id AS TEXT) AS id, title, schedule, is_active
    FROM scouts JOIN users ON users.id = scouts.user_id
    WHERE users.is_local ORDER BY title, scouts.id
"""


class Named(NamedTuple):
    """A scout, as far as Tab needs it."""

    id: str
    title: str
    schedule: str
    active: bool


def saved(url: str) -> list[Named]:
    """Return the scouts of the local owner by title; none when they cannot be read in time.

    Args:
        url: the `database_url` setting.
    """
    try:
        if scheme_of(url) == "sqlite":
            return _in_file(url)
        if scheme_of(url) in ("postgresql", "postgres"):
            return _on_server(url)
    except ConfigError:
        return []
    return []


def _in_file(url: str) -> list[Named]:
    # "rw" creates no file either, and clears away the write-ahead log that "ro" would leave.
    address = f"{path_of(url).as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=_WAIT_SECONDS)) as connection:
            connection.execute("PRAGMA query_only=ON")
            return [Named(*row) for row in connection.execute(_SQL)]
    except sqlite3.Error:
        return []


def _on_server(url: str) -> list[Named]:
    import asyncio  # noqa: PLC0415 - 40 ms that a SQLite file does not need

    import asyncpg  # noqa: PLC0415 - see above

    from scout_cli.store.postgres_url import address_of  # noqa: PLC0415 - see above

    dsn = address_of(url).dsn

    async def ask() -> list[Named]:
        async with asyncio.timeout(_WAIT_SECONDS):
            connection = await asyncpg.connect(dsn, timeout=_WAIT_SECONDS)
            try:
                return [Named(*row) for row in await connection.fetch(_SQL)]
            finally:
                connection.terminate()

    try:
        return asyncio.run(ask())
    except (TimeoutError, OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return []
