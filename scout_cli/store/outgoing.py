"""Values on their way into the database: what one of the two could not store, neither is given."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from scout_cli.core import shape
from scout_cli.errors import InvalidInput
from scout_cli.store.database import Json

Stored = str | int | float | bool | bytes | datetime | UUID | None
"""What an adapter is given to bind."""

_BIGGEST = 2**63 - 1
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def outgoing(value: Any) -> Stored:
    """Return `value` as both databases can store it.

    Raises:
        InvalidInput: one of them could not.
        TypeError: a type that no column has, such as a dict that is not marked `Json`.
    """
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is Json:
        return _document(value.value)
    if kind in _AS_IT_IS:
        return cast("Stored", value)
    check = _CHECKS.get(kind)
    if check is None:
        raise TypeError(f"a {kind.__name__} cannot be a column; JSON values are marked Json(...)")
    return cast("Stored", check(value))


def _text(value: str) -> str:
    if "\0" in value:
        raise InvalidInput("text with a NUL character cannot be stored")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidInput("text with half a surrogate pair cannot be stored") from None
    return value


def _document(value: Any) -> str | None:
    if value is None:
        return None
    try:
        text = shape.encode(value).decode()
    except UnicodeEncodeError:
        raise InvalidInput("JSON with half a surrogate pair cannot be stored") from None
    except RecursionError:
        raise InvalidInput("JSON that deep cannot be stored") from None
    if text[0] not in "{[":
        # SQLite would turn a bare number into an integer of its own.
        raise InvalidInput("a JSON column holds an object or an array, not a bare value")
    if "\\u0000" in text and _ESCAPED_NUL.search(text):
        raise InvalidInput("JSON with a NUL character cannot be stored")
    return text


def _moment_in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise InvalidInput("a moment without a time zone cannot be stored")
    return value.astimezone(UTC)


def _integer(value: int) -> int:
    if not -_BIGGEST - 1 <= value <= _BIGGEST:
        raise InvalidInput("an integer beyond 64 bits cannot be stored")
    return value


def _number(value: float) -> float:
    if not math.isfinite(value):
        raise InvalidInput("a number that is not finite cannot be stored")
    return value


_AS_IT_IS = frozenset({type(None), bool, bytes, UUID})
_CHECKS: dict[type, Callable[[Any], Any]] = {
    int: _integer,
    float: _number,
    datetime: _moment_in_utc,
}
