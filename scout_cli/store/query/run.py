"""Runs a query: rows as objects that are ready to be written as JSON, linked rows inside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Raw

from scout_cli.store.database import Connection
from scout_cli.store.query import sql
from scout_cli.store.query.catalogue import Kind
from scout_cli.store.query.plan import Embed, Query, Selection

_BATCH = 500
"""Rows whose linked rows are asked for at once."""
_FIXED = len("2026-05-14T09:30:00.000000+00:00")
"""Characters of a moment as SQLite keeps it."""

Cell = tuple[str, str, Callable[[Any], Any] | None]
"""A name in the answer, the column of the result, and what makes its value ready; None for as is.
"""


class Prepared:
    """A query with the statement that reads its rows.

    Args:
        query: what is asked for.
    """

    def __init__(self, query: Query) -> None:
        self.query = query
        self._statement = sql.rows(query)
        self._cells = _cells(query.selection, "")
        self._single = [
            (embed.name, f"{sql.PREFIX}{at}_id", _cells(embed.selection, f"{sql.PREFIX}{at}_"))
            for at, embed in enumerate(query.selection.embeds)
            if not embed.link.many
        ]

    async def rows(self, db: Connection) -> list[dict[str, Any]]:
        """Return the rows that the query selects, in its order; JSON columns stay text."""
        found = await db.rows(self._statement.text, self._statement.values)
        made = [_object(row, self._cells) for row in found]
        for name, key, cells in self._single:
            for row, of in zip(made, found, strict=True):
                row[name] = None if of[key] is None else _object(of, cells)
        for at, embed in enumerate(self.query.selection.embeds):
            if embed.link.many:
                parents = [str(row[f"{sql.LINK}{at}"]) for row in found]
                await _add_many(db, self.query, embed, parents, made)
        return made


async def rows(db: Connection, query: Query) -> list[dict[str, Any]]:
    """Return the rows that a query selects; see `Prepared.rows`."""
    return await Prepared(query).rows(db)


async def count(db: Connection, query: Query) -> int:
    """Return how many rows a query selects, whatever page of them is asked for."""
    statement = sql.count(query)
    return await db.value(int, statement.text, *statement.values) or 0


async def ids(db: Connection, query: Query) -> list[UUID]:
    """Return the identifiers of the rows that a query selects."""
    statement = sql.ids(query)
    return await db.all(UUID, statement.text, *statement.values)


async def _add_many(
    db: Connection, query: Query, embed: Embed, parents: Sequence[str], made: list[dict[str, Any]]
) -> None:
    cells = _cells(embed.selection, "")
    inside: dict[str, list[dict[str, Any]]] = {parent: [] for parent in parents}
    for at in range(0, len(parents), _BATCH):
        statement = sql.many(embed, query, [UUID(each) for each in parents[at : at + _BATCH]])
        for row in await db.rows(statement.text, statement.values):
            inside[str(row[sql.LINK])].append(_object(row, cells))
    first = embed.selection.offset
    last = None if embed.selection.limit is None else first + embed.selection.limit
    for row, parent in zip(made, parents, strict=True):
        row[embed.name] = inside[parent][first:last]


def _cells(chosen: Selection, prefix: str) -> tuple[Cell, ...]:
    kinds = chosen.table.by_name
    return tuple(
        (name, prefix + name, _READY.get(kinds[column].kind)) for name, column in chosen.columns
    )


def _object(row: Mapping[str, Any], cells: Sequence[Cell]) -> dict[str, Any]:
    return {
        name: value if (value := row[key]) is None or ready is None else ready(value)
        for name, key, ready in cells
    }


def _moment(value: Any) -> str:
    """Return a moment as PostgREST writes it; clients compare them as text."""
    if isinstance(value, str) and len(value) == _FIXED:
        return value.replace(".000000", "")
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found.isoformat()


def _document(text: str) -> Raw:
    return Raw(text.encode())


_READY: dict[Kind, Callable[[Any], Any]] = {
    "boolean": bool,
    "moment": _moment,
    "document": _document,
}
"""What is not ready as the drivers bring it: SQLite has no booleans, and neither has JSON moments.
"""
