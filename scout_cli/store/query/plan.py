"""A question whose names have been checked: what `sql` turns into statements."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.query.catalogue import Link, Table

Operator = Literal["eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "is", "in"]


class Condition(Record, frozen=True, kw_only=True):
    """One comparison of a column with a value."""

    column: str
    operator: Operator
    value: Any
    """Of the column's type; for `in` a tuple of them; for `is` null, true or false as a word."""
    negated: bool = False


class Group(Record, frozen=True, kw_only=True):
    """Conditions joined by one word; no members mean everything."""

    joined: Literal["and", "or"] = "and"
    members: tuple[Condition | Group, ...] = ()
    negated: bool = False


Clause: TypeAlias = Condition | Group


class Order(Record, frozen=True, kw_only=True):
    """One key of an order."""

    column: str
    descending: bool = False
    nulls_first: bool = False


class Selection(Record, frozen=True, kw_only=True):
    """Rows of one table, each with some of its columns."""

    table: Table
    columns: tuple[tuple[str, str], ...]
    """Names in the answer, and the columns."""
    where: Group = Group()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    embeds: tuple[Embed, ...] = ()


class Embed(Record, frozen=True, kw_only=True):
    """Rows of a linked table inside each row."""

    name: str
    link: Link
    inner: bool
    """Rows without one are left out."""
    selection: Selection


class Query(Record, frozen=True, kw_only=True):
    """A selection and whose rows it may see."""

    selection: Selection
    owner: UUID | None
    """None for the service key, which sees all."""
    nobody: bool = False
    """Nobody is signed in: there is nothing to see."""
