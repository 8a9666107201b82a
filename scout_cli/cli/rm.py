"""`scout rm`: remove scouts, after showing what goes with them."""

from __future__ import annotations

import sys
from typing import Any

import click

from scout_cli.app import App
from scout_cli.cli import names, streams, tables
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.streams import ExitCode
from scout_cli.cli.tables import Column
from scout_cli.core.models import Scout
from scout_cli.errors import InvalidInput
from scout_cli.service.scouts import Belongings

_COLUMNS = (
    Column("id"),
    Column("title", rank=1, wide=True),
    Column("runs", rank=2, number=True),
    Column("findings", rank=3, number=True),
)


@click.command("rm")
@click.argument("chosen", metavar="SCOUT...", nargs=-1, required=True, type=names.SCOUT)
@click.option("-y", "--yes", is_flag=True, help="Remove without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
@pass_session
def command(session: Session, chosen: tuple[str, ...], *, yes: bool, as_json: bool) -> int:
    """Remove scouts with everything they found.

    SCOUT is an id, the beginning of one, or a title; when one of several is unknown or running,
    none is removed. Nothing brings them back: `scout pause` lets them rest instead.

    \b
    Example:
      scout rm 1a2b3c4d --yes
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def look(app: App) -> list[tuple[Scout, Belongings]]:
        scouts = await app.scouts()
        found = await scouts.find_all(chosen)
        return list(zip(found, await scouts.belongings(found), strict=True))

    async def remove(app: App) -> None:
        await (await app.scouts()).remove(*(scout for scout, _ in found))

    found = session.run(look)
    if not yes and not _agreed(found, as_json=as_json):
        streams.say("Nothing was removed.")
        return ExitCode.FAILED
    session.run(remove)
    if as_json:
        streams.put_json({"removed": [_json(*each) for each in found]})
    else:
        for scout, has in found:
            streams.say(f"Removed {_told(scout, has)}.")
    return ExitCode.OK


def _agreed(found: list[tuple[Scout, Belongings]], *, as_json: bool) -> bool:
    """Show what goes and ask.

    Raises:
        InvalidInput: nobody is there to be asked.
    """
    if not streams.is_terminal(sys.stdin):
        scout, has = found[0]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise InvalidInput(
            f"this removes {_told(scout, has)}{more}; it asks first, and there is no terminal",
            hint=f"scout rm {' '.join(str(scout.id)[:8] for scout, _ in found[:5])} --yes",
        )
    if as_json:
        for scout, has in found:
            streams.say(f"This removes {_told(scout, has)}.")
    else:
        rows = [(str(s.id)[:8], s.title, str(has.runs), str(has.findings)) for s, has in found]
        tables.show(_COLUMNS, rows)
    streams.flush()
    what = "it" if len(found) == 1 else f"all {len(found)}"
    return click.confirm(f"Remove {what}, with all runs and findings?", err=True)


def _told(scout: Scout, has: Belongings) -> str:
    runs = "1 run" if has.runs == 1 else f"{has.runs} runs"
    facts = "1 finding" if has.findings == 1 else f"{has.findings} findings"
    return f"{streams.line(scout.title)} ({str(scout.id)[:8]}) with {runs} and {facts}"


def _json(scout: Scout, has: Belongings) -> dict[str, Any]:
    return {
        "id": str(scout.id),
        "title": scout.title,
        "runs": has.runs,
        "findings": has.findings,
    }
