"""Pages of a listing: a cursor says where the next one begins, and nothing else to its reader."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from scout_cli.core import base64url, shape
from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput
from scout_cli.store.paging import After, Order

T = TypeVar("T")

MOST = 200
"""Rows of one page."""


class Paged(Record, Generic[T], frozen=True, kw_only=True):
    """One page."""

    items: list[T]
    next: str | None = None
    """The cursor of the next page; None on the last one."""


class _Cursor(shape.Shape, frozen=True, kw_only=True, array_like=True):
    order: str
    value: str
    id: UUID


class Asked(Record, frozen=True, kw_only=True):
    """Which page."""

    limit: int = 50
    sort: str
    """A key of the orders that a listing offers, with `-` in front for the other way round."""
    cursor: str | None = None


async def paged(
    asked: Asked,
    columns: Mapping[str, type[datetime | str]],
    read: Callable[[Order, After | None, int], Awaitable[Sequence[T]]],
    place: Callable[[T, str], tuple[datetime | str, UUID]],
) -> Paged[T]:
    """Return one page of a listing.

    Args:
        asked: which page.
        columns: the columns it can be sorted by, with their types.
        read: reads rows: in this order, after this one, at most so many.
        place: returns the value of a column and the id of a row.

    Raises:
        InvalidInput: an order that is not offered, or a cursor that is not of this listing.
    """
    column = asked.sort.removeprefix("-")
    if column not in columns:
        known = ", ".join(f"{name}, -{name}" for name in columns)
        raise InvalidInput(f"query: cannot sort by {asked.sort[:40]!r}", hint=f"one of {known}")
    order = Order(column=column, descending=asked.sort.startswith("-"))
    after = _after(asked.cursor, asked.sort, columns[column]) if asked.cursor else None
    rows = list(await read(order, after, asked.limit + 1))
    if len(rows) <= asked.limit:
        return Paged(items=rows)
    del rows[asked.limit :]
    return Paged(items=rows, next=_cursor(asked.sort, *place(rows[-1], column)))


def _cursor(sort: str, value: datetime | str, id_: UUID) -> str:
    text = value.isoformat() if isinstance(value, datetime) else value
    data = shape.encode(_Cursor(order=sort, value=text, id=id_))
    return base64url.encode(data)


def _after(cursor: str, sort: str, kind: type[datetime | str]) -> After:
    try:
        data = base64url.decode(cursor)
        found = msgspec.json.decode(data, type=_Cursor)
        value = datetime.fromisoformat(found.value) if kind is datetime else found.value
    except (msgspec.MsgspecError, ValueError) as error:
        raise _unknown() from error
    if found.order != sort or (isinstance(value, datetime) and value.tzinfo is None):
        raise _unknown()
    return After(value=value, id=found.id)


def _unknown() -> InvalidInput:
    return InvalidInput(
        "query: this cursor is not of this listing",
        hint="follow `next` of the page before, with the same sort and filters",
    )
