"""`scout tick`: one pass for system cron."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from scout_cli.app import App
from scout_cli.cli import due, streams, telling, working
from scout_cli.cli.session import Session, pass_session
from scout_cli.config import Loaded, holds_secret
from scout_cli.errors import ConfigError, DatabaseUnavailable
from scout_cli.plug import scheme_of
from scout_cli.store import due as due_store
from scout_cli.store.sqlite_file import path_of, url_of


@click.command("tick")
@click.option("--dry-run", is_flag=True, help="Only show what is due and what comes next.")
@click.option("--print-crontab", is_flag=True, help="Print the line for `crontab -e`.")
@click.option("--quiet", "-q", is_flag=True, help="Print only what went wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@pass_session
def command(
    session: Session, *, dry_run: bool, print_crontab: bool, quiet: bool, as_json: bool
) -> int:
    """Run what is due, deliver the news and end: for cron.

    They run side by side, as many as `concurrency` says; after them scout cleans up.

    Cron calls it every minute; two at once, or one beside a worker, never run a slot twice.
    SIGTERM lets what runs finish within 20 seconds and gives the rest back to the queue.

    \b
    Example:
      scout tick --print-crontab
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    loaded = session.load()
    if print_crontab:
        rows = crontab(loaded)
        if as_json:
            streams.put_json({"crontab": rows})
        else:
            streams.put("\n".join(rows))
        return 0
    _refuse_nothing(loaded)
    teller = working.Teller(as_json=as_json, quiet=quiet)

    async def work(app: App) -> int:
        if dry_run:
            await due.show(app, limit=20, utc=False, as_json=as_json)
            return 0
        await _tell_where(app, loaded, quiet=quiet)
        worker = await app.worker(teller, write=telling.writer(as_json=as_json))
        await working.until_stopped(worker.tick)
        return 1 if teller.ended_badly else 0

    return session.run(work)


def crontab(loaded: Loaded) -> list[str]:
    """Return the crontab lines that tick this database with this configuration every minute.

    Raises:
        ConfigError: the database URL holds a password and stands in no file that cron can read.
    """
    words = [sys.executable, "-m", "scout_cli"]
    if path := loaded.path:
        words += ["--config", str(path.resolve())]
    origin = loaded.origins["database_url"]
    if not (path and origin.startswith(str(path))):
        words += ["--database", _absolute(loaded.settings.database_url)]
    line = shlex.join([*words, "tick", "--quiet"]).replace("%", r"\%")
    rows = [f"* * * * * {line}"]
    if lost := _of_environment(loaded):
        rows.insert(0, f"# cron has another environment: put {', '.join(lost)} into scouts.toml")
    return rows


def _absolute(url: str) -> str:
    if holds_secret(url):
        raise ConfigError(
            "the database URL holds a password, and others can read a crontab",
            hint="scout config set database_url - < file, then print the line again",
        )
    return url_of(path_of(url).resolve()) if scheme_of(url) == "sqlite" else url


def _of_environment(loaded: Loaded) -> list[str]:
    return [
        name
        for name, origin in loaded.origins.items()
        if name != "database_url" and origin.startswith(("SCOUT_", "OLLAMA_"))
    ]


def _refuse_nothing(loaded: Loaded) -> None:
    """Refuse a database that is not there: cron has another folder and another environment."""
    url = loaded.settings.database_url
    if scheme_of(url) != "sqlite" or path_of(url).exists():
        return
    raise DatabaseUnavailable(
        f"there is no database at {path_of(url)} (configuration: {_file(loaded.path)})",
        hint="`scout tick --print-crontab`, typed where `scout list` shows your scouts",
        retryable=False,
    )


async def _tell_where(app: App, loaded: Loaded, *, quiet: bool) -> None:
    """Log which configuration and database this is, and that it has no scouts, if so."""
    database = await app.database()
    where = (await database.describe()).location
    text = f"configuration: {_file(loaded.path)}; database: {where}"
    if not await due_store.anything(database):
        streams.say(f"{text}; it has no scouts: is this the right one?")
    elif not quiet:
        streams.say(text)


def _file(path: Path | None) -> str:
    return str(path.resolve()) if path else "no scouts.toml"
