"""What a channel wants to hear of: events, a table, and a condition on its rows.

Source: https://supabase.com/docs/guides/realtime/postgres-changes
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput
from scout_cli.server.realtime.changed import COLUMNS, Changed
from scout_cli.server.rest import values
from scout_cli.server.rest.failures import RestError

MOST = 20
"""Bindings of one channel."""
_LONGEST = 1_000
_FILTER = re.compile(r"(\w{1,63})=(not\.is\.null|eq\.(.*))", re.DOTALL | re.ASCII)
_FURTHER = re.compile(r",\w+=(not\.)?\w+\.", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


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


class Condition(Record, frozen=True, kw_only=True):
    """`column=eq.value`, or `column=not.is.null`."""

    column: str
    value: Any = None
    """None for `not.is.null`."""

    def holds(self, changed: Changed) -> bool:
        """Return whether a change is meant.

        Of a row that is gone only its ids are known: another condition on it holds.
        """
        if changed.change.kind == "DELETE":
            known = changed.named(self.column)
            return self.value is None or known is None or str(known) == str(self.value)
        found = changed.values[self.column]
        return found is not None and (self.value is None or found == self.value)


class Binding(Record, frozen=True, kw_only=True):
    """One that was understood."""

    id: int
    event: str
    table: str
    """Empty for all."""
    condition: Condition | None
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
        )

    def takes(self, changed: Changed) -> bool:
        """Return whether a change is wanted; whose it is was looked at before."""
        return (
            self.event in ("*", changed.change.kind)
            and self.table in ("", changed.change.table_name)
            and (self.condition is None or self.condition.holds(changed))
        )


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
    return Binding(
        id=_id(topic, asked),
        event=asked.event if isinstance(asked.event, str) else "*",
        table=table,
        condition=_condition(table, asked.filter) if isinstance(asked.filter, str) else None,
        asked=asked,
    )


def _condition(table: str, text: str) -> Condition | None:
    if not text:
        return None
    found = _FILTER.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise InvalidInput(
            f"the filter {text[:80]!r} is not offered", hint="column=eq.value, column=not.is.null"
        )
    column = COLUMNS.get(table, {}).get(found[1])
    if column is None:
        raise InvalidInput(f"the column {found[1]!r} cannot be filtered by")
    if found[3] is None:
        return Condition(column=column.name)
    return Condition(column=column.name, value=_value(column, _unquoted(found[3])))


def _value(column: Any, text: str) -> Any:
    try:
        value = values.of(column, text)
    except RestError as error:
        raise InvalidInput(str(error)) from None
    # Any spelling of an identifier that Python takes: only the usual one is meant.
    if isinstance(value, UUID) and str(value) != text.lower():
        raise InvalidInput(f"{text[:80]!r} is no identifier")
    return value


def _unquoted(text: str) -> str:
    if quoted := _QUOTED.fullmatch(text):
        return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL)
    if _FURTHER.search(text):
        raise InvalidInput("a filter is one condition", hint='a comma in a value: eq."a, b"')
    return text


def _id(topic: str, asked: Asked) -> int:
    """Return the id of a binding: the same for the same topic and binding, on every server."""
    named = (topic, asked.event, asked.schema, asked.table, asked.filter)
    text = shape.encode([None if each is UNSET else each for each in named])
    return int.from_bytes(blake2b(text, digest_size=4).digest()) % (2**31 - 1) + 1
