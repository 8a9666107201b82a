"""`scout doctor`: what works, and the command that mends what does not."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager, aclosing, nullcontext
from typing import TYPE_CHECKING, Any, cast

import click

from scout_cli.cli import streams
from scout_cli.cli.session import Session, drive, pass_session
from scout_cli.cli.streams import ExitCode
from scout_cli.config import Loaded, machine_timezone, survey
from scout_cli.errors import ConfigError
from scout_cli.service import checks, diagnosis
from scout_cli.service.checks import Check
from scout_cli.service.clocks import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from rich.console import Console

_WORDS = {"ok": "ok", "warn": "warn", "fail": "FAIL"}
_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_NAMES = 24
"""Columns for the names of checks; a longer one moves its line."""


@click.command("doctor")
@click.option("--fix", is_flag=True, help="First put right what can be put right safely.")
@click.option("--integrity", is_flag=True, help="Also look for what can never be in the database.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, once all is checked.")
@pass_session
def command(session: Session, *, fix: bool, integrity: bool, as_json: bool) -> int:
    """Check every part that scout works with, and say what helps.

    Each part is tried for real, within a bound in time: one search per engine, one short answer of
    the model, one page. A warning does not fail; exit 4 when a part does not work, 2 when the
    configuration is wrong. --fix applies pending migrations, makes files with secrets private,
    removes what killed page readers left behind, and makes missing embedding vectors.

    \b
    Examples:
      scout doctor
      scout doctor --json | jq -r '.checks[] | select(.status != "ok") | .hint'
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    report = _Report(as_json=as_json)
    given = {"database_url": session.database}
    if fix:
        report.done(_private(session))
    found = survey.survey(session.config, given)
    for check in _configuration(found):
        report.add(check)
    with report.waiting():
        drive(lambda: _examine(session, found.loaded, report, fix=fix, integrity=integrity))
    return report.end()


async def _examine(
    session: Session, loaded: Loaded | None, report: _Report, *, fix: bool, integrity: bool
) -> None:
    if loaded is None:
        await _follow(diagnosis.examine_machine(machine_timezone, SystemClock()), report)
        return
    async with session.opener(loaded.settings) as app:
        if fix:
            report.done(await app.mend())
        await _follow(app.checks(integrity=integrity), report)


async def _follow(found: AsyncIterator[Check], report: _Report) -> None:
    async with aclosing(cast("AsyncGenerator[Check, None]", found)) as told:
        async for check in told:
            report.add(check)


def _private(session: Session) -> list[str]:
    """Make the file of settings private when it holds a secret; return what was done."""
    from scout_cli.config import edit  # noqa: PLC0415 - only with --fix

    places = [place.path for place in survey.places(session.config) if place.is_there]
    try:
        if not places or not edit.holds_secret(places[0].read_text("utf-8-sig")):
            return []
        line = diagnosis.make_private(places[0])
    except (ConfigError, OSError, UnicodeError):
        return []  # the survey tells of it
    return [line] if line else []


def _configuration(found: survey.Surveyed) -> list[Check]:
    name = "configuration"
    if not found.problems:
        assert found.loaded is not None
        detail, data = _origin(found.loaded), _origins(found.loaded)
        return [Check(name=name, ok=True, detail=detail, data=data)]
    faults = [
        checks.failed(name if number == 1 else f"{name} {number}", error)
        for number, error in enumerate(found.problems, 1)
    ]
    if found.loaded is None:
        detail = "without it only this machine can be checked"
        faults.append(Check(name=f"{name} file", ok=True, warn=True, detail=detail))
    return faults


def _origin(loaded: Loaded) -> str:
    """Return where the settings came from; values stay out, one may be a password."""
    changed = [f"{name} ({o})" for name, o in loaded.origins.items() if o != "default"]
    where = str(loaded.path) if loaded.path else "no scouts.toml"
    return f"{where}; {', '.join(changed) if changed else 'all settings at their defaults'}"


def _origins(loaded: Loaded) -> dict[str, Any]:
    changed = {name: origin for name, origin in loaded.origins.items() if origin != "default"}
    return {"path": loaded.path and str(loaded.path), "changed": changed}


class _Report:
    """Prints the checks as they come, or all at the end as JSON."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._checks: list[Check] = []
        self._fixed: list[str] = []
        self._console: Console | None = None
        if not as_json and streams.is_terminal(sys.stdout):
            self._console = streams.console(sys.stdout)

    def waiting(self) -> AbstractContextManager[object]:
        """Show a person that something is still being tried."""
        if self._console is None:
            return nullcontext()
        return self._console.status("trying every part; a model may take minutes to load")

    def done(self, lines: Iterable[str]) -> None:
        """Print what was put right."""
        for line in lines:
            shown = streams.line(streams.redact(line))
            self._fixed.append(shown)
            if not self._as_json:
                self._print("fixed" if not line.startswith("not done") else "FAIL", "", shown, "")

    def add(self, check: Check) -> None:
        """Print a check, and below it what to do."""
        self._checks.append(check)
        if self._as_json:
            return
        detail, hint = (streams.line(streams.redact(t)) for t in (check.detail, check.hint))
        if check.status == "fail" and not hint:
            hint = "scout doctor --json tells more"
        self._print(check.status, check.name, detail, hint)

    def end(self) -> int:
        """Print the JSON, and return the exit code."""
        failed = [check for check in self._checks if not check.ok]
        if self._as_json:
            ordered = sorted(self._checks, key=lambda check: diagnosis.place(check.name))
            document = {"ok": not failed, "checks": [_plain(check) for check in ordered]}
            streams.put_json({**document, "fixed": self._fixed})
        if any(map(checks.is_configuration, failed)):
            return ExitCode.USAGE
        return ExitCode.UNAVAILABLE if failed else ExitCode.OK

    def _print(self, status: str, name: str, detail: str, hint: str) -> None:
        name, word = streams.line(name), _WORDS.get(status, status)
        if self._console is not None:
            _draw(self._console, word, _STYLES.get(status, "green"), name, detail, hint)
        else:
            streams.put(f"{word:<5} {name:<{_NAMES}}  {detail}")
            if hint:
                streams.put(f"{'':<5} {'':<{_NAMES}}  {hint}")
        streams.flush()


def _plain(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "status": check.status,
        "detail": streams.redact(check.detail),
        "hint": streams.redact(check.hint),
        "data": _redacted(check.data),
    }


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _redacted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner) for inner in value]
    return streams.redact(value) if isinstance(value, str) else value


def _draw(console: Console, word: str, style: str, name: str, detail: str, hint: str) -> None:
    """Draw one line to the terminal's width, its text in a column of its own."""
    from rich.table import Table  # noqa: PLC0415 - only a person's terminal needs it
    from rich.text import Text  # noqa: PLC0415 - see above

    row = Table.grid(padding=(0, 2, 0, 0), expand=True)
    row.add_column(width=5, no_wrap=True)
    row.add_column(width=_NAMES, overflow="fold")
    row.add_column(ratio=1, overflow="fold")
    row.add_row(Text(word, style=style), Text(name), Text(detail))
    if hint:
        row.add_row("", "", Text(hint, style="bold"))
    console.print(row)
