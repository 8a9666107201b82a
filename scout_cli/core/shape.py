"""The border: JSON and TOML become typed values here, and typed values become JSON Schemas.

Everything that comes from outside (HTTP bodies, configuration, model output, tool arguments,
recordings) passes `decode` or `convert`; nothing else in scout validates by hand.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from scout_cli.errors import InvalidInput

T = TypeVar("T")


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that crosses a border: immutable, and unknown fields are refused."""


def decode(data: bytes | str, to: type[T], *, what: str = "the JSON") -> T:
    """Parse JSON text into `to`.

    Args:
        data: one JSON document.
        to: the type to build, usually a `Shape`.
        what: how the error names the document.

    Raises:
        InvalidInput: not JSON, or not of that shape; the message holds the path.
    """
    try:
        return msgspec.json.decode(data, type=to)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"{what}: {error}", hint=_hint(error, to)) from error


def convert(value: Any, to: type[T], *, what: str = "the value", strict: bool = True) -> T:
    """Build `to` from plain Python objects (dicts, lists, strings, numbers).

    Args:
        value: what a TOML or JSON parser returned.
        to: the type to build.
        what: how the error names the value.
        strict: refuse `"1"` for an integer; environment variables are read with False.

    Raises:
        InvalidInput: not of that shape; the message holds the path.
    """
    try:
        return msgspec.convert(value, to, strict=strict)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{what}: {error}", hint=_hint(error, to)) from error


def _hint(error: Exception, to: Any) -> str:
    """Return the fields that there are, for who named another at the top."""
    if not str(error).startswith("Object contains unknown field") or " - at " in str(error):
        return ""
    if not (isinstance(to, type) and issubclass(to, msgspec.Struct)):
        return ""
    return f"known: {', '.join(field.encode_name for field in msgspec.structs.fields(to))}"


def encode(value: Any) -> bytes:
    """Return `value` as one compact JSON document, UTF-8."""
    return msgspec.json.encode(value)


def plain(value: Any) -> Any:
    """Return `value` as dicts, lists, strings and numbers only, ready for any JSON encoder."""
    return msgspec.to_builtins(value)


def schema(of: type) -> dict[str, Any]:
    """Return the JSON Schema of `of` without `$ref`, as small models and grammars want it.

    Source: JSON Schema 2020-12; Ollama's structured outputs accept this subset.
    """
    (document,), definitions = msgspec.json.schema_components([of])
    inlined: dict[str, Any] = _inline(document, definitions)
    return inlined


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inline(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {key: _inline(value, definitions) for key, value in node.items() if key != "default"}
