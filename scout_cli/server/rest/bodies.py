"""Rows in a body: named by columns that may be written, each value of its column's type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scout_cli.core import shape
from scout_cli.errors import InvalidInput
from scout_cli.server.reading import refuse_unstorable
from scout_cli.server.rest import values
from scout_cli.server.rest.failures import RestError, bad_value, denied, unwritable
from scout_cli.server.rest.plan import Viewer
from scout_cli.store.query.catalogue import Column, Kind, Table

MAX_ROWS = 1_000
"""Rows of one body."""


def rows_of(data: bytes) -> list[dict[str, Any]]:
    """Return the rows of a body: one object, or a list of them with the same columns.

    Raises:
        RestError: it is something else.
    """
    try:
        found: Any = shape.decode(data, Any, what="body")
        refuse_unstorable(found, "body")
    except InvalidInput as error:
        raise RestError(400, "PGRST102", "Empty or invalid json", details=error.message) from None
    rows: list[Any] = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in rows):
        raise RestError(400, "PGRST102", "A row is an object")
    if len(rows) > MAX_ROWS:
        raise RestError(413, "PGRST102", f"more than {MAX_ROWS} rows")
    if any(row.keys() != rows[0].keys() for row in rows):
        raise RestError(400, "PGRST102", "All object keys must match")
    return rows


def typed(
    table: Table, row: Mapping[str, Any], viewer: Viewer, *, new: bool, only: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a row with the values of its columns.

    Args:
        table: whose columns.
        row: names and JSON values.
        viewer: who writes.
        new: the row is new; else it changes one.
        only: the names that count (`columns=`); empty for all.

    Raises:
        RestError: a column that is not there or may not be written, or a value that does not fit.
    """
    known = table.by_name
    for name in (*row, *only):
        if name not in known:
            raise unwritable(table.name, name)
    chosen = {name: row[name] for name in row if not only or name in only}
    return {
        name: _value(known[name], value)
        for name, value in chosen.items()
        if _writable(table, known[name], value, viewer, new=new)
    }


def _writable(table: Table, column: Column, value: Any, viewer: Viewer, *, new: bool) -> bool:
    """Return whether a column is to be written; saying once more whose row it is, is not."""
    if not new and column.name == "user_id" and value == str(viewer.user_id):
        return False
    allowed = column.inserts if new else column.updates
    if viewer.role not in allowed:
        raise denied(f"table {table.name}", anonymous=viewer.role == "anon")
    return True


def _value(column: Column, value: Any) -> Any:
    if value is None:
        return None
    return _FITTING[column.kind](value)


def _text(value: Any) -> str:
    # PostgreSQL takes any JSON value for a text column, and writes it as it stands.
    return value if isinstance(value, str) else shape.encode(value).decode()


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise bad_value("boolean", str(value))
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**31 - 1:
        raise bad_value("integer", str(value))
    return value


def _document(value: Any) -> Any:
    if not isinstance(value, dict | list):
        raise bad_value("json", str(value))
    return value


_FITTING: dict[Kind, Callable[[Any], Any]] = {
    "uuid": values.uuid,
    "text": _text,
    "boolean": _boolean,
    "integer": _integer,
    "moment": values.moment,
    "document": _document,
}
