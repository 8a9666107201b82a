"""`scout once`: look without saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scout_cli.app import App
from scout_cli.cli import looking, wishes
from scout_cli.cli.looking import View
from scout_cli.cli.run import replay
from scout_cli.cli.session import Session, pass_session
from scout_cli.errors import InvalidInput


@click.command("once")
@click.argument("goal", required=False)
@wishes.wish_options
@looking.view_options
@looking.record_options
@pass_session
def command(session: Session, /, **given: Any) -> int:
    """Look for something once, saving nothing.

    With --replay the recording says what to look for, and no GOAL is needed.

    \b
    Example:
      scout once "Python 3.15 release date"
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    view = View(given["as_json"], given["quiet"], given["exit_code"])
    if given["replay"]:
        return replay(Path(given["replay"]), view)
    if not (given["goal"] or "").strip():
        raise InvalidInput("what to look for?", hint='scout once "Python 3.15 release date"')
    wish = wishes.wish_of(given)
    record = Path(given["record"]) if given["record"] else None

    async def work(app: App) -> int:
        return await looking.look(
            view, "", lambda emit: app.once(wish, emit, record=record), app.notes
        )

    return session.run(work)
