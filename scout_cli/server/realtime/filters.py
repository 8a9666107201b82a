"""The filter of a binding: conditions on the row of a change, all of which must hold.

`column=op.value`, several with commas between them. The words are those of the table interface;
what is compared has the type of its column, and a comparison with null is never true, as in SQL.
Source: https://supabase.com/docs/guides/realtime/postgres-changes
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput
from scout_cli.server.rest import conditions, values
from scout_cli.server.rest.asked import Test
from scout_cli.server.rest.failures import RestError
from scout_cli.store.query.catalogue import Column

LONGEST = 8_192
"""Characters of one filter."""
MOST_LISTED = 100
"""Values of one `in`, as Supabase allows."""
_LONGEST_PATTERN = 256
_DISTINCT = "isdistinct."
_TEXT = r'"(?:[^"\\]|\\.)*"'
_PIECE = re.compile(rf'(?:{_TEXT}|\((?:{_TEXT}|[^()"])*\)|[^,])*', re.DOTALL)
"""Up to the next comma that is neither in quotes nor in brackets; it never fails."""
_QUOTED = re.compile(_TEXT, re.DOTALL)
_OF_PATTERN = re.compile(r"\\(.)|(.)", re.DOTALL)


class Condition(Record, frozen=True, kw_only=True):
    """One condition."""

    column: str
    operator: str
    value: Any
    negated: bool = False

    def holds(self, found: Any) -> bool:
        """Return whether it is true of the value of a row."""
        if found is None and self.operator not in _OF_NULL:
            return False
        return _TESTS[self.operator](found, self.value) is not self.negated


_IS: dict[str, Any] = {"null": None, "unknown": None, "true": True, "false": False}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "in": lambda found, listed: found in listed,
    "like": lambda found, pattern: pattern.fullmatch(found) is not None,
    "ilike": lambda found, pattern: pattern.fullmatch(found) is not None,
    "is": operator.is_,
    "isdistinct": operator.ne,
}
_OF_NULL = frozenset(("is", "isdistinct"))


def read(columns: Mapping[str, Column], text: str) -> tuple[Condition, ...]:
    """Return the conditions of a filter; none for blanks.

    Args:
        columns: by name: those that may be named.
        text: such as `status=in.(completed,failed),step_number=gt.3`.

    Raises:
        InvalidInput: it is not in the grammar, names another column or operator, a value does not
            have the type of its column, or there are too many.
    """
    if len(text) > LONGEST:
        raise InvalidInput(f"a filter has at most {LONGEST} characters")
    if not text.strip():
        return ()
    try:
        found = tuple(_condition(columns, piece.strip()) for piece in _pieces(text))
    except RestError as error:
        told = [str(error), error.failure.details or ""]
        raise InvalidInput(": ".join(filter(None, told)), hint=error.failure.hint or "") from None
    if len(found) > conditions.MAX_FILTERS:
        raise InvalidInput(f"a filter has at most {conditions.MAX_FILTERS} conditions")
    return found


def _pieces(text: str) -> Iterator[str]:
    at = 0
    while at <= len(text):
        piece = _PIECE.match(text, at)
        assert piece is not None
        yield piece[0]
        at = piece.end() + 1


def _condition(columns: Mapping[str, Column], text: str) -> Condition:
    name, equals, said = text.partition("=")
    distinct = said.removeprefix("not.").startswith(_DISTINCT)
    plain = said.replace(_DISTINCT, "eq.", 1) if distinct else said
    test = conditions.condition(name, plain)
    if not equals or not isinstance(test, Test):
        raise InvalidInput(f"{text[:80]!r} is no condition", hint='a comma in a value: eq."a, b"')
    column = columns.get(test.column)
    if column is None:
        raise InvalidInput(f"the column {name[:80]!r} cannot be filtered by")
    return Condition(
        column=column.name,
        operator="isdistinct" if distinct else test.operator,
        value=_value(column, test),
        negated=test.negated,
    )


def _value(column: Column, test: Test) -> Any:
    if isinstance(test.value, tuple):
        if len(test.value) > MOST_LISTED:
            raise InvalidInput(f"in takes at most {MOST_LISTED} values")
        return frozenset(_typed(column, each) for each in test.value)
    text = test.value
    if _QUOTED.fullmatch(text):
        text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    if test.operator == "is":
        return _IS[values.word(column, text)]
    if test.operator in ("like", "ilike"):
        if len(text) > _LONGEST_PATTERN:
            raise InvalidInput(f"a pattern has at most {_LONGEST_PATTERN} characters")
        return _pattern(values.pattern(column, text), folded=test.operator == "ilike")
    return _typed(column, text)


def _typed(column: Column, text: str) -> Any:
    value = values.of(column, text)
    # Any spelling of an identifier that Python takes: only the usual one is meant.
    if isinstance(value, UUID) and str(value) != text.lower():
        raise InvalidInput(f"{text[:80]!r} is no identifier")
    return value


def _pattern(text: str, *, folded: bool) -> re.Pattern[str]:
    """Return the expression for a pattern of `like`.

    What stands between two per cent signs is taken where it comes first, and never again
    elsewhere, so that no pattern makes a search that lasts.
    """
    pieces = [""]
    for sign in _OF_PATTERN.finditer(text):
        if sign[2] == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if sign[2] == "_" else re.escape(sign[1] or sign[2])
    first, *middle = pieces
    last = f".*{middle.pop()}" if middle else ""
    between = "".join(f"(?>.*?{each})" for each in middle)
    return re.compile(first + between + last, re.DOTALL | (re.IGNORECASE if folded else 0))
