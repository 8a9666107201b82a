# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""Write the reference pages that follow from the program itself.

python docs/generate.py            write them
python docs/generate.py --check    exit 1 when one is out of date, and name it
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click
import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import inside  # noqa: E402 - only now the tree is on the path
import schemas  # noqa: E402
from fields import meanings  # noqa: E402

from scout_cli import cli, config, errors  # noqa: E402
from scout_cli.cli import spec  # noqa: E402
from scout_cli.core import events  # noqa: E402
from scout_cli.service.declared import DeclaredScout  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by docs/generate.py: edit the program or that script, then `make docs`. -->"
WIDTH = 96


def commands() -> str:
    """Return the page of all commands: the text of `--help`, one section per command."""
    return "\n\n".join([_HEAD_COMMANDS, _help(cli.scout, "scout"), *_sections(cli.scout, "scout")])


def _sections(group: click.Group, path: str) -> Iterator[str]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        full = f"{path} {name}"
        yield from (f"## `{full}`", _help(command, full))
        if isinstance(command, click.Group):
            yield from _sections(command, full)


def settings() -> str:
    """Return the page of all settings: default, form, environment twin and meaning."""
    documented = meanings(config.Settings)
    parts = [_HEAD_SETTINGS]
    for info in msgspec.structs.fields(config.Settings):
        twin = f"- Environment: `{config.environment_name(info.name)}`"
        parts.append(_field(info, documented[info.name], twin))
    return "\n\n".join(parts)


def scouts_toml() -> str:
    """Return the page of the `[[scout]]` tables of scouts.toml."""
    documented = meanings(DeclaredScout)
    tables = [_field(info, documented[info.name]) for info in msgspec.structs.fields(DeclaredScout)]
    return "\n\n".join([_HEAD_SCOUTS_TOML, *tables])


def _field(info: msgspec.structs.FieldInfo, meaning: str, *more: str) -> str:
    form = f"- Form: {_form(msgspec.inspect.type_info(info.type))}"
    return "\n".join(
        [f"## `{info.name}`", "", meaning, "", form, f"- Default: {_default(info)}", *more]
    )


def event_page() -> str:
    """Return the page of all events with their fields."""
    parts = [_HEAD_EVENTS]
    for kind in get_args(events.Event):
        tag = kind.__struct_config__.tag
        hints = get_type_hints(kind)
        documented = meanings(kind)
        rows = "\n".join(
            f"| `{info.encode_name}` | {_type_name(hints[info.name])} "
            f"| {documented.get(info.name, '')} |"
            for info in msgspec.structs.fields(kind)
            if info.name != "at"
        )
        summary = inspect.cleandoc(kind.__doc__ or "")
        parts.append(f"## `{tag}`\n\n{summary}\n\n| field | type | |\n|---|---|---|\n{rows}")
    return "\n\n".join(parts)


def error_page() -> str:
    """Return the page of exit codes and errors."""
    rows = "\n".join(
        f"| `{kind.code}` | {kind.exit_code} | {_first_line(kind)} |"
        for kind in _tree(errors.ScoutError)
    )
    return f"{_HEAD_ERRORS}\n\n| `code` | exit code | when |\n|---|---|---|\n{rows}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _page(build: Callable[[], str]) -> Callable[[], str]:
    return lambda: f"{NOTE}\n\n{build()}"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": _page(commands),
    "settings.md": _page(settings),
    "scouts-toml.md": _page(scouts_toml),
    "events.md": _page(event_page),
    "exit-codes.md": _page(error_page),
    **{name: _page(build) for name, build in inside.PAGES.items()},
    "spec.json": lambda: _json(spec.document(cli.scout)),
    **{
        f"schema/{name}.schema.json": lambda build=build: _json(build())
        for name, build in schemas.FILES.items()
    },
}
"""File below docs/reference -> what makes its text."""

_HEAD_COMMANDS = """# Commands

Data goes to stdout, talk to stderr. `--json` prints data as one object, or as JSON Lines where a
command prints a stream. A scout is named by its title, its id or a unique beginning of its id. How
commands end: [exit codes](exit-codes.md)."""

_HEAD_SETTINGS = """# Settings

Every setting can stand in four places; a later one wins: the default, the `[settings]` table of
`scouts.toml`, the environment, a flag. Lists are separated by white space in the environment.

```toml
[settings]
llm_url = "ollama://127.0.0.1:11434/qwen3:8b"
search_url = ["searxng+http://127.0.0.1:8080", "ddgs://"]
```

`scouts.toml` is the file named by `--config`, else by `SCOUT_CONFIG`, else the one in the working
directory, else the one in the platform's configuration folder. Unknown keys are refused."""

_HEAD_SCOUTS_TOML = """# Scouts in scouts.toml

`scout apply` makes the scouts what the `[[scout]]` tables of a file say; `scout export` writes such
a file. Unknown keys are refused.

```toml
[[scout]]
key = "ferry"
goal = "When does the ferry to Hollen Island run again?"
every = "daily"
location = "Saltmere"
```"""

_HEAD_EVENTS = """# Events

What the agent says while it works. `scout run --json` prints one event a line; `ScoutAgent.stream`
yields the same values as Python objects of `scout_cli.core.events`. Each has an `event` field with
the name below and `at`, a UTC time. A run begins with `run_started` and ends with `run_finished`;
every `step_started` has its `step_finished`, in failure too.

The stream is versioned: `run_started` names its `schema`, which
[a JSON Schema](schema/events-v1.schema.json) describes. Events and fields are added within a
version, so readers pass over what they do not know. `scout demo --json` prints the runs of three
days; a line `{"event": "day", ...}` stands before each.

What other commands print has a schema too: [list](schema/list-v1.schema.json),
[show](schema/show-v1.schema.json), [history](schema/history-v1.schema.json) and
[findings](schema/findings-v1.schema.json)."""

_HEAD_ERRORS = """# Exit codes and errors

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | the command line or the configuration cannot be used |
| 3 | no such scout, run or finding |
| 4 | a part outside scout is not available: database, model, search, a package |
| 10 | with `scout run --exit-code`: nothing new |
| 20 | with `scout run --exit-code`: nothing new, but not everything could be looked at |
| 130 | interrupted with Ctrl-C |

An error is two lines on stderr: what happened, and what to type. With `--json` it is one object:
`{"error": {"code": "...", "message": "...", "hint": "..."}}`. Programs branch on `code`:"""


def _help(command: click.Command, name: str) -> str:
    context = click.Context(
        command,
        info_name=name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        color=False,
        **cli.scout.context_settings,
    )
    return f"```text\n{command.get_help(context).strip()}\n```"


def _form(info: msgspec.inspect.Type) -> str:
    kinds = msgspec.inspect
    match info:
        case kinds.UnionType(types=types):
            told = [each for each in types if not isinstance(each, kinds.NoneType)]
            return ", or ".join(_form(each) for each in told)
        case kinds.VarTupleType(item_type=item):
            return f"list, each {_form(item)}"
        case kinds.IntType(ge=low, le=high) | kinds.FloatType(ge=low, le=high):
            whole = "whole " if isinstance(info, kinds.IntType) else ""
            return f"{whole}number{_bounds(low, high)}"
        case kinds.LiteralType(values=values):
            return " or ".join(f"`{value}`" for value in values)
    return {kinds.BoolType: "`true` or `false`", kinds.StructType: "a table"}.get(
        type(info), "text"
    )


def _bounds(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f" from {low:,} to {high:,}"


def _default(info: msgspec.structs.FieldInfo) -> str:
    if info.default is msgspec.NODEFAULT:
        return "depends on the platform"
    if isinstance(info.default, bool):
        return f"`{str(info.default).lower()}`"
    if isinstance(info.default, tuple):
        return ", ".join(f"`{each}`" for each in info.default) or "none"
    return "none" if info.default in ("", None) else f"`{info.default}`"


def _type_name(hint: Any) -> str:
    return f"`{_spelled(hint)}`"


def _spelled(hint: Any) -> str:
    """Spell a type the same way on every version of Python."""
    if hint is None or hint is type(None):
        return "None"
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " \\| ".join(f'"{value}"' for value in inner)
    if origin in (Union, UnionType):
        return " \\| ".join(_spelled(each) for each in inner)
    if origin is not None:
        return (
            f"{origin.__name__}[{', '.join(_spelled(each) for each in inner if each is not ...)}]"
        )
    return getattr(hint, "__name__", str(hint).rpartition(".")[2])


def _tree(root: type[errors.ScoutError]) -> Iterator[type[errors.ScoutError]]:
    if root.__module__ != errors.__name__:
        return
    yield root
    for kind in root.__subclasses__():
        yield from _tree(kind)


def _first_line(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]


def main() -> int:
    """Write the pages, or check them; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the generated reference pages.")
    parser.add_argument("--check", action="store_true", help="write nothing, name stale pages")
    check = parser.parse_args().check
    stale = 0
    for name, build in PAGES.items():
        path = REFERENCE / name
        text = f"{build()}\n"
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale += 1
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        verb = "is out of date: make docs" if check else "written"
        sys.stdout.write(f"{path.relative_to(ROOT)} {verb}\n")
    return int(check and stale > 0)


if __name__ == "__main__":
    raise SystemExit(main())
