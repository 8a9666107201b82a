"""The OpenAPI document, made from the table of routes and the types of bodies and answers.

Source: OpenAPI Specification 3.1.1; its schemas are JSON Schema 2020-12, as msgspec makes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from scout_cli.core import shape
from scout_cli.server import problems
from scout_cli.server.idempotency import HEADER
from scout_cli.server.problems import Problem
from scout_cli.server.routing import Route

_ALWAYS = (400, 403, 421, 429, 500, 503)
"""Statuses that every route may answer."""
_REF = "#/components/schemas/{name}"
_BRACES = re.compile(r"\{(\w+)(\*?)\}")


def document(routes: Iterable[Route], *, version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of `routes`.

    Args:
        routes: the whole table.
        version: of the program.
    """
    table = list(routes)
    types = list(dict.fromkeys(_types(table)))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = dict(zip(types, schemas, strict=True))
    # Made apart: what could not be done in a run has the same name.
    components["ProblemDetails"] = shape.schema(Problem)
    schema_of[Problem] = {"$ref": _REF.format(name="ProblemDetails")}
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        operation = _operation(route, schema_of)
        for number, path in enumerate((route.path, *route.aliases)):
            name = operation["operationId"] + ("" if number == 0 else f"_{number + 1}")
            shown = {**operation, "operationId": name}
            paths.setdefault(_BRACES.sub(r"{\1}", path), {})[route.method.lower()] = shown
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "scout",
            "version": version,
            "description": "Tell it what you care about; it looks, and tells what is new. "
            "Whatever can be read with GET answers HEAD too, with the same headers.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in table)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A session's access token, or a token of `scout token create`.",
                }
            },
        },
    }


def _types(routes: Iterable[Route]) -> list[Any]:
    found = []
    for route in routes:
        if route.body is not None:
            found.append(route.body)
        if _is_json(route) and route.answer is not None:
            found.append(route.answer)
    return found


def _operation(route: Route, schema_of: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "tags": [route.tag],
        "responses": _responses(route, schema_of),
    }
    about = (route.handler.__doc__ or "").strip()
    if about and about.rstrip(".") != route.summary:
        operation["description"] = about
    if route.access in ("user", "admin"):
        operation["security"] = [{"bearer": []}]
    elif route.access == "public":
        operation["security"] = []
    if parameters := [*_in_path(route), *_in_query(route), *_headers(route)]:
        operation["parameters"] = parameters
    if route.body is not None:
        content: dict[str, Any] = {"schema": schema_of[route.body]}
        if route.example is not None:
            content["example"] = route.example
        operation["requestBody"] = {
            "required": not route.optional_body,
            "content": {"application/json": content},
        }
    return operation


def _name(route: Route) -> str:
    words = [part.strip("{}*") for part in route.path.split("/") if part not in ("", "api", "v1")]
    return "_".join([route.method.lower(), *words]).replace(".", "_").replace("-", "_")


def _responses(route: Route, schema_of: dict[Any, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.answer is not None:
        schema = schema_of.get(route.answer, {"type": "string"}) if _is_json(route) else _TEXT
        good["content"] = {route.content_type: {"schema": schema}}
    responses = {str(status): good for status in (route.status, *route.also)}
    for status in sorted({*_ALWAYS, *_follows(route), *route.errors}):
        if status == 304:
            responses["304"] = {"description": "What you have is what there is"}
            continue
        told = _problem(status, schema_of)
        both = {**responses.get(str(status), {}).get("content", {}), **told["content"]}
        responses[str(status)] = {**told, "content": both}
    return responses


_TEXT = {"type": "string"}


def _follows(route: Route) -> list[int]:
    """Return the statuses that follow from what a route takes."""
    found = [408] if not route.stream else []
    if route.access in ("user", "admin"):
        found.append(401)
    if route.body is not None:
        found += [413, 415]
    if route.idempotent_by_key:
        found.append(409)
    if _BRACES.search(route.path):
        found.append(404)
    if route.method == "GET" and _is_json(route):
        found.append(304)
    return found


def _problem(status: int, schema_of: dict[Any, Any]) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {problems.CONTENT_TYPE: {"schema": schema_of[Problem]}},
    }


def _in_path(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"} if star else {"type": "string", "format": "uuid"},
        }
        for name, star in _BRACES.findall(route.path)
    ]


def _in_query(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    _, parts = msgspec.json.schema_components([route.query], ref_template=_REF)
    fields = parts[route.query.__name__]
    told = _docs(route.query)
    needed = set(fields.get("required", ()))
    found = []
    for name, schema in fields["properties"].items():
        parameter: dict[str, Any] = {"name": name, "in": "query", "schema": _without_null(schema)}
        if name in needed:
            parameter["required"] = True
        if name in told:
            parameter["description"] = told[name]
        if schema.get("type") == "array":
            parameter["explode"] = False
        found.append(parameter)
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema as a query has it: a parameter that is left out is not null."""
    kept = {name: value for name, value in schema.items() if name != "anyOf"}
    if kept.get("default", 0) is None:
        del kept["default"]
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **kept}
    return {**kept, "anyOf": choices} if choices else kept


def _docs(kind: type) -> dict[str, str]:
    """Return what the type says of its fields, where it says so by `Meta`."""
    import typing  # noqa: PLC0415 - for whoever asks

    found = {}
    for field in msgspec.structs.fields(kind):
        for part in (field.type, *typing.get_args(field.type)):
            for meta in getattr(part, "__metadata__", ()):
                if getattr(meta, "description", None):
                    found[field.name] = meta.description
    return found


def _headers(route: Route) -> list[dict[str, Any]]:
    found = []
    if route.idempotent_by_key:
        text = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
        told = "Sent again under the same key, a request is answered again and not done again."
        found.append({"name": HEADER, "in": "header", "schema": text, "description": told})
    if 412 in route.errors:
        told = "The `ETag` that was read; 412 when somebody changed it since."
        found.append({"name": "If-Match", "in": "header", "schema": _TEXT, "description": told})
    return found


def _is_json(route: Route) -> bool:
    return route.content_type.split(";", maxsplit=1)[0].strip() == "application/json"
