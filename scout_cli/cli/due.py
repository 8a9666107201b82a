"""`scout due`: what is due and what comes next."""

from __future__ import annotations

from datetime import datetime

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables, times
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.store import due
from scout_cli.store.due import ComingScout

_COLUMNS = (
    Column("id"),
    Column("title", wide=True),
    Column("rhythm"),
    Column("when"),
    Column("state"),
)


@click.command("due")
@click.option("--limit", default=20, type=click.IntRange(1, 10_000), help="Scouts, default 20.")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, *, limit: int, utc: bool, as_json: bool) -> None:
    """List the scouts that are due and those that come next.

    \b
    Example:
      scout due
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        await show(app, limit=limit, utc=utc, as_json=as_json)

    session.run(work)


async def show(app: App, *, limit: int, utc: bool, as_json: bool) -> None:
    """Print what is due and what comes next."""
    database = await app.database()
    owner = await (await app.scouts()).owner()
    now = await database.now()
    coming = await due.coming(database, owner, limit)
    if as_json:
        streams.put_json({"now": now, "scouts": [_json(each, now) for each in coming]})
    elif coming:
        tables.show(_COLUMNS, [_row(each, now, utc=utc) for each in coming])
    else:
        streams.say('No active scouts. Make one with: scout add "Python meetups in Bonn"')


def state_of(scout: ComingScout, now: datetime) -> str:
    """Return `running`, `queued`, `retry`, `due` or `waiting`."""
    if scout.live_state == "queued":
        return "retry" if scout.live_after and scout.live_after > now else "queued"
    if scout.live_state is not None:
        return scout.live_state
    return "due" if scout.next_run_at is None or scout.next_run_at <= now else "waiting"


def _json(scout: ComingScout, now: datetime) -> dict[str, object]:
    return {
        "id": scout.id,
        "title": scout.title,
        "schedule": scout.schedule,
        "timezone": scout.timezone,
        "next_run_at": scout.next_run_at,
        "state": state_of(scout, now),
        "retry_at": scout.live_after if state_of(scout, now) == "retry" else None,
    }


def _row(scout: ComingScout, now: datetime, *, utc: bool) -> tuple[str, ...]:
    state = state_of(scout, now)
    moment = scout.live_after if state == "retry" else scout.next_run_at
    when = times.exact(moment) if utc else times.upcoming(moment or now, now)
    return (str(scout.id)[:8], scout.title, scout.schedule, when, state)
