"""What `--json` prints: the names are fixed, and the schema files describe it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from scout_cli.core.events import SCHEMA
from tests.cli.stage import GOAL, LIMITED, SILENT, add, call

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schema"
FACT = (
    "canonical_url changed fact host id novelty path published_at published_from quote reason"
    " same_as similarity source stated_date story_id title url answered_by"
)
EVENTS = {
    "run_started": "at budget embedder event goal id model schema search title window",
    "step_started": "at description event input kind number",
    "step_finished": "answered_by at completion_tokens error event kind number output"
    " prompt_tokens seconds status",
    "page_seen": "at canonical_url content_hash detail etag event final_url host http_status"
    " last_modified outcome published_at published_from source step text title url",
    "fact_verified": "at event fact quote repaired source step",
    "fact_compared": "at event fact",
    "trouble": "at event problem",
    "run_finished": "at event result seconds",
}


def validator(name: str) -> Draft202012Validator:
    """Return what checks against one of the published schema files."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def rows(*words: str, code: int = 0) -> list[dict[str, Any]]:
    """Run a command and return the JSON Lines it printed."""
    said = call(*words)
    assert said.code == code, said.err
    return [json.loads(row) for row in said.out.splitlines()]


def known(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """Return whether every key in `value` is one that the schema names, however deep."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return known(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    for either in ("oneOf", "anyOf"):
        if either in schema:
            fitting = [s for s in schema[either] if _fits(s, value, root)]
            return any(known(each, value, root) for each in fitting)
    if isinstance(value, list):
        heads = schema.get("prefixItems", [])
        first = all(known(*each, root) for each in zip(heads, value, strict=False))
        rest = value[len(heads) :]
        return first and all(known(schema.get("items", {}), each, root) for each in rest)
    if isinstance(value, dict) and "properties" in schema:
        named = schema["properties"]
        return all(key in named and known(named[key], each, root) for key, each in value.items())
    return True


def _fits(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    return Draft202012Validator({**schema, "$defs": root.get("$defs", {})}).is_valid(value)


@pytest.mark.parametrize("goal", [GOAL, SILENT, LIMITED])
def test_every_event_of_a_run_fits_its_schema(goal):
    """News, silence and a search that is limited: each line is described, no field is unknown."""
    check = validator("events-v1")
    name = add("--title", "Ferry", goal=goal)
    found = rows("run", name, "--json", code=4 if goal == LIMITED else 0)
    for event in found:
        check.validate(event)
        assert known(check.schema, event, check.schema), event
    assert (found[0]["event"], found[0]["schema"]) == ("run_started", SCHEMA)
    assert found[-1]["event"] == "run_finished"


def test_the_names_in_the_events_are_fixed():
    """Scripts rely on these; a new one is added here on purpose, none goes away."""
    found = [*rows("run", add("--title", "Ferry"), "--json")]
    for event in found:
        assert " ".join(sorted(event)) == EVENTS[event["event"]]
    compared = next(event for event in found if event["event"] == "fact_compared")
    assert sorted(compared["fact"]) == sorted(FACT.split())
    assert sorted(found[-1]["result"]) == sorted(
        "counts facts items outcome planned problems results_summary sources summary unfinished "
        "usage".split()
    )


def test_a_schema_refuses_what_is_not_an_event():
    """The files are strict enough to fail."""
    check = validator("events-v1")
    (first, *_) = rows("once", GOAL, "--json")
    assert not check.is_valid({**first, "event": "something_else"})
    assert not check.is_valid({**first, "schema": "scout.events/2"})
    assert not check.is_valid({key: value for key, value in first.items() if key != "goal"})


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (["list"], "list-v1"),
        (["show", "Ferry"], "show-v1"),
        (["history"], "history-v1"),
        (["history", "Ferry", "--steps"], "history-v1"),
        (["findings", "--status", "all"], "findings-v1"),
    ],
)
def test_what_the_views_print_fits_their_schemas(words, schema):
    """Before a run and after it, with every field described."""
    check = validator(schema)
    add("--title", "Ferry", "--location", "Bonn, Germany")
    for _ in range(2):
        (printed,) = rows(*words, "--json")
        check.validate(printed)
        assert known(check.schema, printed, check.schema)
        assert call("run", "Ferry").code == 0


def test_once_prints_the_same_events():
    """`scout once --json` is the same stream, nothing stored."""
    found = rows("once", GOAL, "--json")
    check = validator("events-v1")
    for event in found:
        check.validate(event)
    assert found[0]["id"] is None
    assert call("list", "--json").out == '{"scouts":[]}\n'


def test_add_prints_the_scout():
    """One object; with --run the events follow it."""
    (added,) = rows("add", GOAL, "--tz", "UTC", "--json")
    assert sorted(added) == ["answered_by", "note", "scout"]
    assert (added["answered_by"], added["note"]) == ("built-in", "")
    schema = validator("list-v1").schema
    scout = schema["properties"]["scouts"]["items"]["properties"]["scout"]
    Draft202012Validator(scout).validate(added["scout"])
    assert known(scout, added["scout"], scout)
    first, second, *_ = rows("add", GOAL, "--tz", "UTC", "--json", "--run")
    assert sorted(first) == ["answered_by", "note", "scout"]
    assert second["event"] == "run_started"


def test_init_db_prints_what_it_applied():
    """The names of the migrations, once."""
    (first,), (second,) = rows("init-db", "--json"), rows("init-db", "--json")
    assert first["applied"][0] == "0001_initial"
    assert second == {"applied": []}
