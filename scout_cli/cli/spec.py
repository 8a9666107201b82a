"""`scout --spec`: the whole command line as one JSON document, for programs that drive it."""

from __future__ import annotations

import inspect
import re
from collections.abc import MutableMapping
from typing import Any

import click

from scout_cli.cli.streams import ExitCode

VERSION = "scout.spec/1"

_ENVIRONMENT = re.compile(r"\s*\[env: ([A-Z][A-Z0-9_]*)\]")
_EXAMPLE = re.compile(r"\n*\x08\nExamples?:\n((?:  .*\n?)+)")
_EXIT_CODES = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "the command line or the configuration cannot be used",
    ExitCode.NOT_FOUND: "no such scout, run or finding",
    ExitCode.UNAVAILABLE: "a part outside scout is not available",
    ExitCode.NOTHING_NEW: "with --exit-code: nothing new",
    ExitCode.DEGRADED: "with --exit-code: nothing new, but not everything could be looked at",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.BROKEN_PIPE: "whoever read the output went away",
}


def document(root: click.Group) -> dict[str, Any]:
    """Return the command line as one JSON value; the same program always gives the same.

    Args:
        root: the command line's root; every command is imported.
    """
    described = _command(root, "scout", root.context_settings)
    return {
        "schema": VERSION,
        **described,
        "exit_codes": [{"code": int(c), "meaning": text} for c, text in _EXIT_CODES.items()],
    }


def _command(
    command: click.Command, path: str, settings: MutableMapping[str, Any]
) -> dict[str, Any]:
    context = click.Context(command, info_name=path, **settings)
    text, examples = _split(inspect.cleandoc(command.help or ""))
    shown = [each for each in command.get_params(context) if not getattr(each, "hidden", False)]
    described: dict[str, Any] = {
        "name": path,
        "summary": text.partition("\n")[0],
        "help": text,
        "examples": examples,
        "usage": " ".join([path, *command.collect_usage_pieces(context)]),
        "arguments": [_argument(each) for each in shown if isinstance(each, click.Argument)],
        "options": [_option(each) for each in shown if isinstance(each, click.Option)],
    }
    if isinstance(command, click.Group):
        found = [
            (name, command.get_command(context, name)) for name in command.list_commands(context)
        ]
        described["commands"] = [
            _command(each, f"{path} {name}", settings)
            for name, each in found
            if each and not each.hidden
        ]
    return described


def _split(text: str) -> tuple[str, list[str]]:
    """Return the help without its examples, and the examples as command lines."""
    found = _EXAMPLE.search(text)
    rows = found[1].splitlines() if found else []
    left = _EXAMPLE.sub("", text).replace("\x08\n", "").strip()
    return left, [row.strip() for row in rows if row.strip()]


def _argument(argument: click.Argument) -> dict[str, Any]:
    return {
        "name": (argument.metavar or argument.name or "").strip("[].").upper(),
        **_value(argument),
        "required": argument.required,
        "many": argument.nargs == -1,
    }


def _option(option: click.Option) -> dict[str, Any]:
    text = option.help or ""
    twin = _ENVIRONMENT.search(text)
    default = None if option.is_flag or option.multiple else _plain(option.default)
    return {
        "flags": [*option.opts, *option.secondary_opts],
        **_value(option),
        "required": option.required,
        "many": option.multiple,
        "default": default,
        "env": twin[1] if twin else None,
        "help": _ENVIRONMENT.sub("", text).strip(),
    }


def _value(param: click.Parameter) -> dict[str, Any]:
    """Return what kind of value a parameter takes."""
    if isinstance(param, click.Option) and param.is_flag:
        return {"type": "flag"}
    kind = param.type
    if isinstance(kind, click.Choice):
        return {"type": "choice", "choices": [str(choice) for choice in kind.choices]}
    if isinstance(kind, click.IntRange | click.FloatRange):
        name = "integer" if isinstance(kind, click.IntRange) else "number"
        return {"type": name, "minimum": kind.min, "maximum": kind.max}
    if isinstance(kind, click.Path | click.File):
        return {"type": "path"}
    named = {"text": "text", "integer": "integer", "float": "number", "scout": "scout"}
    return {"type": named.get(kind.name, "text")}


def _plain(value: object) -> Any:
    """Return a default as JSON; click marks the absence of one with an object of its own."""
    return value if isinstance(value, str | int | float | bool) else None
