"""What a channel wants to hear of: events, a table, conditions on its rows, and some columns.

Source: https://supabase.com/docs/guides/realtime/postgres-changes
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput
from scout_cli.server.realtime import filters
from scout_cli.server.realtime.changed import COLUMNS, Changed
from scout_cli.server.realtime.filters import Condition

MOST = 20
"""Bindings of one channel."""


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A binding as a client writes it; what it leaves out is left out of the answer."""

    event: Literal["*", "INSERT", "UPDATE", "DELETE"] | UnsetType = UNSET
    schema: str | UnsetType | None = UNSET
    table: str | UnsetType | None = UNSET
    filter: str | UnsetType | None = UNSET
    select: list[str] | str | UnsetType | None = UNSET


class Given(Asked, frozen=True, kw_only=True):
    """A binding as the server repeats it."""

    id: int


class Binding(Record, frozen=True, kw_only=True):
    """One that was understood."""

    id: int
    event: str
    table: str
    """Empty for all."""
    conditions: tuple[Condition, ...]
    columns: frozenset[str]
    """What is told of a row; empty for all."""
    asked: Asked

    @property
    def given(self) -> Given:
        """Return what the client is told."""
        return Given(
            id=self.id,
            event=self.asked.event,
            schema=self.asked.schema,
            table=self.asked.table,
            filter=self.asked.filter,
            select=self.asked.select,
        )

    def takes(self, changed: Changed) -> bool:
        """Return whether a change is wanted; whose it is was looked at before."""
        return (
            self.event in ("*", changed.change.kind)
            and self.table in ("", changed.change.table_name)
            and all(_is_met(each, changed) for each in self.conditions)
        )


def _is_met(condition: Condition, changed: Changed) -> bool:
    """Return whether a condition holds: of a row that is gone, as far as its ids tell."""
    if changed.change.kind != "DELETE":
        return condition.holds(changed.values[condition.column])
    known = changed.named(condition.column)
    return known is None or condition.holds(known)


def parsed(topic: str, asked: Sequence[Asked]) -> tuple[Binding, ...]:
    """Return the bindings of a channel, in their order.

    Raises:
        InvalidInput: a schema, table, column or filter that is not offered.
    """
    if len(asked) > MOST:
        raise InvalidInput(f"more than {MOST} bindings for one channel")
    return tuple(_parsed(topic, each) for each in asked)


def _parsed(topic: str, asked: Asked) -> Binding:
    if asked.schema not in ("public", "*"):
        raise InvalidInput(f"the schema {str(asked.schema)[:40]!r} is not offered, only 'public'")
    table = asked.table if isinstance(asked.table, str) and asked.table != "*" else ""
    if table and table not in COLUMNS:
        raise InvalidInput(f"changes of the table {table[:60]!r} are not told")
    columns = COLUMNS.get(table, {})
    text = asked.filter if isinstance(asked.filter, str) else ""
    return Binding(
        id=_id(topic, asked),
        event=asked.event if isinstance(asked.event, str) else "*",
        table=table,
        conditions=filters.read(columns, text),
        columns=_selected(columns, asked.select),
        asked=asked,
    )


def _selected(columns: Collection[str], select: object) -> frozenset[str]:
    if select in (UNSET, None, []):
        return frozenset()
    if not isinstance(select, list):
        raise InvalidInput("select is a list of columns")
    if missing := sorted(set(select) - {*columns}):
        raise InvalidInput(f"the column {missing[0][:80]!r} is not told of")
    return frozenset(select)


def _id(topic: str, asked: Asked) -> int:
    """Return the id of a binding: the same for the same topic and binding, on every server."""
    named = (topic, asked.event, asked.schema, asked.table, asked.filter, asked.select)
    text = shape.encode([None if each is UNSET else each for each in named])
    return int.from_bytes(blake2b(text, digest_size=4).digest()) % (2**31 - 1) + 1
