"""From a plan to SQL, the same for both databases.

Names come from the catalogue, values are always bound, and the owner is always asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.query.plan import Clause, Condition, Embed, Group, Order, Query, Selection

_COMPARED = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_IS = {"null": "NULL", "true": "TRUE", "false": "FALSE", "unknown": "NULL"}
PREFIX = "embedded"
"""How the columns of an embedded row begin: `embedded0_title`."""
LINK = "linked_by"
"""The column by which many rows are put into the row they belong to."""


class Sql(Record, frozen=True, kw_only=True):
    """A statement and its values."""

    text: str
    values: tuple[Any, ...] = ()


class _Writer:
    """Collects values while text is made."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def bound(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


def rows(query: Query) -> Sql:
    """Return the statement for the rows of a query, linked single rows joined in."""
    writer, chosen = _Writer(), query.selection
    listed = [f't."{column}" AS "{name}"' for name, column in chosen.columns]
    listed += [
        f't."{embed.link.column if not embed.link.many else "id"}" AS "{LINK}{at}"'
        for at, embed in enumerate(chosen.embeds)
    ]
    joins = []
    for at, embed in enumerate(chosen.embeds):
        if not embed.link.many:
            joins.append(_join(embed, at, query, writer))
            listed.append(f'e{at}."id" AS "{PREFIX}{at}_id"')
            listed += [
                f'e{at}."{column}" AS "{PREFIX}{at}_{name}"'
                for name, column in embed.selection.columns
            ]
    where = _where(query, writer)
    text = (
        f"SELECT {', '.join(dict.fromkeys(listed))} FROM {chosen.table.name} AS t"  # noqa: S608 - names of the catalogue
        f"{''.join(joins)} WHERE {where}{_ordered(chosen.order, 't')}{_paged(chosen, writer)}"
    )
    return Sql(text=text, values=tuple(writer.values))


def count(query: Query) -> Sql:
    """Return the statement that counts the rows of a query, whatever page is asked for."""
    writer = _Writer()
    where = _where(query, writer)
    text = f"SELECT count(*) AS count FROM {query.selection.table.name} AS t WHERE {where}"  # noqa: S608 - see above
    return Sql(text=text, values=tuple(writer.values))


def ids(query: Query) -> Sql:
    """Return the statement for the identifiers of the rows that a write is about."""
    writer = _Writer()
    where = _where(query, writer)
    text = f"SELECT t.id FROM {query.selection.table.name} AS t WHERE {where} ORDER BY t.id"  # noqa: S608 - see above
    return Sql(text=text, values=tuple(writer.values))


def many(embed: Embed, query: Query, parents: Sequence[UUID]) -> Sql:
    """Return the statement for the rows inside some rows, with the row they belong to."""
    writer, chosen = _Writer(), embed.selection
    listed = [f't."{column}" AS "{name}"' for name, column in chosen.columns]
    marks = ", ".join(writer.bound(parent) for parent in parents)
    conditions = [f't."{embed.link.column}" IN ({marks})', *_own(query, chosen, writer, "t")]
    conditions.append(_group(chosen.where, "t", writer))
    text = (
        f'SELECT t."{embed.link.column}" AS "{LINK}", {", ".join(listed)}'  # noqa: S608 - see above
        f" FROM {chosen.table.name} AS t WHERE {' AND '.join(conditions)}"
        f"{_ordered(chosen.order, 't')}"
    )
    return Sql(text=text, values=tuple(writer.values))


def _where(query: Query, writer: _Writer) -> str:
    chosen = query.selection
    conditions = _own(query, chosen, writer, "t")
    conditions.append(_group(chosen.where, "t", writer))
    for at, embed in enumerate(chosen.embeds):
        if embed.inner:
            conditions.append(_exists(embed, at, query, writer))
    return " AND ".join(conditions)


def _own(query: Query, chosen: Selection, writer: _Writer, alias: str) -> list[str]:
    found = ["1 = 0"] if query.nobody else []
    if query.owner is not None:
        found.append(f"{alias}.user_id = {writer.bound(query.owner)}")
    if chosen.table.only:
        found.append(chosen.table.only.replace("t.", f"{alias}."))
    return found


def _join(embed: Embed, at: int, query: Query, writer: _Writer) -> str:
    chosen, alias = embed.selection, f"e{at}"
    conditions = [f'{alias}.id = t."{embed.link.column}"', *_own(query, chosen, writer, alias)]
    conditions.append(_group(chosen.where, alias, writer))
    return f" LEFT JOIN {chosen.table.name} AS {alias} ON {' AND '.join(conditions)}"


def _exists(embed: Embed, at: int, query: Query, writer: _Writer) -> str:
    chosen, alias = embed.selection, f"x{at}"
    joined = (
        f'{alias}."{embed.link.column}" = t.id'
        if embed.link.many
        else f'{alias}.id = t."{embed.link.column}"'
    )
    conditions = [joined, *_own(query, chosen, writer, alias)]
    conditions.append(_group(chosen.where, alias, writer))
    table = chosen.table.name
    return f"EXISTS (SELECT 1 FROM {table} AS {alias} WHERE {' AND '.join(conditions)})"  # noqa: S608 - see above


def _group(group: Group, alias: str, writer: _Writer) -> str:
    if not group.members:
        return "1 = 0" if group.negated else "1 = 1"
    word = f" {group.joined.upper()} "
    text = word.join(_clause(member, alias, writer) for member in group.members)
    return f"NOT ({text})" if group.negated else f"({text})"


def _clause(clause: Clause, alias: str, writer: _Writer) -> str:
    if isinstance(clause, Group):
        return _group(clause, alias, writer)
    text = _condition(clause, f'{alias}."{clause.column}"', writer)
    return f"NOT ({text})" if clause.negated else text


def _condition(condition: Condition, column: str, writer: _Writer) -> str:
    operator, value = condition.operator, condition.value
    if operator == "is":
        return f"{column} IS {_IS[value]}"
    if operator == "in":
        marks = ", ".join(writer.bound(each) for each in value)
        return f"{column} IN ({marks})" if value else "1 = 0"
    if operator == "like":
        return f"{column} LIKE {writer.bound(value)} ESCAPE '\\'"
    if operator == "ilike":
        return f"lower({column}) LIKE lower({writer.bound(value)}) ESCAPE '\\'"
    return f"{column} {_COMPARED[operator]} {writer.bound(value)}"


def _ordered(order: Sequence[Order], alias: str) -> str:
    # The id makes every order whole, so that pages neither overlap nor leave rows out.
    keys = [
        f'{alias}."{key.column}" {"DESC" if key.descending else "ASC"}'
        f" NULLS {'FIRST' if key.nulls_first else 'LAST'}"
        for key in order
    ]
    if all(key.column != "id" for key in order):
        keys.append(f"{alias}.id ASC")
    return f" ORDER BY {', '.join(keys)}"


def _paged(chosen: Selection, writer: _Writer) -> str:
    limit = f" LIMIT {writer.bound(chosen.limit)}" if chosen.limit is not None else ""
    if chosen.offset and not limit:
        limit = f" LIMIT {writer.bound(2**62)}"
    return limit + (f" OFFSET {writer.bound(chosen.offset)}" if chosen.offset else "")
