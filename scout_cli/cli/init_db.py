"""`scout init-db`: create or upgrade the database."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams
from scout_cli.cli.session import Session, pass_session


@click.command("init-db")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, *, as_json: bool) -> None:
    """Create the database or bring it up to date.

    It may be run again at any time. A SQLite file needs it only after an upgrade of scout: the
    first command that uses it creates it.

    \b
    Example:
      scout --database postgresql://localhost/scout init-db
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        applied = await app.init_db()
        if as_json:
            streams.put_json({"applied": applied})
            return
        for name in applied:
            streams.put(name)
        where = streams.redact(app.settings.database_url)
        streams.say(f"{where} is {'up to date' if applied else 'already up to date'}.")

    session.run(work)
