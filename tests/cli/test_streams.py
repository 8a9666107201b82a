"""What reaches a terminal, and how errors look."""

from __future__ import annotations

import errno
import json

import click
import pytest

from scout_cli.cli import streams
from scout_cli.cli.streams import ExitCode, guard
from scout_cli.errors import (
    ConfigError,
    Conflict,
    InvalidInput,
    ModelUnavailable,
    NotFound,
    ScoutError,
)


def raising(error: BaseException):
    """Return a command that raises."""

    def work():
        raise error

    return work


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("\x1b(0line\x1bcreset", "linereset"),
        ("\x9b31mC1", "31mC1"),
        ("\x9d0;t\x9cC1", "C1"),
        ("a\x00b\x07c\x7fd\x85e", "abcde"),
        ("a\u202eb\u2066c\u200fd\u061ce", "abcde"),
        ("a\u200bb\ufeffc\u2060d\xade", "abcde"),
        ("a\U000e0041\U000e007fb\U000e0100c", "abc"),
        ("a\ud800b", "ab"),
        ("one\r\ntwo\rthree\u2028four", "one twothreefour"),
        ("a\tb  c\n", "a b c"),
        ("\x1b", ""),
        ("grüße 日本 👍 [bold]x[/bold] :smile:", "grüße 日本 👍 [bold]x[/bold] :smile:"),
    ],
)
def test_a_line_is_safe(text, shown):
    """Escape sequences, controls, direction marks, invisible characters and tags are gone."""
    assert streams.line(text) == shown


def test_a_block_keeps_its_lines():
    """Only new lines and tabs survive of the controls."""
    assert streams.block("a\x1b[2J\r\n\tb\x08\n") == "a\n\tb\n"


def test_json_keeps_hidden_characters_as_escapes(capsys):
    """Data stays exact and yet nothing hidden is written."""
    value = {"title": "a\x1b[31m\u202e\u200b\x9b\U000e0041"}
    streams.put_json(value)
    written = capsys.readouterr().out
    assert json.loads(written) == value
    assert written.isascii()
    assert "\x1b" not in written


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (ScoutError("what", hint="do"), 1, "failed"),
        (ConfigError("what", hint="do"), 2, "config"),
        (InvalidInput("what", hint="do"), 2, "invalid"),
        (NotFound("what", hint="do"), 3, "not_found"),
        (ModelUnavailable("what", hint="do"), 4, "model_unavailable"),
        (Conflict("what", hint="do"), 1, "conflict"),
        (click.UsageError("what."), 2, "usage"),
        (ExceptionGroup("", [ValueError(), NotFound("what", hint="do")]), 3, "not_found"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (RecursionError("deep"), 1, "internal"),
    ],
)
def test_every_error_is_two_lines_and_a_code(capsys, error, code, name):
    """What happened, what to type; with --json one object with the name to branch on."""
    assert guard(raising(error), []) == code
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("scout: error: ")
    assert second.startswith("  ")
    assert second.strip()
    assert guard(raising(error), ["list", "--json"]) == code
    told = json.loads(capsys.readouterr().err)
    assert told["error"]["code"] == name
    assert set(told["error"]) == {"code", "message", "hint"}


def test_an_unexpected_error_has_a_traceback_only_on_demand(capsys):
    """--debug shows where; without it nobody sees a stack."""
    guard(raising(ZeroDivisionError("x" * 1_000)), [])
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert "--debug" in err
    assert len(err) < 500
    guard(raising(ZeroDivisionError("x")), ["--debug"])
    assert "Traceback" in capsys.readouterr().err


def test_errors_show_no_password_and_no_escape(capsys):
    """An error often quotes what it was given."""
    error = ScoutError("cannot open postgresql://u:hunter2@h/db \x1b[2J", hint="u:\u202e")
    assert guard(raising(error), []) == 1
    err = capsys.readouterr().err
    assert "hunter2" not in err
    assert "postgresql://u:***@h/db" in err
    assert "\x1b" not in err
    assert "\u202e" not in err


def test_a_broken_pipe_is_quiet(capsys):
    """Whoever stops reading is not told that they did."""
    assert guard(raising(BrokenPipeError(errno.EPIPE, "x")), []) == ExitCode.BROKEN_PIPE
    assert capsys.readouterr() == ("", "")


def test_flags_after_two_dashes_are_words():
    """`-- --json` is text."""
    assert guard(raising(ScoutError("x")), ["--", "--json"]) == 1


@pytest.mark.parametrize(("value", "code"), [(None, 0), (0, 0), (10, 10), (ExitCode.DEGRADED, 20)])
def test_a_command_returns_its_exit_code(value, code):
    """None means all is well."""
    assert guard(lambda: value, []) == code
