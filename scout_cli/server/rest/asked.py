"""What a request over the table interface asks for, before any name has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from scout_cli.core.models import Record


class Test(Record, frozen=True, kw_only=True):
    """`column=op.value`, as it was written."""

    column: str
    operator: str
    value: str | tuple[str, ...]
    negated: bool = False


class Joined(Record, frozen=True, kw_only=True):
    """`or=(...)` or `and=(...)`."""

    word: Literal["and", "or"]
    members: tuple[Test | Joined, ...]
    negated: bool = False


Filter: TypeAlias = Test | Joined


class Key(Record, frozen=True, kw_only=True):
    """`column.desc.nullslast`."""

    column: str
    descending: bool = False
    nulls_first: bool | None = None
    """None: last when ascending, first when descending, as PostgreSQL has it."""


class Picked(Record, frozen=True, kw_only=True):
    """`alias:column`; `*` is all of them."""

    column: str
    alias: str = ""


class Embedded(Record, frozen=True, kw_only=True):
    """`alias:table!inner(columns)`."""

    table: str
    alias: str = ""
    inner: bool = False
    items: tuple[Picked | Embedded, ...] = ()


class Part(Record, frozen=True, kw_only=True):
    """What is said about one table: the one of the path, or an embedded one."""

    filters: tuple[Filter, ...] = ()
    order: tuple[Key, ...] = ()
    limit: int | None = None
    offset: int = 0


class Preferences(Record, frozen=True, kw_only=True):
    """The `Prefer` header, as far as it counts here."""

    returning: Literal["minimal", "representation", "headers-only"] = "minimal"
    count: Literal["", "exact", "planned", "estimated"] = ""
    resolution: Literal["", "merge-duplicates", "ignore-duplicates"] = ""


class Asked(Record, frozen=True, kw_only=True):
    """A whole request."""

    select: tuple[Picked | Embedded, ...] = (Picked(column="*"),)
    root: Part = Part()
    parts: Mapping[str, Part] = MappingProxyType({})
    """What is said about embedded tables, by their name in the answer."""
    columns: tuple[str, ...] = ()
    on_conflict: tuple[str, ...] = ()
