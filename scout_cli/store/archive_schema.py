"""What an archive of one schema holds: its tables in the order of their references, with types.

All of it follows from the migrations. They are run on an empty SQLite in memory, which is then
asked, so that no list of tables and columns is kept by hand.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Raw, Struct, defstruct

from scout_cli.core.models import Record
from scout_cli.store.database import Json
from scout_cli.store.migrate import migrations

ColumnKind = Literal[
    "uuid", "moment", "boolean", "integer", "bigint", "number", "text", "document", "blob"
]

_DECLARED: dict[str, ColumnKind] = {
    "UUID": "uuid",
    "TIMESTAMPTZ": "moment",
    "BOOLEAN": "boolean",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "DOUBLE PRECISION": "number",
    "TEXT": "text",
    "JSONB": "document",
    "BYTEA": "blob",
}
_READ: dict[ColumnKind, Any] = {
    "uuid": UUID,
    "moment": Annotated[datetime, Meta(tz=True)],
    "boolean": bool,
    "integer": Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)],
    "bigint": Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)],
    "number": float,
    "text": str,
    "document": dict[str, Any] | list[Any],
    "blob": bytes,
}
"""What a value of an archive must be. PostgreSQL's INTEGER has 32 bits, so SQLite's has here."""
_STORED: dict[ColumnKind, Any] = {
    "uuid": UUID,
    "moment": datetime,
    "boolean": bool,
    "integer": int,
    "bigint": int,
    "number": float,
    "text": str,
    "document": str,
    "blob": bytes,
}
"""What a database is asked for; a JSON column comes as its text."""
_LEFT_OUT = {
    "migrations",
    "sessions",
    "codes",
    "allowances",
    "idempotency_keys",
    "changes",
    "chat_items",
}
"""What says how a database was made, who is signed in just now, and what a server holds for a
moment: another machine has its own."""

_DERIVED = ("finding_words", "vector_")
"""How the tables begin that are kept to search in findings; they follow from those."""


class Column(Record, frozen=True, kw_only=True):
    """One column of a table."""

    name: str
    kind: ColumnKind
    nullable: bool


class Reference(Record, frozen=True, kw_only=True):
    """A column that holds the `id` of a row of another table, or of its own."""

    column: str
    table: str


class Table(Record, frozen=True, kw_only=True):
    """One table of an archive."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """The columns of its primary key."""
    references: tuple[Reference, ...]

    @property
    def listed(self) -> str:
        """Return the names of its columns for a statement."""
        return ", ".join(f'"{column.name}"' for column in self.columns)

    @property
    def names(self) -> frozenset[str]:
        """Return the names of its columns."""
        return frozenset(column.name for column in self.columns)

    @property
    def own(self) -> tuple[str, ...]:
        """Return the columns that refer to rows of the same table."""
        return tuple(each.column for each in self.references if each.table == self.name)


def newest() -> int:
    """Return the number of the last migration that this scout knows."""
    return migrations("sqlite")[-1].number


@cache
def tables(number: int) -> tuple[Table, ...]:
    """Return the tables after migration `number`, each after those that it refers to."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in migrations("sqlite"):
            if migration.number <= number:
                connection.executescript(migration.sql)
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%'"
        names = sorted(name for (name,) in connection.execute(f"{sql} ESCAPE '!'"))
        found = [_table(connection, name) for name in names if _is_held(name)]
    return _ordered(found)


def _is_held(name: str) -> bool:
    return name not in _LEFT_OUT and not name.startswith(_DERIVED)


def _table(connection: sqlite3.Connection, name: str) -> Table:
    info = connection.execute("SELECT * FROM pragma_table_info(?)", (name,)).fetchall()
    linked = connection.execute("SELECT * FROM pragma_foreign_key_list(?)", (name,)).fetchall()
    keyed = sorted((place, column) for _, column, _, _, _, place in info if place)
    return Table(
        name=name,
        columns=tuple(
            Column(name=column, kind=_DECLARED[kind], nullable=not (needed or place))
            for _, column, kind, needed, _, place in info
        ),
        key=tuple(column for _, column in keyed),
        references=tuple(Reference(column=row[3], table=row[2]) for row in sorted(linked)),
    )


def _ordered(found: Sequence[Table]) -> tuple[Table, ...]:
    ordered: list[Table] = []
    left = list(found)
    while left:
        waiting = {table.name for table in left}
        free = [t for t in left if not waiting & {each.table for each in t.references} - {t.name}]
        assert free, "tables refer to one another in a circle"
        ordered += free
        left = [table for table in left if table not in free]
    return tuple(ordered)


@cache
def archived(table: Table) -> type[Struct]:
    """Return what a line of an archive must be: every column, of its type, and nothing else."""
    fields = [
        (each.name, _READ[each.kind] | None if each.nullable else _READ[each.kind])
        for each in table.columns
    ]
    return defstruct(f"row of {table.name}", fields, kw_only=True, forbid_unknown_fields=True)


@cache
def stored(table: Table) -> type[Struct]:
    """Return what a row of a database is read as."""
    fields = [(each.name, _STORED[each.kind] | None) for each in table.columns]
    return defstruct(f"stored row of {table.name}", fields, kw_only=True)


@cache
def moved(table: Table) -> type[Struct]:
    """Return what a row is read as on its way to another database, its documents decoded."""
    kinds = {**_STORED, "document": _READ["document"]}
    fields = [(each.name, kinds[each.kind] | None) for each in table.columns]
    return defstruct(f"moved row of {table.name}", fields, kw_only=True)


def wire(table: Table, row: Struct) -> dict[str, Any]:
    """Return a `stored` row as it is written: the same text for the same row of either database."""
    return {each.name: _wired(each.kind, getattr(row, each.name)) for each in table.columns}


def _wired(kind: ColumnKind, value: Any) -> Any:
    if value is None:
        return None
    if kind == "moment":
        return value.isoformat(timespec="microseconds")
    if kind == "document":
        return Raw(value.encode())
    return value


def arguments(table: Table, row: Struct) -> tuple[Any, ...]:
    """Return the values of an `archived` or `moved` row for `insertion`."""
    return tuple(
        Json(getattr(row, each.name)) if each.kind == "document" else getattr(row, each.name)
        for each in table.columns
    )


def insertion(table: Table) -> str:
    """Return the INSERT of one row."""
    marks = ", ".join(f"${number}" for number in range(1, len(table.columns) + 1))
    return f"INSERT INTO {table.name} ({table.listed}) VALUES ({marks})"  # noqa: S608 - names of our own migrations
