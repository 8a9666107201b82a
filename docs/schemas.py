# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""JSON Schemas of what `--json` prints, made from the types that are printed.

Source: JSON Schema 2020-12, <https://json-schema.org/draft/2020-12>.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from fields import meanings

from scout_cli.core import events, models, shape

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_stream() -> dict[str, Any]:
    """Return the schema of one line of `scout run --json`."""
    kinds = {kind.__struct_config__.tag: _event(kind) for kind in get_args(events.Event)}
    return {
        "$schema": _DIALECT,
        "title": events.SCHEMA,
        "description": "One line of `scout run --json`. Fields and events are added within a"
        " version; readers pass over those that they do not know.",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds],
        "$defs": kinds,
    }


def listing() -> dict[str, Any]:
    """Return the schema of `scout list --json`."""
    return _document("scout list --json", {"scouts": _many(_glance())})


def history() -> dict[str, Any]:
    """Return the schema of `scout history --json`; `steps` is there with `--steps`."""
    run = _type(models.Execution)
    run["properties"]["steps"] = _many(_type(models.Step))
    return _document("scout history --json", {"executions": _many(run)})


def showing() -> dict[str, Any]:
    """Return the schema of `scout show --json`."""
    fields = {**_glance()["properties"], "last_with_news": _maybe(_type(models.Execution))}
    return _document("scout show --json", fields)


def findings() -> dict[str, Any]:
    """Return the schema of `scout findings --json`."""
    return _document("scout findings --json", {"findings": _many(_type(models.Finding))})


def _event(kind: type) -> dict[str, Any]:
    described = _type(kind)
    if kind is events.RunStarted:
        described["properties"]["schema"] = {"const": events.SCHEMA}
        described["required"].append("schema")
    return described


def _type(kind: type) -> dict[str, Any]:
    """Return the schema of a type, with the texts that stand under its fields."""
    described = shape.schema(kind)
    for name, text in meanings(kind).items():
        if name in described["properties"]:
            described["properties"][name] = {"description": text, **described["properties"][name]}
    return described


def _glance() -> dict[str, Any]:
    last = _maybe(_type(models.Execution))
    return _object({"scout": _type(models.Scout), "last": last, "findings": {"type": "integer"}})


def _document(title: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"$schema": _DIALECT, "title": title, **_object(fields)}


def _object(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(fields), "required": list(fields)}


def _many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _maybe(item: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "null"}]}


FILES = {
    "events-v1": event_stream,
    "list-v1": listing,
    "show-v1": showing,
    "history-v1": history,
    "findings-v1": findings,
}
"""File name without `.schema.json` -> what makes it."""
