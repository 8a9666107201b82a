"""Rows a page at a time, in an order that new rows do not shift: after a value and an id.

Offsets would skip and repeat rows as others come and go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import placeholders

T = TypeVar("T")


class Order(Record, frozen=True, kw_only=True):
    """An order of rows: a column that is never NULL, then the id."""

    column: str
    """A name from this package or a service, never from a request."""
    descending: bool = False


class After(Record, frozen=True, kw_only=True):
    """The last row of the page before."""

    value: datetime | str
    id: UUID


class Filter:
    """Conditions that rows of one user meet, all of them.

    Column names come from the code, values from anywhere.

    Args:
        user_id: whose rows.
    """

    def __init__(self, user_id: UUID) -> None:
        self._conditions: list[str] = []
        self.args: list[Any] = []
        self.equal("user_id", user_id)

    def equal(self, column: str, value: Any) -> None:
        """Narrow to rows with this value."""
        self._also(f"{column} = {{}}", value)

    def among(self, column: str, values: Sequence[Any]) -> None:
        """Narrow to rows whose column has one of `values`; no values narrow nothing."""
        if values:
            self._also(f"{column} IN ({{}})", *values)

    def between(self, column: str, since: datetime | None, until: datetime | None) -> None:
        """Narrow to rows at or after `since` and before `until`; None leaves that side open."""
        if since is not None:
            self._also(f"{column} >= {{}}", since)
        if until is not None:
            self._also(f"{column} < {{}}", until)

    def containing(self, column: str, text: str) -> None:
        """Narrow to rows whose column has these characters, in any case."""
        pattern = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        self._also(f"lower({column}) LIKE lower({{}}) ESCAPE '\\'", f"%{pattern}%")

    def beyond(self, order: Order, after: After) -> None:
        """Narrow to rows that come after `after` in this order."""
        sign = "<" if order.descending else ">"
        self._also(f'("{order.column}", id) {sign} ({{}})', after.value, after.id)

    def _also(self, condition: str, *values: Any) -> None:
        marks = placeholders(values, first=len(self.args) + 1)
        self._conditions.append(condition.format(marks))
        self.args.extend(values)

    def __str__(self) -> str:
        return " AND ".join(self._conditions)


async def page(
    db: Connection,
    of: type[T],
    table: str,
    filter_: Filter,
    order: Order,
    *,
    after: After | None,
    limit: int,
) -> list[T]:
    """Return up to `limit` rows that come after `after`.

    Args:
        db: the database.
        of: what a row becomes; its columns are read and no others.
        table: where from.
        filter_: which ones.
        order: in which order.
        after: the last row of the page before; None for the first page.
        limit: at most so many.
    """
    way = "DESC" if order.descending else "ASC"
    if after is not None:
        filter_.beyond(order, after)
    number = len(filter_.args) + 1
    sql = f"""
        SELECT {_listed(of)} FROM {table} WHERE {filter_}
        ORDER BY "{order.column}" {way}, id {way} LIMIT ${number}
    """  # noqa: S608 - names from the code, and placeholders
    return await db.all(of, sql, *filter_.args, limit)


async def owned(db: Connection, of: type[T], table: str, user_id: UUID, id_: UUID) -> T | None:
    """Return the row of a user with this id, or None."""
    sql = f"SELECT {_listed(of)} FROM {table} WHERE id = $1 AND user_id = $2"  # noqa: S608 - names from the code
    return await db.one(of, sql, id_, user_id)


async def steps(db: Connection, of: type[T], execution_id: UUID) -> list[T]:
    """Return every step of a run, in their order."""
    sql = f"""
        SELECT {_listed(of)} FROM scout_execution_steps WHERE execution_id = $1
        ORDER BY fence, step_number, id
    """  # noqa: S608 - names from the code
    return await db.all(of, sql, execution_id)


def _listed(of: type[Any]) -> str:
    return ", ".join(f'"{name}"' for name in of.__struct_fields__)
