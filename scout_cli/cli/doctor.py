"""`scout doctor`: what works, and the command that mends what does not."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.streams import ExitCode
from scout_cli.config import Loaded


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, *, as_json: bool) -> int:
    """Check database, model, search, fetching, configuration.

    \b
    Example:
      scout doctor
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    lines = _Lines(as_json=as_json)
    lines.add("configuration", ok=True, detail=_origin(session.load()), hint="")

    async def work(app: App) -> None:
        async for check in app.checks():
            lines.add(check.name, ok=check.ok, detail=check.detail, hint=check.hint)

    session.run(work)
    return lines.end()


class _Lines:
    """Prints the checks as they come, or all at the end as JSON."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._checks: list[dict[str, object]] = []

    def add(self, name: str, *, ok: bool, detail: str, hint: str) -> None:
        detail, hint = streams.redact(detail), streams.redact(hint)
        self._checks.append({"name": name, "ok": ok, "detail": detail, "hint": hint})
        if self._as_json:
            return
        streams.put(f"{'ok  ' if ok else 'FAIL'}  {name:<13}  {streams.line(detail)}")
        if not ok:
            streams.put(f"      {'':<13}  {streams.line(hint) or 'scout doctor --json'}")
        streams.flush()

    def end(self) -> int:
        ok = all(check["ok"] for check in self._checks)
        if self._as_json:
            streams.put_json({"ok": ok, "checks": self._checks})
        return ExitCode.OK if ok else ExitCode.UNAVAILABLE


def _origin(loaded: Loaded) -> str:
    """Return where the settings came from; values stay out, one may be a password."""
    changed = [f"{name} ({o})" for name, o in loaded.origins.items() if o != "default"]
    where = str(loaded.path) if loaded.path else "no scouts.toml"
    return f"{where}; {', '.join(changed) if changed else 'all settings at their defaults'}"
