"""The OpenAPI document: whole, valid, and true of what the server answers."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest

from scout_cli.core.shape import encode
from scout_cli.server.api.document import described
from scout_cli.server.routes import ROUTES
from tests.server.furnishing import furnish

DOCUMENT = described()


def _validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    whole = {**schema, "components": DOCUMENT["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(whole, format_checker=checker)


def _shown(path: str) -> str:
    return path.replace("*}", "}")


def test_every_route_is_described():
    """Each method and path of the table, aliases included, is in the document, and no other."""
    table = {
        (route.method.lower(), _shown(path))
        for route in ROUTES
        for path in (route.path, *route.aliases)
    }
    told = {(method, path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert told == table


def test_operations_have_names_of_their_own():
    """No two operations share an operationId, and each says in a line what it does."""
    found = [each for item in DOCUMENT["paths"].values() for each in item.values()]
    names = [each["operationId"] for each in found]
    assert len(names) == len(set(names))
    assert all(each["summary"] and each["tags"] for each in found)


def test_every_schema_is_one():
    """All component schemas are JSON Schema 2020-12, and every reference leads to one."""
    schemas = DOCUMENT["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    refs = set(re.findall(r"#/components/schemas/([^'\"]+)", str(DOCUMENT)))
    assert refs <= set(schemas)


def test_every_parameter_of_a_path_is_described():
    """Names in braces and path parameters are the same."""
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            told = {
                each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"
            }
            assert told == set(re.findall(r"\{(\w+)\}", path)), path


@pytest.mark.parametrize(
    "route",
    [each for each in ROUTES if each.body is not None],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_every_body_has_an_example_that_is_valid(route):
    """Whatever takes a body shows one, and it is valid by the schema."""
    operation = DOCUMENT["paths"][_shown(route.path)][route.method.lower()]
    content = operation["requestBody"]["content"]["application/json"]
    assert "example" in content
    _validator(content["schema"]).validate(content["example"])


async def test_answers_are_as_described(server):
    """What the server answers is valid by the schema of its status, for rows of every kind."""
    ann = await server.sign_up()
    has = await furnish(server, ann, location=None)
    asked = 0
    for route in ROUTES:
        names = set(re.findall(r"\{(\w+)\}", route.path))
        if route.method != "GET" or route.access != "user" or names - set(has.ids) or route.stream:
            continue
        query = "?q=ferry" if route.path.endswith("/search") else ""
        said = await server.get(route.path.format(**has.ids) + query, ann)
        assert said.status == 200, (route.path, said.body)
        operation = DOCUMENT["paths"][_shown(route.path)]["get"]
        content = operation["responses"]["200"]["content"]
        if route.content_type == "application/json":
            _validator(content["application/json"]["schema"]).validate(said.json)
            asked += 1
    assert asked > 15


async def test_examples_work(server):
    """The examples of scouts, messages, preferences and opinions are taken as they stand."""
    ann = await server.sign_up()
    has = await furnish(server, ann)
    for route in ROUTES:
        if route.tag not in ("scouts", "messages", "preferences", "findings") or not route.body:
            continue
        said = await server.call(
            route.method, route.path.format(**has.ids), ann, json=route.example
        )
        assert said.status == route.status, (route.path, said.body)
        operation = DOCUMENT["paths"][_shown(route.path)][route.method.lower()]
        schema = operation["responses"][str(said.status)]["content"]["application/json"]["schema"]
        _validator(schema).validate(said.json)


async def test_errors_are_as_described(server):
    """A problem document is valid by its schema."""
    said = await server.get("/scouts")
    content = DOCUMENT["paths"]["/scouts"]["get"]["responses"]["401"]["content"]
    _validator(content["application/problem+json"]["schema"]).validate(said.json)


async def test_document_and_page_are_public_and_come_from_here(server):
    """Both are served without a token; the page names every operation and loads nothing."""
    said = await server.get("/openapi.json")
    assert said.json == json.loads(encode(DOCUMENT))
    page = await server.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.names: set[str] = set()
            self.links: list[str] = []

        def handle_starttag(self, tag, attrs):
            assert tag not in ("script", "link", "img", "iframe", "object", "form")
            found = dict(attrs)
            self.names.add(found.get("id", ""))
            self.links += [found[name] for name in ("href", "src") if name in found]

    reader = Reader()
    reader.feed(page.body.decode())
    names = {each["operationId"] for item in DOCUMENT["paths"].values() for each in item.values()}
    assert names <= reader.names
    assert all(link == "/openapi.json" or link[1:] in reader.names for link in reader.links)
