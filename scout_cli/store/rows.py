"""Rows on their way out of the database, as the types that callers ask for."""

from __future__ import annotations

import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, UnsetType, structs

from scout_cli.errors import ConfigError, InvalidInput

T = TypeVar("T")

PREFIX = "enc:1:"
"""How a sealed secret begins; the id of its key comes next."""


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
        kind: Any = of
        read = _scalar(kind)
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
        # msgspec reads identifiers in SQLite's form by itself, but not those of asyncpg's own type.
        apart = c.read is _uuid and type(plain[0].get(name, "")) is not str
        if not (apart or c.secret) or name not in plain[0]:
            continue
        read = str if apart else clear
        for row in plain:
            if row[name]:
                row[name] = read(row[name])
    return msgspec.convert(plain, list[of], strict=False)  # type: ignore[valid-type]


def _read_documents(of: type[Struct], rows: Sequence[dict[str, Any]]) -> None:
    """Put what they say in the place of JSON texts, a column of them read at once.

    Raises:
        ValidationError: one does not hold what its field says, or is no JSON.
    """
    for name, c in columns(of).items():
        if not c.json or name not in rows[0]:
            continue
        texts = [row[name] or "null" for row in rows]
        try:
            found = _documents(of, name).decode(f"[{','.join(texts)}]")
        except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError) as error:
            raise msgspec.ValidationError(str(error)) from error
        if len(found) != len(rows):
            raise msgspec.ValidationError(f"{name}: a text is not one document")
        for row, value in zip(rows, found, strict=True):
            row[name] = value


@cache
def _documents(of: type[Struct], name: str) -> msgspec.json.Decoder[list[Any]]:
    """Return what reads the JSON column `name` of many rows."""
    (kind,) = (field.type for field in structs.fields(of) if field.name == name)
    return msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]


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


@cache
def _scalar(of: Any) -> Callable[[Any], Any]:
    return column(of).read


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
