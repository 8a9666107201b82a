"""Conditions in the text of a request: `column=op.value`, and trees of them in brackets."""

from __future__ import annotations

import re
from typing import Literal, cast

from scout_cli.server.rest.asked import Filter, Joined, Test
from scout_cli.server.rest.failures import RestError, not_offered, unparsable

MAX_FILTERS = 30
MAX_DEPTH = 5
MAX_LISTED = 1_000
"""Values of one `in`."""
MAX_WILDCARDS = 20
"""Wildcards of one pattern."""

IS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_OPERATORS = frozenset("eq neq gt gte lt lte like ilike is in".split())
_FOREIGN = frozenset(
    "match imatch fts plfts phfts wfts cs cd ov sl sr nxr nxl adj isdistinct all any".split()
)


def condition(word: str, value: str) -> Filter:
    """Return the filter of one pair of a query string.

    Args:
        word: a column, or `or`, `and`, `not.or`, `not.and`.
        value: what follows the equals sign.

    Raises:
        RestError: it is not in the grammar, is not offered, or is too much.
    """
    negated = word.startswith("not.")
    plain = word.removeprefix("not.")
    if plain in ("and", "or"):
        members, rest = _tree(value, depth=1)
        if rest:
            raise unparsable(f'"logic tree ({value[:100]})"', f"unexpected {rest[:20]!r}")
        return Joined(word=cast("Literal['and', 'or']", plain), members=members, negated=negated)
    if not IS_NAME.fullmatch(word.strip('"')):
        raise unparsable(f'"filter ({word[:100]})"', "a column is a plain name")
    return _test(word.strip('"'), value)


def _test(column: str, text: str) -> Test:
    negated = text.startswith("not.")
    operator, dot, value = text.removeprefix("not.").partition(".")
    name = operator.partition("(")[0]
    if name in _FOREIGN or operator != name:
        raise not_offered(f"the operator {operator[:20]}")
    if not dot or operator not in _OPERATORS:
        raise unparsable(f'"filter ({text[:100]})"', f"unexpected {operator[:20]!r}")
    if operator == "in":
        if not (value.startswith("(") and value.endswith(")")):
            raise unparsable(f'"filter ({text[:100]})"', "in takes values in brackets")
        return Test(column=column, operator=operator, value=_listed(value[1:-1]), negated=negated)
    if operator in ("like", "ilike") and sum(map(value.count, "*%_")) > MAX_WILDCARDS:
        raise RestError(400, "PGRST100", f"more than {MAX_WILDCARDS} wildcards")
    return Test(column=column, operator=operator, value=value, negated=negated)


def _tree(text: str, *, depth: int) -> tuple[tuple[Filter, ...], str]:
    """Return the members of `(a.eq.1,or(...))` and what follows the bracket."""
    if depth > MAX_DEPTH:
        raise RestError(400, "PGRST100", f"conditions more than {MAX_DEPTH} deep")
    found: list[Filter] = []
    follows = "("
    while text.startswith(follows):
        member, text = _member(text[1:], depth=depth)
        found.append(member)
        if len(found) > MAX_FILTERS:
            raise RestError(400, "PGRST100", f"more than {MAX_FILTERS} conditions")
        follows = ","
    if not found or not text.startswith(")"):
        raise unparsable('"logic tree"', "a bracket is missing")
    return tuple(found), text[1:]


def _member(text: str, *, depth: int) -> tuple[Filter, str]:
    if match := re.match(r"(not\.)?(and|or)(?=\()", text):
        members, rest = _tree(text[match.end() :], depth=depth + 1)
        word = cast("Literal['and', 'or']", match[2])
        return Joined(word=word, members=members, negated=bool(match[1])), rest
    piece, rest = _piece(text)
    column, dot, said = piece.partition(".")
    if not dot or not IS_NAME.fullmatch(column):
        raise unparsable('"logic tree"', f"unexpected {piece[:40]!r}")
    return _test(column, _unquoted(said)), rest


def _piece(text: str) -> tuple[str, str]:
    """Return one condition, up to the comma or bracket that ends it, and the rest."""
    depth, quoted, at = 0, False, 0
    while at < len(text):
        sign = text[at]
        if quoted and sign == "\\":
            at += 1
        elif sign == '"':
            quoted = not quoted
        elif not quoted and sign == "(":
            depth += 1
        elif not quoted and sign in ",)" and not depth:
            break
        elif not quoted and sign == ")":
            depth -= 1
        at += 1
    return text[:at], text[at:]


def _unquoted(text: str) -> str:
    """Take the quotes from the value of a condition inside a tree."""
    head, dot, value = text.rpartition('."')
    if dot and value.endswith('"'):
        return f"{head}.{_plain(value[:-1])}"
    return text


def _listed(text: str) -> tuple[str, ...]:
    """Return the values of `in`, whose quotes keep commas and brackets."""
    found: list[str] = []
    while text:
        if text.startswith('"'):
            match = re.match(r'"((?:[^"\\]|\\.)*)"(?:,|$)', text, re.DOTALL)
            if not match:
                raise unparsable('"filter"', "a quote is not closed")
            found.append(_plain(match[1]))
            text = text[match.end() :]
        else:
            value, _, text = text.partition(",")
            found.append(value)
        if len(found) > MAX_LISTED:
            raise RestError(400, "PGRST100", f"in takes at most {MAX_LISTED} values")
    return tuple(found)


def _plain(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
