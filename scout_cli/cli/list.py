"""`scout list`: the scouts at a glance."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables, times, wishes
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.core.models import Execution
from scout_cli.service.scouts import Glance, Overview

_COLUMNS = (
    Column("id"),
    Column("title", rank=1, wide=True),
    Column("rhythm", rank=6),
    Column("last run", rank=4),
    Column("outcome", rank=3),
    Column("next run", rank=2),
    Column("findings", rank=5, number=True),
)


@click.command("list")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, *, utc: bool, as_json: bool) -> None:
    """List the scouts, when they ran and when they run next.

    \b
    Example:
      scout list
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        scouts = await app.scouts()
        if as_json:
            streams.put_json({"scouts": [glance(overview) for overview in await scouts.all()]})
        elif found := await scouts.glances():
            shown = Times(app.clock.now(), utc)
            tables.show(_COLUMNS, [_row(each, shown) for each in found])
        else:
            streams.say('No scouts yet. Make one with: scout add "Python meetups in Bonn"')

    session.run(work)


def _row(scout: Glance, shown: Times) -> tuple[str, ...]:
    return (
        str(scout.id)[:8],
        scout.title,
        scout.schedule,
        shown.past(scout.started_at),
        (scout.outcome or scout.state or "-").replace("_", " "),
        shown.due(scout.next_run_at) if scout.is_active else "paused",
        str(scout.findings),
    )


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
    return (execution.outcome or execution.state).replace("_", " ")
