"""Puts a restored SQLite file where the database is, and keeps what was there.

The file itself stays, and its content changes in one transaction: a process that has it open sees
the old rows or the new ones, and no power cut leaves a mixture.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from itertools import count
from pathlib import Path

from scout_cli import files
from scout_cli.errors import Conflict, DatabaseUnavailable, Refused
from scout_cli.store.archive_dump import copy_file
from scout_cli.store.sqlite_errors import translated
from scout_cli.store.sqlite_opening import APPLICATION_ID

_SECONDS = 60.0
"""For which another process may keep the database locked."""
_BESIDE = ("", "-wal", "-shm")


def place(path: Path, fresh: Path) -> Path | None:
    """Make `fresh` the content of the database at `path`.

    Args:
        path: the database; it need not be there, and may be damaged.
        fresh: a closed SQLite database in the same folder; it may be gone afterwards.

    Returns:
        Where the old database is now, None when there was none.

    Raises:
        Refused: there is a database of another program.
        Conflict: another process makes the database at this moment.
        DatabaseUnavailable: another process keeps it locked, or the disk is full.
    """
    if not path.exists() or path.stat().st_size == 0:
        _move_in(path, fresh)
        return None
    kept = _free(path)
    if not _is_sound(path):
        for ending in _BESIDE:
            beside = path.with_name(path.name + ending)
            if beside.exists():
                beside.rename(kept.with_name(kept.name + ending))
        _move_in(path, fresh)
        return kept
    copy_file(path, kept)
    _overwrite(path, fresh)
    return kept


def _move_in(path: Path, fresh: Path) -> None:
    if path.exists():  # an empty file, which SQLite makes when it opens a database
        path.unlink()
    try:
        path.hardlink_to(fresh)
    except FileExistsError as error:
        raise Conflict(f"another process is just making {path}", hint="try again") from error
    fresh.unlink()
    files.sync_folder(path.parent)


def _is_sound(path: Path) -> bool:
    """Return whether SQLite can read the database at all.

    Raises:
        Refused: it is another program's.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            (mark,) = connection.execute("PRAGMA application_id").fetchone()
            wrong = connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
    except sqlite3.DatabaseError as error:
        if str(getattr(error, "sqlite_errorname", "")) in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            return False
        with translated():
            raise
    if mark != APPLICATION_ID:
        raise Refused(
            f"{path} is a database of another program; it was left as it is",
            hint="give scout another database_url",
        )
    return not wrong


def _free(path: Path) -> Path:
    names = (f"{path.name}.before-restore{f'-{n}' if n > 1 else ''}" for n in count(1))
    found = (path.with_name(name) for name in names)
    return next(each for each in found if not os.path.lexists(each))


def _overwrite(path: Path, fresh: Path) -> None:
    end = time.monotonic() + _SECONDS

    def patience(_status: int, remaining: int, _total: int) -> None:
        if remaining and time.monotonic() > end:
            raise TimeoutError

    with (
        translated(),
        closing(sqlite3.connect(fresh)) as source,
        closing(sqlite3.connect(path, timeout=1)) as live,
    ):
        live.execute("PRAGMA synchronous=FULL")
        try:
            source.backup(live, progress=patience)
        except TimeoutError as error:
            raise DatabaseUnavailable(
                "another process keeps the database locked", hint="stop it, then try again"
            ) from error
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
