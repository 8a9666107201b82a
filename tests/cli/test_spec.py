"""`scout --spec`: one JSON document that describes every command, and nothing that is not there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from scout_cli.cli import COMMANDS, scout
from scout_cli.cli.streams import ExitCode
from tests.cli.stage import call

GOLDEN = Path(__file__).parents[2] / "docs" / "reference" / "spec.json"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """Give the document that the command prints."""
    said = call("--spec")
    assert (said.code, said.err) == (0, "")
    assert said.out.count("\n") == 1
    found: dict[str, Any] = json.loads(said.out)
    return found


def every(command: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a described command and those below it."""
    yield command
    for inner in command.get("commands", ()):
        yield from every(inner)


def test_it_is_what_the_reference_holds(spec):
    """The golden file; `make docs` writes it on purpose."""
    assert json.loads(GOLDEN.read_text("utf-8")) == spec


def test_every_command_is_there(spec):
    """In the order of the table, each with help, an example and its options explained."""
    names = [each["name"].removeprefix("scout ") for each in spec["commands"]]
    assert names == list(COMMANDS)
    for each in every(spec):
        assert each["summary"], each
        assert each["help"].startswith(each["summary"])
        assert each["examples"], each["name"]
        assert "Example" not in each["help"]
        assert [option["flags"] for option in each["options"] if not option["help"]] == []


def test_exit_codes_are_complete(spec):
    """Each code that the program can end with has its meaning."""
    assert [each["code"] for each in spec["exit_codes"]] == [int(code) for code in ExitCode]
    assert all(each["meaning"] for each in spec["exit_codes"])


def test_a_program_can_build_a_command_line_from_it(spec):
    """Types, choices, bounds, defaults and environment twins are those of the program."""
    by_name = {each["name"]: each for each in every(spec)}
    options = {o["flags"][0]: o for o in by_name["scout findings"]["options"]}
    assert options["--limit"] | {"help": ""} == {
        "flags": ["--limit"],
        "type": "integer",
        "minimum": 1,
        "maximum": 100_000,
        "required": False,
        "many": False,
        "default": 50,
        "env": None,
        "help": "",
    }
    assert "possible_repeat" in options["--status"]["choices"]
    assert options["--status"]["many"]
    root = {o["flags"][0]: o for o in spec["options"]}
    assert root["--config"]["env"] == "SCOUT_CONFIG"
    assert root["--database"]["env"] == "SCOUT_DATABASE_URL"
    (goal,) = by_name["scout add"]["arguments"]
    assert (goal["name"], goal["required"], goal["many"]) == ("GOAL", True, False)
    (names,) = by_name["scout run"]["arguments"]
    assert (names["name"], names["type"], names["many"]) == ("SCOUT", "scout", True)


_INSIDE = re.compile(r"[(;|]\s*(scout [^)|<>]*)")
"""A command line of scout among others of a shell."""


def test_every_example_is_a_command_line_that_parses(spec):
    """Whoever copies an example gets no usage error."""
    for each in every(spec):
        for example in each["examples"]:
            inner = None if example.startswith("scout ") else re.search(_INSIDE, example)
            words = shlex.split(inner[1] if inner else re.split(r" [|<] ", example)[0])
            assert words[0] == "scout", example
            parse(scout, words[1:])


def parse(command: click.Command, words: list[str]) -> None:
    """Parse words as `command` and those below it would, running nothing."""
    with command.make_context("scout", list(words), obj=None) as context:
        rest = [*context._protected_args, *context.args]
        if isinstance(command, click.Group) and rest:
            _, inner, left = command.resolve_command(context, rest)
            assert inner is not None
            parse(inner, left)
