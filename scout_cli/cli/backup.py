"""`scout backup`: everything in one file."""

from __future__ import annotations

from pathlib import Path

import click

from scout_cli.app import App
from scout_cli.cli import streams
from scout_cli.cli.session import Session, pass_session
from scout_cli.errors import NotFound
from scout_cli.plug import scheme_of
from scout_cli.service.archive import Manifest
from scout_cli.store.sqlite_file import path_of


@click.command("backup")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite the file if there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print what is in it as JSON.")
@pass_session
def command(session: Session, file: Path, *, force: bool, as_json: bool) -> None:
    """Write everything in the database into one file.

    FILE is a tar archive, compressed when its name ends in .gz, .tgz, .xz or .txz. All of it is of
    one moment, whoever is writing meanwhile. `scout restore` reads it, into a SQLite file or into
    PostgreSQL, whichever it came from.

    Only you can read the file. The addresses of your channels, which may be secret, are encrypted
    in it; the settings and keys of this machine are not in it. To restore it elsewhere you need
    the file keys.toml, which stands beside the database: keep a copy of that, apart from this one.

    \b
    Example:
      scout backup scout.tar.gz --force
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> Manifest:
        _refuse_nothing(app.settings.database_url)
        return await app.backup(file, force=force)

    made = session.run(work)
    rows = {entry.table: entry.rows for entry in made.tables}
    size = file.stat().st_size
    if as_json:
        about = {"schema": made.schema, "made_at": made.made_at, "kind": made.kind}
        streams.put_json({"file": str(file), "bytes": size, **about, "rows": rows})
        return
    held = f"{rows['scouts']} scouts, {rows['scout_findings']} findings"
    where = f"{streams.line(str(file))} ({size} bytes)"
    streams.say(f"{held} and {sum(rows.values())} rows in all written to {where}.")


def _refuse_nothing(url: str) -> None:
    """Refuse a file that is not there, which opening it would make."""
    if scheme_of(url) == "sqlite" and not path_of(url).exists():
        raise NotFound(f"there is no database at {path_of(url)}", hint="scout doctor")
