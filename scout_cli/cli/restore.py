"""`scout restore`: a backup becomes the database."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from scout_cli.app import App
from scout_cli.cli import streams
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.streams import ExitCode
from scout_cli.errors import InvalidInput
from scout_cli.service import archive
from scout_cli.service.archive import Restored, Standing


@click.command("restore")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Only try it out, changing nothing.")
@click.option("-y", "--yes", is_flag=True, help="Replace what is there without asking.")
@click.option("--unsound", is_flag=True, help="Restore it even if something in it cannot be.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(
    session: Session, file: Path, *, verify: bool, yes: bool, unsound: bool, as_json: bool
) -> int:
    """Make the database what a backup says it was.

    The backup is first restored beside, brought up to this version of scout and examined; only
    then it takes the place of what is there. A SQLite file is kept as FILE.before-restore; in
    PostgreSQL all rows are replaced in one transaction. Stop workers and servers first.

    Secrets in a backup, such as the addresses of channels, are encrypted, and the keys are not in
    it: bring the file keys.toml of that machine, beside the database, first.

    What waited to be sent when the backup was made is sent again, under the same key.

    \b
    Examples:
      scout restore scout.tar.gz --verify
      scout --database postgresql://localhost/scout restore scout.tar.gz
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if verify:
        found = session.run(lambda app: archive.verify(file, app.clock, app.vault()))
        _tell(found, "is sound", as_json=as_json)
        return ExitCode.FAILED if found.violations else ExitCode.OK

    async def look(app: App) -> Standing:
        return await archive.standing(app.settings.database_url, app.clock)

    async def restore(app: App) -> Restored:
        return await app.restore(file, replace=True, unsound=unsound)

    there = session.run(look)
    if there != Standing() and not yes and not _agreed(there, file):
        streams.say("Nothing was changed.")
        return ExitCode.FAILED
    _tell(session.run(restore), "is the database now", as_json=as_json)
    return ExitCode.OK


def _agreed(there: Standing, file: Path) -> bool:
    """Show what would be replaced and ask.

    Raises:
        InvalidInput: nobody is there to be asked.
    """
    what = _there(there)
    if not streams.is_terminal(sys.stdin):
        raise InvalidInput(
            f"this replaces {what}; it asks first, and there is no terminal",
            hint=f"scout restore {shlex.quote(str(file))} --yes",
        )
    streams.say(f"This replaces {what}.")
    return click.confirm("Replace it?", err=True)


def _there(there: Standing) -> str:
    if there.unreadable:
        return f"a database that cannot be read ({streams.line(there.unreadable)})"
    what = f"a database with {there.scouts} scouts and {there.findings} findings"
    return f"{what}, in which {there.live} runs are under way" if there.live else what


def _tell(found: Restored, what: str, *, as_json: bool) -> None:
    rows = {entry.table: entry.rows for entry in found.manifest.tables}
    if as_json:
        streams.put_json(_json(found, rows))
        return
    for violation in found.violations:
        streams.put(f"{violation.name}  {streams.line(violation.detail)}")
    held = f"{rows.get('scouts', 0)} scouts, {rows.get('scout_findings', 0)} findings"
    made = f"made {found.manifest.made_at:%Y-%m-%d %H:%M} UTC from {found.manifest.kind}"
    if found.violations and what == "is sound":
        what = "can be read, but holds what cannot be"
    streams.say(f"The backup {what}: {held}, {made}.")
    if found.kept:
        streams.say(f"The old database is {found.kept}")


def _json(found: Restored, rows: dict[str, int]) -> dict[str, Any]:
    return {
        "schema": found.manifest.schema,
        "made_at": found.manifest.made_at,
        "kind": found.manifest.kind,
        "scout": found.manifest.scout,
        "rows": rows,
        "migrated": found.migrated,
        "violations": found.violations,
        "kept": found.kept,
    }
