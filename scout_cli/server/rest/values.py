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
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?: ?[Zz]|( ?[+-]| )(\d\d(?::?\d\d)?))?)?",
    re.ASCII,
)
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


def uuid(value: Any) -> UUID:
    """Return text as an identifier.

    Raises:
        RestError: it is none.
    """
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise bad_value("uuid", str(value)) from None


def moment(value: Any) -> datetime:
    """Return text as a moment, in UTC; without a zone it is in UTC already, as PostgreSQL has it.

    Source: PostgreSQL, 8.5.1.3, as far as its ISO forms go.

    Raises:
        RestError: it is none.
    """
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise bad_value("timestamp with time zone", str(value))
    day, time, sign, zone = found.groups()
    # A query string turns the plus sign of a zone into a blank.
    offset = f"{sign.strip() or '+'}{zone}" if zone else "+00:00"
    try:
        return datetime.fromisoformat(f"{day}T{time or '00:00'}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad_value("timestamp with time zone", value) from None


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


_READ: dict[Kind, Callable[[str], Any]] = {
    "uuid": uuid,
    "text": str,
    "boolean": _boolean,
    "integer": _integer,
    "moment": moment,
}
