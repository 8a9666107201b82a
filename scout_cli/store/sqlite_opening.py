"""Opening an SQLite file: the settings of each connection, and whose file it is."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scout_cli.errors import DatabaseUnavailable
from scout_cli.store.finishing import to_the_end
from scout_cli.store.sqlite_errors import translated
from scout_cli.store.sqlite_file import ELSEWHERE, prepare
from scout_cli.store.sqlite_worker import Worker

OLDEST = (3, 39, 0)
"""The first SQLite with every feature that our SQL uses (`IS NOT DISTINCT FROM`)."""

APPLICATION_ID = 0x73636F75
"""Marks a file as scout's own: the bytes `scou`."""

_BUSY_SECONDS = 10.0
_PAUSE_SECONDS = 0.02
_SETTINGS = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA case_sensitive_like=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA synchronous=FULL",
)


async def open_connections(path: Path) -> tuple[Worker, Worker]:
    """Return a writing and a reading connection to `path`, creating the file if it is missing.

    Raises:
        DatabaseUnavailable: the file, its folder or this SQLite cannot be used.
    """
    check_version(sqlite3.sqlite_version_info)
    await asyncio.to_thread(prepare, path)
    writer = await _connect(path)
    try:
        await _become_ours(writer, path)
        reader = await _connect(path, "PRAGMA query_only=ON")
    except BaseException:  # a cancellation too: nobody else closes it
        await to_the_end(writer.close())
        raise
    return writer, reader


def check_version(found: tuple[int, ...]) -> None:
    """Refuse an SQLite library that is too old.

    Raises:
        DatabaseUnavailable: older than `OLDEST`.
    """
    if found < OLDEST:
        have, need = (".".join(map(str, version)) for version in (found, OLDEST))
        raise DatabaseUnavailable(
            f"this Python comes with SQLite {have}; scout needs {need}",
            hint="use a newer Python, or PostgreSQL: SCOUT_DATABASE_URL=postgresql://...",
            retryable=False,
        )


async def _connect(path: Path, *more: str) -> Worker:
    with translated():
        connection = Worker(path, _BUSY_SECONDS)
        await connection
        try:
            await to_the_end(connection.within(partial(_set_up, more=more)))
        except BaseException:  # a cancellation too: nobody else closes it
            await to_the_end(connection.close())
            raise
    return connection


def _set_up(connection: sqlite3.Connection, more: Sequence[str]) -> None:
    connection.row_factory = sqlite3.Row
    for setting in (*_SETTINGS, *more):
        connection.execute(setting).close()
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


async def _become_ours(writer: Worker, path: Path) -> None:
    with translated():
        (row,) = await writer.execute_fetchall(
            "SELECT (SELECT application_id FROM pragma_application_id) AS mark,"
            " (SELECT count(*) FROM sqlite_master) AS objects"
        )
        if row["mark"] == 0 and row["objects"] == 0:
            await writer.execute_fetchall("PRAGMA auto_vacuum=INCREMENTAL")
            await writer.execute_fetchall(f"PRAGMA application_id={APPLICATION_ID}")
        elif row["mark"] != APPLICATION_ID:
            raise DatabaseUnavailable(
                f"{path} is a database of another program; it was left as it is",
                hint=ELSEWHERE,
                retryable=False,
            )
        await _switch_to_wal(writer, path)


async def _switch_to_wal(writer: Worker, path: Path) -> None:
    # Two processes that create the file at once meet here, and SQLite does not apply its busy
    # time-out to this switch.
    for left in reversed(range(int(_BUSY_SECONDS / _PAUSE_SECONDS))):
        try:
            (row,) = await writer.execute_fetchall("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if not (left and error.sqlite_errorname.startswith("SQLITE_BUSY")):
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
    if row[0] != "wal":
        raise DatabaseUnavailable(
            f"{path}: its file system cannot hold a write-ahead log",
            hint=ELSEWHERE,
            retryable=False,
        )
