"""Opening a PostgreSQL database: the settings of each session, and what the server must be."""

from __future__ import annotations

import logging
import os
from typing import Any

import asyncpg

from scout_cli.errors import DatabaseUnavailable
from scout_cli.store.database import Connection
from scout_cli.store.postgres_errors import unreachable
from scout_cli.store.postgres_pool import Connections
from scout_cli.store.postgres_url import UNSAFE, Address

OLDEST = 130_000
"""The first PostgreSQL that scout runs on, as `server_version_num` writes it."""

# A server that restarts is an error of ours in two lines; the driver would add tracebacks.
logging.getLogger("asyncpg").addHandler(logging.NullHandler())
logging.getLogger("asyncpg").propagate = False

_CONNECTIONS = 10
_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 300.0
_SETTINGS = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
}


async def open_connections(address: Address) -> Connections:
    """Return connections to a database, one of them made.

    Raises:
        DatabaseUnavailable: no server, no such database, or refused.
    """
    try:
        pool = await asyncpg.create_pool(
            address.dsn,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=_CONNECT_SECONDS,
            max_inactive_connection_lifetime=_IDLE_SECONDS,
            init=_teach_json,
            reset=_keep_session,
            server_settings=session_settings(address),
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        raise unreachable(error, address) from error
    return Connections(pool)


def session_settings(address: Address) -> dict[str, str]:
    """Return the settings of each session; those that the URL names are its own."""
    wanted = {**_SETTINGS, "application_name": f"scout/{os.getpid()}"}
    return {name: value for name, value in wanted.items() if name not in address.named}


async def _keep_session(_: Any) -> None:
    """Save the round trip that resets a session after each use: nothing here changes one.

    All settings are made when connecting or are LOCAL to a transaction, locks end with it, and an
    open transaction the driver has rolled back by itself before it calls this.
    """


async def _teach_json(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, schema="pg_catalog", encoder=str, decoder=str)


async def check_server(database: Connection, address: Address) -> None:
    """Make sure that the server can be trusted with what scout stores.

    Raises:
        DatabaseUnavailable: it is too old, or loses commits when the power fails.
    """
    number = await database.value(int, "SELECT CAST(current_setting('server_version_num') AS int)")
    if (number or 0) < OLDEST:
        raise DatabaseUnavailable(
            f"{address.shown} runs PostgreSQL {(number or 0) // 10_000}; scout needs 13",
            hint="use a newer server",
            retryable=False,
        )
    fsync = await database.value(str, "SELECT current_setting('fsync')")
    if fsync == "off" and not address.unsafe:
        raise DatabaseUnavailable(
            f"{address.shown} runs with fsync off: a power cut would destroy it",
            hint=f"set fsync = on in postgresql.conf; for tests only, add ?{UNSAFE}=1",
            retryable=False,
        )
