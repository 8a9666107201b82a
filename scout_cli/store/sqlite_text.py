"""What SQLite is given: arguments in the forms that it stores, and scripts one statement a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from scout_cli.store.outgoing import outgoing


def bound(args: Sequence[Any]) -> dict[str, Any]:
    """Return arguments by their number.

    SQLite reads `$1` as a parameter *named* 1, so asyncpg's spelling needs no translation.

    Raises:
        InvalidInput: one that cannot be stored.
    """
    return {str(number): _binding(value) for number, value in enumerate(args, 1)}


def _binding(value: Any) -> Any:
    plain = outgoing(value)
    written = _WRITTEN.get(type(plain))
    return plain if written is None else written(plain)


def _moment(value: datetime) -> str:
    # Fixed width, so that text sorts like time.
    return value.isoformat(timespec="microseconds")


_WRITTEN: dict[type, Callable[[Any], str]] = {datetime: _moment, UUID: str}
"""What SQLite has no type for."""


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
