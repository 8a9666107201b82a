"""`scout pause`: let scouts rest."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import names, waking
from scout_cli.cli.session import Session, pass_session


@click.command("pause")
@click.argument("chosen", metavar="SCOUT...", nargs=-1, required=True, type=names.SCOUT)
@click.option("--json", "as_json", is_flag=True, help="Print the scouts as JSON.")
@pass_session
def command(session: Session, chosen: tuple[str, ...], *, as_json: bool) -> None:
    """Let scouts rest until they are resumed.

    SCOUT is an id, the beginning of one, or a title; when one of several is unknown, none is
    paused. A run that is under way goes on to its end, and `scout run` runs a paused scout too.

    \b
    Example:
      scout pause 1a2b3c4d
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        scouts = await app.scouts()
        before = await scouts.find_all(chosen)
        after = await scouts.pause(before)
        waking.show("paused", before, after, app.clock.now(), as_json=as_json)

    session.run(work)
