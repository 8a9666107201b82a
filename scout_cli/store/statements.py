"""SQL that follows from a record's fields, so that no column list is written twice.

Identifiers come from the fields of our own Structs and from literals in this package, never from
a value.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from msgspec import UNSET, Struct

from scout_cli.store.database import Json
from scout_cli.store.rows import columns

_ID_CHARACTERS = frozenset("0123456789abcdef-")


@cache
def insert(table: str, of: type[Struct]) -> str:
    """Return the INSERT of one `of`; its arguments are `values(row)`."""
    names = columns(of)
    listed = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    return f"INSERT INTO {table} ({listed}) VALUES ({marks})"  # noqa: S608 - see the module


def upsert(table: str, of: type[Struct], key: Sequence[str]) -> str:
    """Return an INSERT that overwrites the row with the same `key` columns."""
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in columns(of) if name not in key)
    return f"{insert(table, of)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"


def values(row: Struct) -> tuple[Any, ...]:
    """Return the fields of `row` in the order of `insert`."""
    return tuple(_argument(row, name, json=c.json) for name, c in columns(type(row)).items())


def assignments(
    row: Struct, *, keep: Collection[str] = (), first: int
) -> tuple[str, tuple[Any, ...]]:
    """Return `"a" = $3, "b" = $4` and its arguments, for the fields that are set.

    Args:
        row: a record or a patch; fields that are UNSET are left out.
        keep: fields that never change.
        first: the number of the first placeholder.
    """
    chosen = [
        name for name in columns(type(row)) if name not in keep and getattr(row, name) is not UNSET
    ]
    text = ", ".join(f'"{name}" = ${number}' for number, name in enumerate(chosen, first))
    table = columns(type(row))
    return text, tuple(_argument(row, name, json=table[name].json) for name in chosen)


def _argument(row: Struct, name: str, *, json: bool) -> Any:
    value = getattr(row, name)
    return Json(value) if json else value


def placeholders(values: Sequence[Any], *, first: int) -> str:
    """Return `$3, $4, $5` for as many values, counting from `first`."""
    return ", ".join(f"${number}" for number in range(first, first + len(values)))


def id_pattern(prefix: str) -> str | None:
    """Return the LIKE pattern of identifiers that start with `prefix`.

    None when no identifier can: an empty prefix, or one with other than hexadecimal digits and
    dashes.
    """
    lowered = prefix.strip().lower()
    return f"{lowered}%" if lowered and _ID_CHARACTERS.issuperset(lowered) else None
