"""The interface as a page for people: our own HTML, no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from scout_cli.core import shape


def page(document: dict[str, Any], style: str) -> str:
    """Return an OpenAPI document as HTML.

    Args:
        document: as `openapi.document` makes it.
        style: the style sheet.
    """
    groups: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            groups.setdefault(operation["tags"][0], []).append((method, path, operation))
    info = document["info"]
    index = "".join(f'<li><a href="#{escape(tag)}">{escape(tag)}</a></li>' for tag in groups)
    body = "".join(_group(tag, found) for tag, found in groups.items())
    schemas = "".join(
        _schema(name, each) for name, each in document["components"]["schemas"].items()
    )
    title = f"{escape(info['title'])} {escape(info['version'])}"
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style></head><body><nav><h2>{title}</h2><ul>{index}"
        '<li><a href="#types">types</a></li></ul><p><a href="/openapi.json">openapi.json</a></p>'
        f"</nav><main><h1>{title}</h1><p>{escape(info['description'])}</p>{_opening()}{body}"
        f'<section id="types"><h2>types</h2>{schemas}</section></main></body></html>'
    )


def _opening() -> str:
    return (
        "<p>Send <code>Authorization: Bearer TOKEN</code>: the access token of a session"
        " (<code>POST /auth/login</code>) or one of <code>scout token create</code>. Errors are"
        " <code>application/problem+json</code> with a <code>code</code> for programs and a"
        " <code>hint</code> for people.</p>"
    )


def _group(tag: str, found: list[tuple[str, str, dict[str, Any]]]) -> str:
    return (
        f'<section id="{escape(tag)}"><h2>{escape(tag)}</h2>{"".join(map(_one, found))}</section>'
    )


def _one(each: tuple[str, str, dict[str, Any]]) -> str:
    method, path, operation = each
    parts = "".join(_details(operation))
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><b class="{method}">'
        f"{method.upper()}</b> <code>{escape(path)}</code>"
        f" <span>{escape(operation['summary'])}</span></summary>{parts}</details>"
    )


def _details(operation: dict[str, Any]) -> Iterator[str]:
    if "description" in operation:
        yield f"<p>{escape(operation['description'])}</p>"
    if operation.get("parameters"):
        rows = "".join(_parameter(each) for each in operation["parameters"])
        yield f"<h3>Parameters</h3><table>{rows}</table>"
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        yield f"<h3>Body</h3><p>{_type(content['schema'])}</p>"
        if "example" in content:
            yield f"<pre>{escape(_pretty(content['example']))}</pre>"
    rows = "".join(_response(status, told) for status, told in operation["responses"].items())
    yield f"<h3>Answers</h3><table>{rows}</table>"


def _parameter(each: dict[str, Any]) -> str:
    needed = " (needed)" if each.get("required") else ""
    return (
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}{needed}</td>"
        f"<td>{_type(each['schema'])}</td><td>{escape(each.get('description', ''))}</td></tr>"
    )


def _response(status: str, told: dict[str, Any]) -> str:
    kinds = ", ".join(_type(each["schema"]) for each in told.get("content", {}).values())
    return (
        f"<tr><td>{escape(status)}</td><td>{escape(told['description'])}</td><td>{kinds}</td></tr>"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    needed = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{'' if field in needed else ' ?'}</td>"
        f"<td>{_type(each)}</td></tr>"
        for field, each in schema.get("properties", {}).items()
    )
    about = escape(schema.get("description", ""))
    head = f"<code>{escape(name)}</code> <span>{about}</span>"
    return (
        f'<details id="type-{escape(name)}"><summary>{head}</summary>'
        f"<table>{rows}</table></details>"
    )


def _type(schema: dict[str, Any]) -> str:
    """Return a schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#type-{escape(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        items = schema.get("items")
        return f"list of {_type(items)}" if isinstance(items, dict) else "list"
    said = str(schema.get("type", "anything"))
    return escape(f"{said} ({schema['format']})" if "format" in schema else said)


def _pretty(value: Any) -> str:
    import msgspec  # noqa: PLC0415 - for whoever asks

    return msgspec.json.format(shape.encode(value), indent=2).decode()
