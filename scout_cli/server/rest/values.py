"""Values in the text of a filter, as the types of their columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from scout_cli.server.rest.failures import RestError, bad_value
from scout_cli.store.query.catalogue import Column, Kind

_TRUE = frozenset("true t yes y on 1".split())
_FALSE = frozenset("false f no n off 0".split())
_WORDS = {"null": "null", "true": "true", "false": "false", "unknown": "unknown"}


def of(column: Column, text: str) -> Any:
    """Return `text` as a value of `column`.

    Raises:
        RestError: it is none.
    """
    if "\0" in text:
        raise RestError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    read = _READ.get(column.kind)
    if read is None:
        raise RestError(
            400,
            "42883",
            "operator does not exist: jsonb",
            hint="a JSON column is only compared with is.null",
        )
    return read(text)


def word(column: Column, text: str) -> str:
    """Return what `is` compares with.

    Raises:
        RestError: it is no such word, or the column is no truth value.
    """
    found = _WORDS.get(text.lower())
    if found is None:
        raise RestError(400, "PGRST100", f'failed to parse "filter (is.{text[:40]})"')
    if found != "null" and column.kind != "boolean":
        raise RestError(
            400, "42804", f"argument of IS {found.upper()} must be type boolean, not type text"
        )
    return found


def pattern(column: Column, text: str) -> str:
    """Return a pattern of `like`, its stars as per cent signs.

    Raises:
        RestError: the column holds no text, or the pattern ends in a lone backslash.
    """
    if column.kind != "text":
        raise RestError(400, "42883", f"operator does not exist: {column.kind} ~~ unknown")
    made: str = of(column, text.replace("*", "%"))
    if (len(made) - len(made.rstrip("\\"))) % 2:
        raise RestError(400, "22025", "LIKE pattern must not end with escape character")
    return made


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise bad_value("uuid", text) from None


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise bad_value("boolean", text)


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,30}", text.strip(), re.ASCII):
        raise bad_value("integer", text)
    number = int(text)
    if abs(number) > 2**31 - 1:
        raise RestError(400, "22003", f'value "{text[:40]}" is out of range for type integer')
    return number


def _moment(text: str) -> datetime:
    # A query string turns the plus sign of an offset into a blank.
    try:
        found = datetime.fromisoformat(text.strip().replace(" 00:00", "+00:00"))
    except ValueError:
        raise bad_value("timestamp with time zone", text) from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


_READ: dict[Kind, Callable[[str], Any]] = {
    "uuid": _uuid,
    "text": str,
    "boolean": _boolean,
    "integer": _integer,
    "moment": _moment,
}
