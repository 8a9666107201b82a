"""Runs a query: rows as plain objects, linked rows inside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from msgspec import Struct, defstruct

from scout_cli.store.database import Connection
from scout_cli.store.query import sql
from scout_cli.store.query.catalogue import Kind
from scout_cli.store.query.plan import Embed, Query, Selection

_TYPES: dict[Kind, Any] = {
    "uuid": UUID,
    "text": str,
    "boolean": bool,
    "integer": int,
    "moment": datetime,
    "document": dict[str, Any] | list[Any],
}
_BATCH = 500
"""Rows whose linked rows are asked for at once."""


async def rows(db: Connection, query: Query) -> list[dict[str, Any]]:
    """Return the rows that a query selects, in its order."""
    chosen = query.selection
    statement = sql.rows(query)
    found = await db.all(_row_type(chosen), statement.text, *statement.values)
    made = [_plain(row, chosen) for row in found]
    for at, embed in enumerate(chosen.embeds):
        if embed.link.many:
            await _add_many(
                db, query, embed, [getattr(row, f"{sql.LINK}{at}") for row in found], made
            )
    return made


async def count(db: Connection, query: Query) -> int:
    """Return how many rows a query selects, whatever page of them is asked for."""
    statement = sql.count(query)
    return await db.value(int, statement.text, *statement.values) or 0


async def ids(db: Connection, query: Query) -> list[UUID]:
    """Return the identifiers of the rows that a query selects."""
    statement = sql.ids(query)
    return await db.all(UUID, statement.text, *statement.values)


async def _add_many(
    db: Connection, query: Query, embed: Embed, parents: Sequence[UUID], made: list[dict[str, Any]]
) -> None:
    inside: dict[UUID, list[dict[str, Any]]] = {parent: [] for parent in parents}
    for at in range(0, len(parents), _BATCH):
        statement = sql.many(embed, query, parents[at : at + _BATCH])
        found = await db.all(_linked_type(embed.selection), statement.text, *statement.values)
        for each in found:
            inside[getattr(each, sql.LINK)].append(_columns(each, embed.selection, ""))
    first = embed.selection.offset
    last = None if embed.selection.limit is None else first + embed.selection.limit
    for row, parent in zip(made, parents, strict=True):
        row[embed.name] = inside[parent][first:last]


def _plain(row: Struct, chosen: Selection) -> dict[str, Any]:
    made = _columns(row, chosen, "")
    for at, embed in enumerate(chosen.embeds):
        if not embed.link.many:
            there = getattr(row, f"{sql.PREFIX}{at}_id") is not None
            made[embed.name] = (
                _columns(row, embed.selection, f"{sql.PREFIX}{at}_") if there else None
            )
    return made


def _columns(row: Struct, chosen: Selection, prefix: str) -> dict[str, Any]:
    return {name: _shown(getattr(row, prefix + name)) for name, _ in chosen.columns}


def _shown(value: Any) -> Any:
    # As PostgREST writes moments; clients compare them as text.
    return value.isoformat() if isinstance(value, datetime) else value


def _row_type(chosen: Selection) -> type[Struct]:
    fields = list(_fields(chosen, ""))
    for at, embed in enumerate(chosen.embeds):
        fields.append((f"{sql.LINK}{at}", "uuid"))
        if not embed.link.many:
            fields.append((f"{sql.PREFIX}{at}_id", "uuid"))
            fields += _fields(embed.selection, f"{sql.PREFIX}{at}_")
    return _struct(tuple(dict(fields).items()))


def _linked_type(chosen: Selection) -> type[Struct]:
    return _struct((*_fields(chosen, ""), (sql.LINK, "uuid")))


def _fields(chosen: Selection, prefix: str) -> list[tuple[str, Kind]]:
    kinds = chosen.table.by_name
    return [(prefix + name, kinds[column].kind) for name, column in chosen.columns]


@lru_cache(maxsize=256)
def _struct(fields: tuple[tuple[str, Kind], ...]) -> type[Struct]:
    """Return what a row is read as; clients ask for few combinations, again and again."""
    return defstruct("Row", [(name, _TYPES[kind] | None, None) for name, kind in fields])
