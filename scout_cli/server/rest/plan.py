"""From what is asked to what may be answered: every name is looked up in the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core.models import Record
from scout_cli.server.rest import values
from scout_cli.server.rest.asked import Asked, Embedded, Filter, Joined, Key, Part, Picked, Test
from scout_cli.server.rest.failures import RestError, denied, no_column, unparsable
from scout_cli.store.query.catalogue import TABLES, Column, Link, Role, Table
from scout_cli.store.query.plan import (
    Clause,
    Condition,
    Embed,
    Group,
    Operator,
    Order,
    Query,
    Selection,
)
from scout_cli.store.query.sql import LINK, PREFIX

MAX_ROWS = 1_000
"""Rows of one answer; the service key gets all of them."""


class Viewer(Record, frozen=True, kw_only=True):
    """Who asks."""

    role: Role
    user_id: UUID | None = None
    """None for nobody, and for the service key."""
    actor: str = ""
    """How the log names them."""
    writes: bool = True
    """False for a token that may only read."""


def table_of(name: str) -> Table:
    """Return a table of the interface.

    Raises:
        RestError: there is none.
    """
    if name not in TABLES:
        raise RestError(
            404,
            "PGRST205",
            f"Could not find the table 'public.{name[:100]}' in the schema cache",
        )
    return TABLES[name]


def query(table: Table, asked: Asked, viewer: Viewer) -> Query:
    """Return the query for a request.

    Raises:
        RestError: a name or a value that cannot be used.
    """
    selection = _selection(table, asked.select, asked.root, asked, viewer)
    if viewer.role != "service":
        asked_for = MAX_ROWS if selection.limit is None else selection.limit
        selection = replace(selection, limit=min(asked_for, MAX_ROWS))
    return Query(selection=selection, owner=viewer.user_id, nobody=viewer.role == "anon")


def _selection(
    table: Table, items: Iterable[Picked | Embedded], part: Part, asked: Asked, viewer: Viewer
) -> Selection:
    picked, embeds = [], []
    for item in items:
        if isinstance(item, Embedded):
            embeds.append(_embed(table, item, asked, viewer))
        else:
            picked += _picked(table, item, viewer)
    strangers = set(asked.parts) - {embed.name for embed in embeds}
    if strangers and part is asked.root:
        name = min(strangers)
        raise RestError(
            400, "PGRST108", f"'{name[:100]}' is not an embedded resource in this request"
        )
    return Selection(
        table=table,
        columns=tuple(dict(picked).items()),
        where=Group(members=tuple(_clause(table, each, viewer) for each in part.filters)),
        order=tuple(_order(table, key, viewer) for key in part.order),
        limit=part.limit,
        offset=part.offset,
        embeds=tuple(embeds),
    )


def _picked(table: Table, item: Picked, viewer: Viewer) -> list[tuple[str, str]]:
    if item.column == "*":
        return [(c.name, c.name) for c in table.columns if viewer.role in _readers(c)]
    column = _readable(table, item.column, viewer)
    if item.alias.startswith((LINK, PREFIX)):
        raise unparsable('"select parameter"', f"{item.alias} is taken")
    return [(item.alias or column.name, column.name)]


def _embed(table: Table, item: Embedded, asked: Asked, viewer: Viewer) -> Embed:
    link = _link(table, item.table)
    name = item.alias or item.table
    part = asked.parts.get(name, Part())
    selection = _selection(TABLES[link.table], item.items, part, asked, viewer)
    return Embed(name=name, link=link, inner=item.inner, selection=selection)


def _link(table: Table, name: str) -> Link:
    for link in table.links:
        if link.table == name:
            return link
    raise RestError(
        400,
        "PGRST200",
        f"Could not find a relationship between '{table.name}' and '{name[:100]}' "
        "in the schema cache",
    )


def _clause(table: Table, given: Filter, viewer: Viewer) -> Clause:
    if isinstance(given, Joined):
        members = tuple(_clause(table, member, viewer) for member in given.members)
        return Group(joined=given.word, members=members, negated=given.negated)
    return _condition(table, given, viewer)


def _condition(table: Table, test: Test, viewer: Viewer) -> Condition:
    column = _readable(table, test.column, viewer)
    operator = cast("Operator", test.operator)
    value: Any
    if isinstance(test.value, tuple):
        value = tuple(values.of(column, each) for each in test.value)
    elif operator == "is":
        value = values.word(column, test.value)
    elif operator in ("like", "ilike"):
        value = values.pattern(column, test.value)
    else:
        value = values.of(column, test.value)
    return Condition(column=column.name, operator=operator, value=value, negated=test.negated)


def _order(table: Table, key: Key, viewer: Viewer) -> Order:
    column = _readable(table, key.column, viewer)
    first = key.descending if key.nulls_first is None else key.nulls_first
    return Order(column=column.name, descending=key.descending, nulls_first=first)


def _readable(table: Table, name: str, viewer: Viewer) -> Column:
    column = table.by_name.get(name)
    if column is None:
        raise no_column(table.name, name)
    if viewer.role not in _readers(column):
        raise denied(f"table {table.name}", anonymous=viewer.role == "anon")
    return column


def _readers(column: Column) -> frozenset[Role]:
    """Return who may name a column; whoever is not signed in sees no row, but may ask."""
    return column.reads | {"anon"} if "user" in column.reads else column.reads
