"""`scout import`: take over what another watcher watches."""  # noqa: N999 - the command is called so

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from scout_cli import config
from scout_cli.app import App
from scout_cli.cli import streams, tables, wishes
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.service import importing
from scout_cli.service.declared_plan import Given
from scout_cli.service.declaring import Declaring
from scout_cli.service.importing import Reading, archives, becoming
from scout_cli.service.importing.becoming import Candidate

_COLUMNS = (
    Column("action"),
    Column("what", wide=True),
    Column("address", wide=True, rank=1),
    Column("every", rank=2),
    Column("not taken over", wide=True),
)


@click.command("import")
@click.argument("source", metavar="FILE")
@click.option(
    "--from",
    "origin",
    type=click.Choice(importing.ORIGINS),
    default="auto",
    show_default=True,
    help="Whose file it is.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be added, and add nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@pass_session
def command(session: Session, *, source: str, origin: str, dry_run: bool, as_json: bool) -> None:
    """Take over what another watcher watches.

    FILE is a backup of changedetection.io, a list of jobs of urlwatch, an OPML file of a feed
    reader, or a list of the feeds of Google Alerts; - is standard input. Each page and feed becomes
    a scout, known by its address: what was taken over once stays as it is, also when it was changed
    meanwhile. What cannot be taken over is listed with the reason.

    \b
    Example:
      scout import subscriptions.opml --dry-run
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    file = _stdin() if source == "-" else archives.open_file(Path(source))
    reading = importing.read(file, None if origin == "auto" else _origin(origin))
    found = becoming.candidates(reading, file.name)
    added, ids = session.run(lambda app: _take(app, found, dry_run=dry_run))
    if as_json:
        streams.put_json(_report(reading, found, added, ids, dry_run=dry_run))
    else:
        _show(reading, found, added)
        _say(reading, found, added, dry_run=dry_run)


def _origin(name: str) -> Any:
    return name


def _stdin() -> archives.File:
    stream = getattr(sys.stdin, "buffer", None)
    return archives.given("stdin", stream.read(archives.MAX_TEXT + 1) if stream else b"")


async def _take(
    app: App, found: Sequence[Candidate], *, dry_run: bool
) -> tuple[frozenset[str], dict[str, Any]]:
    """Add what is not there; return its keys and, unless it is a dry run, the ids of all."""
    service = Declaring(await app.database(), app.clock, app.reasoner)
    given = _given(found)
    plan = await service.plan(given)
    fresh = frozenset(entry.key for entry in plan.of("add"))
    there = {entry.key: entry.scout.id for entry in plan.entries if entry.action != "add"}
    if dry_run or not fresh:
        return fresh, there
    # Only these: a scout that was taken over earlier may have been changed since.
    given = _given([each for each in found if each.declaration.key in fresh])
    applied = await service.apply(given, await service.plan(given))
    return fresh, {**there, **applied.ids}


def _given(found: Sequence[Candidate]) -> Given:
    declarations = tuple(each.declaration for each in found)
    return Given(declarations=declarations, timezone=config.machine_timezone(), hide=wishes.hidden)


def _show(reading: Reading, found: Sequence[Candidate], added: frozenset[str]) -> None:
    rows = [
        (
            "add" if each.declaration.key in added else "there",
            each.declaration.table.title,
            each.found.url,
            each.rhythm + ("" if each.found.active else ", paused"),
            "; ".join(each.left),
        )
        for each in found
    ]
    rows += [("skip", each.what, "", "", each.why) for each in reading.skipped]
    if rows:
        tables.show(_COLUMNS, rows)


def _say(
    reading: Reading, found: Sequence[Candidate], added: frozenset[str], *, dry_run: bool
) -> None:
    for each in reading.left:
        streams.say(f"Not taken over: {each}.")
    words = "to add" if dry_run else "added"
    there = len(found) - len(added)
    streams.say(
        f"{'Dry run: ' if dry_run else ''}{len(added)} {words}, {there} there already, "
        f"{len(reading.skipped)} skipped."
    )


def _report(
    reading: Reading,
    found: Sequence[Candidate],
    added: frozenset[str],
    ids: dict[str, Any],
    *,
    dry_run: bool,
) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "from": reading.origin,
        "counts": {
            "added": len(added),
            "there": len(found) - len(added),
            "skipped": len(reading.skipped),
        },
        "scouts": [
            {
                "action": "add" if each.declaration.key in added else "there",
                "key": each.declaration.key,
                "id": ids.get(each.declaration.key),
                "title": each.declaration.table.title,
                "url": each.found.url,
                "feed": each.found.feed,
                "schedule": each.rhythm,
                "active": each.found.active,
                "left": each.left,
            }
            for each in found
        ],
        "skipped": [{"what": each.what, "why": each.why} for each in reading.skipped],
        "left": reading.left,
    }
