"""`scout list`: the scouts at a glance."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables, times, wishes
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.core.models import Execution
from scout_cli.service.scouts import Overview

_COLUMNS = (
    Column("id"),
    Column("title", wide=True),
    Column("rhythm"),
    Column("last run"),
    Column("outcome"),
    Column("next run"),
    Column("findings", number=True),
)


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, *, as_json: bool) -> None:
    """List the scouts, when they ran and when they run next.

    \b
    Example:
      scout list
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        overviews = await (await app.scouts()).all()
        if as_json:
            streams.put_json({"scouts": [glance(overview) for overview in overviews]})
        elif overviews:
            now = app.clock.now()
            tables.show(
                _COLUMNS,
                [
                    (
                        str(scout.id)[:8],
                        scout.title,
                        scout.schedule,
                        times.relative(overview.last.started_at if overview.last else None, now),
                        ended(overview.last),
                        times.upcoming(scout.next_run_at, now) if scout.is_active else "paused",
                        str(overview.findings),
                    )
                    for overview in overviews
                    for scout in [overview.scout]
                ],
            )
        else:
            streams.say('No scouts yet. Make one with: scout add "Python meetups in Bonn"')

    session.run(work)


def glance(overview: Overview) -> dict[str, object]:
    """Return an overview for `--json`."""
    return {
        "scout": wishes.shown(overview.scout),
        "last": overview.last,
        "findings": overview.findings,
    }


def ended(execution: Execution | None) -> str:
    """Return how a run ended, for people."""
    if execution is None:
        return "-"
    return (execution.outcome or execution.status).replace("_", " ")
