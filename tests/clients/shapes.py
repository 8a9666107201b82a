"""What a JSON value looks like: kinds where values differ from run to run, literals where not.

    shape({"id": "0f8f...", "status": "running", "n": 3})
    # {"id": "uuid", "status": "=running", "n": "number"}

A string in a shape is a kind (`uuid time token text number boolean null`), several kinds
(`null|time`), a literal (`=running`) or a name (`{{scout1}}`) for a value that a later request
sends back; a literal may hold names. `true`, `false` and `null` stand for themselves. A list has
one shape for all its elements, or none when it is empty, and `?` after it where it may be. A key
that ends in `?` may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

KINDS = {
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "token": re.compile(r"ey[\w-]+\.ey[\w-]+\.[\w-]+|(fc|msg|resp|call)_\w{8,}"),
}
LITERAL = frozenset(
    "aud code error_code event extension firecrawl_key_status frequency object ref join_ref"
    " role schema status step_type table taskStatus token_type topic type".split()
)
"""Keys whose values are the same each time, and mean something."""
MAYBE = "?"
"""The second element in the shape of a list that may be empty."""
_NAME = re.compile(r"\{\{(\w+)\}\}")


def kind(value: Any) -> str:
    """Return what kind of leaf a value is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return next((name for name, form in KINDS.items() if form.fullmatch(value)), "text")


def shape(value: Any, key: str = "") -> Any:
    """Return the shape of a value.

    Args:
        value: of JSON, in which names stand for what is sent back.
        key: under which it was found.
    """
    if isinstance(value, dict):
        return {name: shape(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return merged_all([shape(inner) for inner in value])
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and key in LITERAL:
        return f"={value}"
    return kind(value)


def merged_all(shapes: list[Any]) -> list[Any]:
    """Return a list with the one shape that all of `shapes` have; empty for none."""
    if not shapes:
        return []
    one, *others = shapes
    for other in others:
        one = merged(one, other)
    return [one]


def merged(one: Any, other: Any) -> Any:
    """Return the shape that values of both shapes have."""
    if one == other:
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        return _merged_keys(one, other)
    if isinstance(one, list) and isinstance(other, list):
        rows = [each for each in (*one, *other) if each != MAYBE]
        sure = one and other and MAYBE not in (*one, *other)
        return merged_all(rows) if sure else [*merged_all(rows), MAYBE]
    if isinstance(one, dict | list) or isinstance(other, dict | list):
        return "any"
    kinds = {*_kinds(one), *_kinds(other)}
    return "any" if "any" in kinds else "|".join(sorted(kinds))


def _merged_keys(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    ones, others = _by_key(one), _by_key(other)
    found: dict[str, Any] = {}
    for key in [*ones, *(key for key in others if key not in ones)]:
        (first, sure), (second, certain) = (
            ones.get(key, (None, False)),
            others.get(key, (None, False)),
        )
        name = key if sure and certain else f"{key}?"
        both = key in ones and key in others
        found[name] = merged(first, second) if both else first if key in ones else second
    return found


def _by_key(shape_: Mapping[str, Any]) -> dict[str, tuple[Any, bool]]:
    return {key.removesuffix("?"): (inner, not key.endswith("?")) for key, inner in shape_.items()}


def _kinds(leaf: Any) -> list[str]:
    if leaf is None or isinstance(leaf, bool):
        return [kind(leaf)]
    if _NAME.fullmatch(leaf):
        return ["text"]
    return str(leaf).split("|")


def differences(wanted: Any, value: Any, known: dict[str, str], at: str = "$") -> list[str]:
    """Return where a value has another shape, in words; learn names on the way.

    Args:
        wanted: the shape.
        value: of JSON.
        known: values by name; those met for the first time are added.
        at: where the value was found.
    """
    if isinstance(wanted, dict):
        return _of_object(wanted, value, known, at)
    if isinstance(wanted, list):
        return _of_list(wanted, value, known, at)
    if isinstance(wanted, str) and (name := _NAME.fullmatch(wanted)):
        if not isinstance(value, str) or not value:
            return [f"{at}: {value!r} instead of {wanted}"]
        expected = known.setdefault(name[1], value)
        return [] if value == expected else [f"{at}: {value!r} instead of {wanted} {expected!r}"]
    if isinstance(wanted, str):
        wanted = _NAME.sub(lambda each: known.get(each[1], each[0]), wanted)
    return [] if _fits(wanted, value) else [f"{at}: {value!r:.80} instead of {wanted!r}"]


def _of_object(wanted: Mapping[str, Any], value: Any, known: dict[str, str], at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: {value!r:.80} instead of an object"]
    keys = _by_key(wanted)
    found = [f"{at}.{key}: is new" for key in value if key not in keys]
    for key, (inner, sure) in keys.items():
        if key in value:
            found += differences(inner, value[key], known, f"{at}.{key}")
        elif sure:
            found.append(f"{at}.{key}: is missing")
    return found


def _of_list(wanted: list[Any], value: Any, known: dict[str, str], at: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{at}: {value!r:.80} instead of a list"]
    if bool(wanted) != bool(value) and MAYBE not in wanted:
        return [f"{at}: has {len(value)} elements"]
    return [
        line
        for number, inner in enumerate(value)
        for line in differences(wanted[0], inner, known, f"{at}[{number}]")
    ]


def _fits(wanted: Any, value: Any) -> bool:
    if wanted is None or isinstance(wanted, bool):
        return wanted is value
    if wanted == "any":
        return True
    if isinstance(value, dict | list):
        return False
    choices = wanted.split("|")
    # A text may look like a time or an id by chance, not the other way round.
    texts = ["text"] if isinstance(value, str) else []
    return any(choice in choices for choice in [kind(value), f"={value}", *texts])
