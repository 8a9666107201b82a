"""What is told of one change: the row as its owner may read it, without what is large."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import fields

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.service.subscription import Told
from scout_cli.store.changed_rows import TABLES as ROWS
from scout_cli.store.changes import Change
from scout_cli.store.query.catalogue import TABLES, TYPES, Column


def _told(table: str) -> dict[str, Column]:
    short = {field.name for field in fields(ROWS[table])}
    return {
        name: column
        for name, column in TABLES[table].by_name.items()
        if "user" in column.reads and name in short
    }


COLUMNS: dict[str, dict[str, Column]] = {name: _told(name) for name in TABLES if name in ROWS}
"""By table: the columns that its owner may read and that are in the short form of its rows."""

_HEADS: dict[str, list[dict[str, str]]] = {
    table: [{"name": each.name, "type": TYPES[each.kind]} for each in columns.values()]
    for table, columns in COLUMNS.items()
}


class Changed(Record, frozen=True, kw_only=True):
    """One change, ready to be told."""

    change: Change
    values: Mapping[str, Any]
    """The row by column; empty for one that was deleted."""
    data: bytes
    """JSON, as clients expect it under `data`."""

    def told(self, only: frozenset[str]) -> bytes:
        """Return `data` with these columns alone; with all of them where none is named."""
        return _data(self.change, self.values, only) if only else self.data

    def named(self, column: str) -> UUID | None:
        """Return what the log itself says of a row that is gone; None where it says nothing."""
        change = self.change
        known = {
            "id": UUID(change.row_id),
            "user_id": change.user_id,
            "scout_id": change.scout_id,
            "execution_id": change.execution_id,
        }
        return known.get(column)


def of(told: Told) -> Changed | None:
    """Return what is told of a change.

    None for an insert or an update of a row that is gone meanwhile: its end is told next.
    """
    change = told.change
    columns = COLUMNS[change.table_name]
    if change.kind == "DELETE":
        values: dict[str, Any] = {}
    elif told.record is None:
        return None
    else:
        values = {name: getattr(told.record, name) for name in columns}
    return Changed(change=change, values=values, data=_data(change, values))


def _data(change: Change, values: Mapping[str, Any], only: frozenset[str] = frozenset()) -> bytes:
    heads = _HEADS[change.table_name]
    said: dict[str, Any] = {
        "schema": "public",
        "table": change.table_name,
        "commit_timestamp": change.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "type": change.kind,
        "columns": [each for each in heads if each["name"] in only] if only else heads,
        "errors": None,
    }
    if change.kind != "DELETE":
        named = only or values
        said["record"] = {name: _shown(values[name]) for name in values if name in named}
    if change.kind != "INSERT":
        said["old_record"] = {"id": change.row_id}
    return shape.encode(said)


def _shown(value: Any) -> Any:
    # As the table interface writes moments.
    return value.isoformat() if isinstance(value, datetime) else value
