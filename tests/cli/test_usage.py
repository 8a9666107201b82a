"""What is typed wrong: exit 2 or 3, and the nearest match."""

from __future__ import annotations

import json
import re

import click
import pytest

from scout_cli.cli import COMMANDS, scout
from tests.cli.stage import GOAL, add, call


@pytest.mark.parametrize(
    ("words", "code", "message", "hint"),
    [
        (["lst"], 2, "no such command 'lst'", "did you mean: scout list"),
        (["xyzzy"], 2, "no such command 'xyzzy'", "scout --help"),
        ([""], 2, "no such command ''", "scout --help"),
        (["list", "--jsn"], 2, "no such option --jsn", "did you mean --json?"),
        (["list", "--database", "x"], 2, "no such option --database", "before the command"),
        (["list", "--debug"], 2, "no such option --debug", "before the command"),
        (["add"], 2, "Missing argument 'GOAL'", "scout add --help"),
        (["add", " "], 2, "the goal is empty", "scout add"),
        (["add", GOAL, "more"], 2, "unexpected extra argument", "scout add --help"),
        (["add", GOAL, "--every", "dayly"], 2, "unknown rhythm 'dayly'", "did you mean daily?"),
        (["add", GOAL, "--every", "daily", "--cron", "0 9 * * 1"], 2, "one rhythm", "not both"),
        (["add", GOAL, "--cron", "0 0 30 2 *"], 2, "0 0 30 2 *", "0 9 * * 1"),
        (["add", GOAL, "--cron", "60 * * * *"], 2, "60 * * * *", "0 9 * * 1"),
        (["add", GOAL, "--cron", "* * * * * *"], 2, "five fields", "0 9 * * 1"),
        (["add", GOAL, "--tz", "Europe/Berln"], 2, "zone 'Europe/Berln'", "did you mean"),
        (["add", GOAL, "--tz", "Mars/Base"], 2, "zone 'Mars/Base'", "Europe/Berlin"),
        (["add", GOAL, "--url", "file:///etc/passwd"], 2, "not a web address", "https://"),
        (["add", GOAL, "--lang", "../x"], 2, "not a language tag", "pt-BR"),
        (["run"], 2, "which scout?", "scout list"),
        (["once"], 2, "what to look for?", "scout once"),
        (["run", "x", "--replay", "/nowhere"], 2, "'/nowhere' does not exist", "scout run --help"),
        (["findings", "--since", "soon"], 2, "not a moment", "7d"),
        (["findings", "--status", "nu"], 2, "'nu' is not one of", "scout findings --help"),
        (["history", "--limit", "0"], 2, "0 is not in the range", "scout history --help"),
        (["--database", "mysql://h/db", "list"], 2, "mysql", "sqlite"),
        (["--config", "/nowhere.toml", "list"], 2, "/nowhere.toml: No such file", "--config"),
    ],
)  # fmt: skip
def test_a_wrong_command_line(words, code, message, hint):
    """Two lines on stderr and nothing on stdout."""
    said = call(*words)
    first, second = said.err.splitlines()
    assert (said.code, said.out) == (code, "")
    assert first.startswith("scout: error: ")
    assert message in first
    assert second.startswith("  ")
    assert hint in second


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "'; rm -rf /", "-rf", "", "x" * 100_000, "%", "_", "\x1b[2J", "00"]
)
@pytest.mark.parametrize("command", ["show", "run", "history"])
def test_a_scout_that_is_not_there(command, name):
    """Whatever the name looks like, it is only a name; nothing of it reaches the terminal raw."""
    add()
    said = call(command, "--", name)
    assert said.code == 3
    assert said.err.startswith("scout: error: no scout ")
    assert len(said.err.splitlines()) == 2
    assert len(said.err) < 500
    assert "\x1b" not in said.err


def test_the_nearest_scout_is_offered():
    """A slip of the finger in a title is corrected."""
    add("--title", "Hollen ferry")
    said = call("show", "Holen fery")
    assert said.code == 3
    assert "did you mean 'Hollen ferry'?" in said.err


@pytest.mark.parametrize(
    ("flag", "variable"),
    [
        ("--api-key=abc123", "OLLAMA_API_KEY"),
        ("--apikey", "OLLAMA_API_KEY"),
        ("--token", "OLLAMA_API_KEY"),
        ("--ollama-api-key", "OLLAMA_API_KEY"),
        ("--db-password=abc123", "SCOUT_DATABASE_URL"),
    ],
)
def test_secrets_as_flags_are_refused(flag, variable):
    """The error names the variable to use and does not repeat the secret."""
    said = call("list", flag, "abc123")
    assert said.code == 2
    assert variable in said.err
    assert "abc123" not in said.err


def test_a_password_in_the_database_flag_is_refused():
    """It would stand in `ps` and in the shell's history."""
    said = call("--database", "postgresql://u:hunter2@h/db", "list")
    assert said.code == 2
    assert "SCOUT_DATABASE_URL" in said.err
    assert "hunter2" not in said.err


def test_errors_are_json_on_demand():
    """One object on stderr, for usage errors too."""
    said = call("show", "--json", "nobody")
    assert json.loads(said.err)["error"]["code"] == "not_found"
    assert said.out == ""
    assert json.loads(call("list", "--json", "--no").err)["error"]["code"] == "usage"


def test_the_table_is_what_the_commands_say():
    """Each command's first help line stands in the table, is short and begins with a verb."""
    context = click.Context(scout)
    for name, text in COMMANDS.items():
        command = scout.get_command(context, name)
        assert command is not None
        assert command.help is not None
        assert command.help.split("\n")[0] == text
        assert len(text) <= 60
        assert text[0].isupper()
        assert text.endswith(".")
        assert command.name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_and_explains_its_options(name):
    """`scout COMMAND --help` is enough to use it."""
    said = call(name, "--help")
    assert said.code == 0
    example = re.search(r"\n  Examples?:\n((?:    .*\n)+)", said.out)
    assert example
    assert f"scout {name}" in re.sub(r"scout --\S+ \S+", "scout", example[1])
    command = scout.get_command(click.Context(scout), name)
    assert command is not None
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


def test_completion_names_commands_without_importing_them():
    """Tab on `scout hi` gives history."""
    found = scout.shell_complete(click.Context(scout), "hi")
    assert [(item.value, item.help) for item in found] == [("history", COMMANDS["history"])]
    options = scout.shell_complete(click.Context(scout), "--da")
    assert [item.value for item in options] == ["--database"]
