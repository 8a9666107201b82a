"""The part of JSON Schema that Ollama turns into a grammar.

Ollama hands `format` to llama.cpp, which compiles objects, arrays, enums, `const`, `anyOf`,
`minItems`/`maxItems`, `minLength`/`maxLength` and integer bounds. It refuses the whole request for
a `pattern` that is not anchored at both ends and for repetitions beyond a fixed number (2,000 in
its `llama-grammar.cpp`), so these two go; the border in `core/shape` checks them afterwards.
"""

from __future__ import annotations

from typing import Any

_MOST_REPEATS = 1_000
_REPEATS = frozenset({"minLength", "maxLength", "minItems", "maxItems"})
_REFUSED = frozenset({"pattern"})


def for_grammar(schema: Any) -> Any:
    """Return `schema` without the keywords that would make the server refuse it."""
    if isinstance(schema, list):
        return [for_grammar(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "properties" in schema:
        named = {name: for_grammar(value) for name, value in schema["properties"].items()}
        rest = {key: value for key, value in schema.items() if key != "properties"}
        return {**for_grammar(rest), "properties": named}
    return {key: for_grammar(value) for key, value in schema.items() if not _refused(key, value)}


def _refused(key: str, value: Any) -> bool:
    if key in _REPEATS and isinstance(value, int):
        return value > _MOST_REPEATS
    return key in _REFUSED
