"""`scout run`: run saved scouts now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scout_cli.app import App
from scout_cli.cli import looking, streams, telling
from scout_cli.cli.looking import View
from scout_cli.cli.names import SCOUT
from scout_cli.cli.session import Session, drive, pass_session
from scout_cli.core.models import Scout
from scout_cli.errors import InvalidInput, ScoutError
from scout_cli.service import runs


@click.command("run")
@click.argument("names", metavar="SCOUT...", nargs=-1, type=SCOUT)
@looking.view_options
@looking.record_options
@pass_session
def command(session: Session, /, **given: Any) -> int:
    """Run scouts now and print what is new.

    SCOUT is an id, the beginning of one, or a title. Several run one after another. With
    --replay the recording says what to look for, and no SCOUT is needed.

    \b
    Example:
      scout run 1a2b3c4d
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    names: tuple[str, ...] = given["names"]
    view = View(given["as_json"], given["quiet"], given["exit_code"])
    if given["replay"]:
        return replay(Path(given["replay"]), view)
    _check(names, record=given["record"])
    record = Path(given["record"]) if given["record"] else None
    return session.run(lambda app: _run_all(app, names, view, record))


def replay(folder: Path, view: View) -> int:
    """Repeat the run that `folder` holds and return the exit code."""
    return drive(lambda: looking.look(view, "", lambda emit: runs.replay(folder, emit)))


def _check(names: tuple[str, ...], *, record: str | None) -> None:
    if not names:
        raise InvalidInput("which scout?", hint="scout list shows them; scout run --help")
    if record and len(names) > 1:
        raise InvalidInput("--record keeps one run", hint=f"scout run SCOUT --record {record}")


async def _run_all(app: App, names: tuple[str, ...], view: View, record: Path | None) -> int:
    saved = await app.scouts()
    scouts = [await saved.find(name) for name in names]
    codes = [await _run(app, scout, view, record) for scout in scouts]
    await telling.send(app, view)
    return looking.worst(codes)


async def _run(app: App, scout: Scout, view: View, record: Path | None) -> int:
    """Run one scout; what stops it does not stop those after it."""
    service = await app.runs()
    try:
        return await looking.look(
            view, scout.title, lambda emit: service.run(scout, emit, record=record), app.notes
        )
    except ScoutError as error:
        return streams.tell(error, as_json=view.as_json)
