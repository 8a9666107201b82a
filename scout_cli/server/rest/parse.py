"""From the text of a request to `Asked`. Nothing here knows a table.

Source: https://docs.postgrest.org/en/stable/references/api/tables_views.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from scout_cli.server.rest.asked import Asked, Embedded, Key, Part, Picked, Preferences
from scout_cli.server.rest.conditions import IS_NAME, MAX_FILTERS, condition
from scout_cli.server.rest.failures import RestError, not_offered, unparsable

MAX_SELECTED = 64
MAX_QUERY = 8_192
"""Characters of a query string."""

_NAME = IS_NAME.pattern
_ITEM = re.compile(rf"(?:(?P<alias>{_NAME}):)?(?P<name>{_NAME}|\*)(?P<hint>![a-z_]+)?")


def query(pairs: Sequence[tuple[str, str]]) -> Asked:
    """Return what a query string asks for.

    Args:
        pairs: names and values, decoded, in their order.

    Raises:
        RestError: it is not in the grammar, asks for what is not offered, or for too much.
    """
    parts: dict[str, dict[str, Any]] = {}
    whole: dict[str, Any] = {}
    filters = 0
    for name, value in pairs:
        if name in _OF_WHOLE:
            whole[name] = _OF_WHOLE[name](value)
            continue
        path, word = _place(name)
        part = parts.setdefault(path, {"filters": ()})
        if word in _OF_PART:
            part[word] = _OF_PART[word](value)
        else:
            part["filters"] += (condition(word, value),)
            filters += 1
    if filters > MAX_FILTERS:
        raise RestError(400, "PGRST100", f"more than {MAX_FILTERS} filters")
    made = {path: Part(**part) for path, part in parts.items()}
    return Asked(root=made.pop("", Part()), parts=made, **whole)


def _place(name: str) -> tuple[str, str]:
    """Return the embedded table that a name is about, empty for none, and the rest of it."""
    match = re.fullmatch(rf"(?:({_NAME})\.)?((?:not\.)?(?:and|or)|[^.]+)", name)
    if not match or match[1] == "not":
        return "", name
    return match[1] or "", match[2]


def selected(text: str) -> tuple[Picked | Embedded, ...]:
    """Return the items of `select`.

    Raises:
        RestError: see `query`.
    """
    items, rest = _items(text.replace(" ", "") or "*", depth=0)
    if rest:
        raise unparsable(f'"select parameter ({text[:100]})"', f"unexpected {rest[:20]!r}")
    return items


def _items(text: str, *, depth: int) -> tuple[tuple[Picked | Embedded, ...], str]:
    found: list[Picked | Embedded] = []
    follows = ""
    while not found or text.startswith(follows):
        item, text = _item(text[len(follows) :], depth=depth)
        found.append(item)
        if len(found) > MAX_SELECTED:
            raise RestError(400, "PGRST100", f"more than {MAX_SELECTED} columns")
        follows = ","
    return tuple(found), text


def _item(text: str, *, depth: int) -> tuple[Picked | Embedded, str]:
    match = _ITEM.match(text)
    if not match:
        raise unparsable('"select parameter"', f"unexpected {text[:20]!r}")
    rest = text[match.end() :]
    alias, name, hint = match["alias"] or "", match["name"], match["hint"] or ""
    if not rest.startswith("("):
        if hint or rest.startswith((":", "-", ".")):
            raise unparsable('"select parameter"', f"unexpected {(hint + rest)[:20]!r}")
        return Picked(column=name, alias=alias), rest
    if depth:
        raise not_offered("embedding below the first level")
    inside, rest = _items(rest[1:], depth=depth + 1)
    if not rest.startswith(")"):
        raise unparsable('"select parameter"', "a bracket is missing")
    return Embedded(table=name, alias=alias, inner=_inner(hint), items=inside), rest[1:]


def _inner(hint: str) -> bool:
    if hint not in ("", "!inner", "!left"):
        raise not_offered(f"the hint {hint}")
    return hint == "!inner"


def ordered(text: str) -> tuple[Key, ...]:
    """Return the keys of `order`.

    Raises:
        RestError: see `query`.
    """
    keys = []
    for each in text.split(","):
        name, *words = each.strip().split(".")
        known = [*words]
        descending = bool(known and known[0] == "desc")
        if known and known[0] in ("asc", "desc"):
            known.pop(0)
        nulls = {"nullsfirst": True, "nullslast": False}.get(known[0]) if known else None
        if nulls is not None:
            known.pop(0)
        if known or not IS_NAME.fullmatch(name):
            raise unparsable(f'"order ({text[:100]})"', f"unexpected {each[:40]!r}")
        keys.append(Key(column=name, descending=descending, nulls_first=nulls))
    return tuple(keys)


def _whole(text: str, word: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text):
        raise unparsable(f'"{word} parameter ({text[:40]})"', "a whole number from 0 on")
    return int(text)


def _names(text: str, what: str) -> tuple[str, ...]:
    names = tuple(part.strip().strip('"') for part in text.split(","))
    if not all(IS_NAME.fullmatch(name) for name in names):
        raise unparsable(f'"{what} ({text[:100]})"')
    return names


_OF_WHOLE: dict[str, Callable[[str], Any]] = {
    "select": selected,
    "columns": lambda text: _names(text, "columns parameter"),
    "on_conflict": lambda text: _names(text, "on_conflict parameter"),
}
_OF_PART: dict[str, Callable[[str], Any]] = {
    "order": ordered,
    "limit": lambda text: _whole(text, "limit"),
    "offset": lambda text: _whole(text, "offset"),
}


def preferences(headers: Sequence[str]) -> Preferences:
    """Return what the `Prefer` headers ask for; what is not known is passed over (RFC 7240)."""
    if not headers:
        return Preferences()
    found: dict[str, str] = {}
    for each in ",".join(headers).split(","):
        name, _, value = each.strip().partition("=")
        found.setdefault(name.strip().lower(), value.strip())
    chosen: dict[str, Any] = {}
    for name, field, allowed in (
        ("return", "returning", ("minimal", "representation", "headers-only")),
        ("count", "count", ("exact", "planned", "estimated")),
        ("resolution", "resolution", ("merge-duplicates", "ignore-duplicates")),
    ):
        if found.get(name) in allowed:
            chosen[field] = found[name]
    return Preferences(**chosen)


def paged(header: str, unit: str) -> tuple[int, int | None] | None:
    """Return offset and limit of a `Range` header; None when there is none that counts.

    Raises:
        RestError: it ends before it begins.
    """
    if not header:
        return None
    match = re.fullmatch(r"(\d{1,18})-(\d{0,18})", header.strip())
    if not match or unit not in ("", "items"):
        return None
    first, last = int(match[1]), match[2]
    if last and int(last) < first:
        raise RestError(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            details="The lower boundary must be lower than or equal to the upper boundary "
            "in the Range header.",
        )
    return first, int(last) - first + 1 if last else None
