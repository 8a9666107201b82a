"""What SQLite says, in scout's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from scout_cli.errors import Conflict, DatabaseUnavailable, InvalidInput, NotFound, ScoutError

_OUTSIDE = {
    "SQLITE_FULL": ("the disk is full", "free some space, then try again"),
    "SQLITE_READONLY": ("the database may only be read", "check owner and mode of the file"),
    "SQLITE_CANTOPEN": ("the database cannot be opened", "check owner and mode of its folder"),
    "SQLITE_PERM": ("the database may not be used", "check owner and mode of the file"),
    "SQLITE_IOERR": ("the disk failed while the database was used", "check the disk"),
    "SQLITE_CORRUPT": ("the database file is damaged", "restore it from a backup"),
    "SQLITE_NOTADB": ("the file is not an SQLite database", "check database_url"),
}
_UNSTORABLE = ("SQLITE_TOOBIG", "SQLITE_MISMATCH", "SQLITE_RANGE")


@contextmanager
def translated() -> Iterator[None]:
    """Raise scout's own error for what SQLite reports; a mistake in SQL text stays as it is."""
    try:
        yield
    except sqlite3.Error as error:
        ours = _ours(error)
        if ours is None:
            raise
        raise ours from error


def _ours(error: sqlite3.Error) -> ScoutError | None:
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith("SQLITE_CONSTRAINT"):
        return _constraint(name, str(error))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseUnavailable(
            "another process kept the database locked for too long", hint="try again"
        )
    if str(error).startswith("no such table"):
        return DatabaseUnavailable(
            "the database has no tables of this version of scout",
            hint="run `scout init-db`",
            retryable=False,
        )
    for start, (message, hint) in _OUTSIDE.items():
        if name.startswith(start):
            return DatabaseUnavailable(message, hint=hint, retryable=False)
    return InvalidInput("a value is too big to be stored") if name in _UNSTORABLE else None


def _constraint(name: str, text: str) -> ScoutError:
    # SQLite names the columns or the constraint after the colon, never the values.
    where = text.partition(": ")[2]
    if name.endswith(("_UNIQUE", "_PRIMARYKEY", "_ROWID")):
        return Conflict(f"it is already there ({where})")
    if name.endswith("_FOREIGNKEY"):
        return NotFound("it belongs to something that is not there (any more)")
    return InvalidInput(f"the database refuses a value ({where})")
