"""Values on their way in and rows on their way out, the same for both databases."""

from __future__ import annotations

import math
import re
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, UnsetType, structs

from scout_cli.core import shape
from scout_cli.errors import ConfigError, InvalidInput
from scout_cli.store.database import Json

T = TypeVar("T")

Stored = str | int | float | bool | bytes | datetime | UUID | None
"""What an adapter is given to bind."""

_BIGGEST = 2**63 - 1
PREFIX = "enc:1:"
"""How a sealed secret begins; the id of its key comes next."""
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Column(NamedTuple):
    """How one field of a record is stored."""

    json: bool
    read: Callable[[Any], Any]
    secret: bool = False
    """Stored sealed, where the database was opened with keys."""


class Hydrating(ABC):
    """Turns whatever `rows` returns into the types that callers ask for."""

    vault: Any = None
    """Seals and opens secrets (`sealing.Vault`); None for a database opened without keys."""

    @abstractmethod
    async def rows(self, sql: str, args: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement and return its rows by column name."""

    async def all(self, of: type[T], sql: str, *args: Any) -> list[T]:
        """Return every row."""
        return hydrated(of, await self.rows(sql, args), self._clear)

    async def one(self, of: type[T], sql: str, *args: Any) -> T | None:
        """Return the first row, or None."""
        found = hydrated(of, (await self.rows(sql, args))[:1], self._clear)
        return found[0] if found else None

    async def value(self, of: type[T], sql: str, *args: Any) -> T | None:
        """Return the first column of the first row, or None."""
        return await self.one(of, sql, *args)

    def _clear(self, value: Any) -> Any:
        if isinstance(value, list):
            return [opened(self.vault, each) for each in value]
        return opened(self.vault, value)


def hydrated(
    of: type[T],
    rows: Sequence[Mapping[str, Any]],
    clear: Callable[[Any], Any] = lambda value: value,
) -> list[T]:
    """Return `rows` as records or scalars of type `of`.

    Args:
        of: what a row becomes.
        rows: by column name.
        clear: opens the value of a secret column.

    Raises:
        InvalidInput: a JSON column does not hold what its field says.
    """
    if not rows:
        return []
    if not (isinstance(of, type) and issubclass(of, Struct)):
        read = column(of).read
        return [_read(read, next(iter(row.values()))) for row in map(dict, rows)]
    try:
        return _converted(of, rows, clear)
    except msgspec.ValidationError:
        # Rows are trusted: a word that a Literal does not know yet is read all the same.
        return _read_one_by_one(of, rows, clear)


def _converted(
    of: type[T], rows: Sequence[Mapping[str, Any]], clear: Callable[[Any], Any]
) -> list[T]:
    """Return `rows` as records, made by msgspec: several times faster than value by value.

    Raises:
        ValidationError: a value that msgspec does not take for what its column is.
    """
    kind = cast("type[Struct]", of)
    plain = [dict(row) for row in rows]
    _read_documents(kind, plain)
    for name, c in columns(kind).items():
        # SQLite's identifiers are text, which msgspec reads by itself.
        apart = c.read is _uuid and type(plain[0].get(name, "")) is not str
        if not (apart or c.secret) or name not in plain[0]:
            continue
        read = _uuid if apart else clear
        for row in plain:
            if row[name]:
                row[name] = read(row[name])
    return msgspec.convert(plain, list[of], strict=False)  # type: ignore[valid-type]


def _read_documents(of: type[Struct], rows: Sequence[dict[str, Any]]) -> None:
    """Put what they say in the place of JSON texts, all of them read at once.

    Raises:
        ValidationError: one does not hold what its field says, or is no JSON.
    """
    names = tuple(name for name, c in columns(of).items() if c.json and name in rows[0])
    if not names:
        return
    texts = [",".join([row[name] or "null" for name in names]) for row in rows]
    try:
        found = _documents(of, names).decode(f"[[{'],['.join(texts)}]]")
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError) as error:
        raise msgspec.ValidationError(str(error)) from error
    for row, values in zip(rows, found, strict=True):
        row.update(zip(names, values, strict=True))


@cache
def _documents(of: type[Struct], names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Return what reads the JSON columns `names` of many rows."""
    types_ = {field.name: field.type for field in structs.fields(of)}
    # Exactly so many in a row: a text that is two documents is noticed.
    return msgspec.json.Decoder(list[tuple[tuple(types_[name] for name in names)]])  # type: ignore[misc]


def _read_one_by_one(
    of: type[T], rows: Sequence[Mapping[str, Any]], clear: Callable[[Any], Any]
) -> list[T]:
    present = set(rows[0].keys())
    table = {name: c for name, c in columns(cast("type[Struct]", of)).items() if name in present}
    readers = {name: _opening(c.read, clear) if c.secret else c.read for name, c in table.items()}
    build = cast("Callable[..., T]", of)
    return [build(**{name: _read(r, row[name]) for name, r in readers.items()}) for row in rows]


def _opening(read: Callable[[Any], Any], clear: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: clear(read(value))


def opened(vault: Any, text: str) -> str:
    """Return a stored secret in clear; one that older versions stored in clear comes as it is.

    Args:
        vault: a `sealing.Vault`, or None.
        text: what is stored.

    Raises:
        ConfigError: its key is not here, or it is damaged.
    """
    if not text.startswith(PREFIX):
        return text
    if vault is None:
        raise ConfigError(
            "the database holds encrypted secrets, and it was opened without keys",
            hint="scout keys list tells which keys are here",
        )
    clear: str = vault.open(text)
    return clear


def key_id_of(text: str) -> str:
    """Return the id of the key that a secret was sealed with, empty for one in clear."""
    return text[len(PREFIX) :].partition(":")[0] if text.startswith(PREFIX) else ""


def _read(read: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else read(value)


@cache
def columns(of: type[Struct]) -> dict[str, Column]:
    """Return the columns of a record, by field name."""
    return {field.name: column(field.type) for field in structs.fields(of)}


def column(annotation: Any) -> Column:
    """Return how a value of this type is stored."""
    plain, secret = _plain(annotation), _is_secret(annotation)
    if plain in _SCALARS:
        return Column(json=False, read=_SCALARS[plain], secret=secret)
    return Column(json=True, read=_json_reader(annotation), secret=secret)


def _json_reader(annotation: Any) -> Callable[[Any], Any]:
    decoder = msgspec.json.Decoder(annotation)

    def read(text: Any) -> Any:
        try:
            return decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise InvalidInput(f"a JSON column: {error}") from error

    return read


def _is_secret(annotation: Any) -> bool:
    """Return whether `core.models.Secret` stands anywhere in a type."""
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) is Annotated:
        return any(isinstance(each, Meta) and (each.extra or {}).get("secret") for each in inner)
    return any(_is_secret(each) for each in inner)


def _plain(annotation: Any) -> Any:
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _plain(typing.get_args(annotation)[0])
    if origin is Literal:
        return type(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        members = [
            member
            for member in typing.get_args(annotation)
            if member not in (types.NoneType, UnsetType)
        ]
        return _plain(members[0]) if len(members) == 1 else annotation
    return annotation


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _uuid(value: Any) -> UUID:
    # asyncpg brings a subclass of its own, which other libraries do not know.
    return UUID(int=value.int) if isinstance(value, UUID) else UUID(value)


_SCALARS: dict[Any, Callable[[Any], Any]] = {
    str: str,
    int: int,
    float: float,
    bool: bool,
    bytes: bytes,
    datetime: _moment,
    UUID: _uuid,
}


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
