"""`scout config`: the settings, where each comes from, and changing one in the file."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from scout_cli.cli import setting, streams, tables
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.config import Loaded, choice, edit, holds_secret, survey
from scout_cli.core import shape
from scout_cli.errors import InvalidInput

_LONGEST_SECRET = 10_000
_HIDDEN = "***"
_COLUMNS = (Column("setting"), Column("value", wide=True), Column("from"))


@click.group("config", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Show and change the settings, and where each comes from.

    \b
    Example:
      scout config set num_ctx 16384
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("show")
@click.option("--changed", is_flag=True, help="Only what is not at its default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def show(session: Session, *, changed: bool, as_json: bool) -> None:
    """Show every setting, its value and where that was said; secrets stay hidden.

    \b
    Example:
      scout config show --changed
    """  # noqa: D301 - see above
    loaded = session.load()
    rows = [_row(loaded, name) for name in loaded.origins]
    chosen = [row for row in rows if not changed or row["origin"] != "default"]
    if as_json:
        streams.put_json({"path": loaded.path and str(loaded.path), "settings": chosen})
    elif chosen:
        shown = [(str(row["name"]), _told(row), str(row["origin"])) for row in chosen]
        tables.show(_COLUMNS, shown)
    else:
        streams.say("all settings are at their defaults; change one: scout config set NAME VALUE")


@command.command("path")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def path(session: Session, *, as_json: bool) -> None:
    """Print the file that is read, or that `scout config set` would make.

    \b
    Example:
      $EDITOR "$(scout config path)"
    """  # noqa: D301 - see above
    looked = survey.places(session.config)
    used = next((place for place in looked if place.is_there), None)
    if as_json:
        rows = [{"path": str(p.path), "why": p.why, "exists": p.is_there} for p in looked]
        written = str(setting.file_of(session))
        streams.put_json({"path": used and str(used.path), "write": written, "looked": rows})
        return
    for place in looked:
        state = "read" if place == used else "not read" if place.is_there else "not there"
        streams.say(f"{state:<9}  {streams.line(str(place.path))}  ({place.why})")
    streams.put(streams.line(str(used.path if used else setting.file_of(session))))


@command.command("set")
@click.argument("name")
@click.argument("words", nargs=-1, metavar="VALUE...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def set_(session: Session, name: str, words: tuple[str, ...], *, as_json: bool) -> None:
    """Write a setting into the file; comments and all other settings stay as they are.

    Several values make a list. A secret is not taken as an argument, where other users could read
    it: give - and type it, or send it to standard input.

    \b
    Examples:
      scout config set search_url searxng+http://127.0.0.1:8080 ddgs://
      scout config set ollama_api_key - < key.txt
    """  # noqa: D301 - see above
    known = choice.named(name)
    if not words:
        hint = f"scout config set {known} VALUE   or, without it: scout config unset {known}"
        raise InvalidInput(f"{known}: the value is missing", hint=hint)
    from_stdin = words == ("-",)
    given = _from_stdin(known) if from_stdin else words
    if not from_stdin and choice.is_secret(known, words):
        raise InvalidInput(
            f"{known}: a secret does not belong on a command line, where others can read it",
            hint=f"scout config set {known} -   and type it, or send it to standard input",
        )
    value = choice.parsed(known, given)
    target = setting.file_of(session)
    text = edit.set_value(edit.read(target), known, value)
    setting.keep(target, text)
    _report(session, target, known, as_json=as_json, done="set")


@command.command("unset")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def unset(session: Session, name: str, *, as_json: bool) -> None:
    """Take a setting out of the file, so that its default holds again.

    \b
    Example:
      scout config unset num_ctx
    """  # noqa: D301 - see above
    target = setting.file_of(session)
    before = edit.read(target)
    known = name if edit.is_set(before, name) else choice.named(name)
    text = edit.unset(before, known)
    if text != before:
        setting.keep(target, text)
    done = "unset" if text != before else "was not set"
    _report(session, target, known, as_json=as_json, done=done)


def _row(loaded: Loaded, name: str) -> dict[str, Any]:
    value = shape.plain(getattr(loaded.settings, name))
    if choice.is_secret_name(name):
        value = _HIDDEN if value else ""
    return {"name": name, "value": _redacted(value), "origin": loaded.origins[name]}


def _redacted(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    if not isinstance(value, str):
        return value
    hidden = streams.redact(value)
    # A password is cut out; other secrets stand anywhere in the address.
    if holds_secret(hidden.replace(f":{_HIDDEN}@", "@")):
        return f"{value.partition(':')[0]}://{_HIDDEN}"
    return hidden


def _told(row: dict[str, Any]) -> str:
    value = row["value"]
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _from_stdin(name: str) -> tuple[str, ...]:
    if streams.is_terminal(sys.stdin):
        typed: str = click.prompt(name, hide_input=True, err=True)
        return (typed.strip(),)
    text = sys.stdin.read(_LONGEST_SECRET + 1) if sys.stdin else ""
    if not text.strip() or len(text) > _LONGEST_SECRET:
        raise InvalidInput(
            f"{name}: standard input holds no value",
            hint=f"printf %s VALUE | scout config set {name} -",
        )
    return tuple(text.split()) if choice.is_list(name) else (text.strip(),)


def _report(session: Session, target: Path, name: str, *, as_json: bool, done: str) -> None:
    """Say what was done, and whether the environment has the last word on it."""
    if as_json:
        streams.put_json({"name": name, "path": str(target), "done": done})
    else:
        streams.say(f"{name} {done} in {streams.line(shlex.quote(str(target)))}")
    setting.warn_if_overruled(session, name)
