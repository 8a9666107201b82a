"""`scout show`: one scout, its last brief, its next run."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import brief, streams, tables, times, wishes
from scout_cli.cli.list import ended, glance
from scout_cli.cli.session import Session, pass_session
from scout_cli.core.models import Execution
from scout_cli.service.scouts import Overview

_LOOKED_BACK = 50
"""Runs among which the last brief is looked for."""


@click.command("show")
@click.argument("name", metavar="SCOUT")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, name: str, *, as_json: bool) -> None:
    """Show one scout, its last brief and its next run.

    SCOUT is an id, the beginning of one, or a title.

    \b
    Example:
      scout show 1a2b3c4d
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        scouts = await app.scouts()
        scout = await scouts.find(name)
        overview = await scouts.overview(scout)
        told = _last_with_news(await scouts.history(scout, _LOOKED_BACK))
        if as_json:
            streams.put_json({**glance(overview), "last_with_news": told})
            return
        tables.pairs(_rows(app, overview))
        if told and told.results_summary:
            streams.put(f"\nLast brief, {times.local(told.completed_at)}:\n")
            brief.show_stored(told.results_summary.response)
        streams.say(f"All its facts: scout findings --scout {str(scout.id)[:8]}")

    session.run(work)


def _last_with_news(history: list[Execution]) -> Execution | None:
    return next((execution for execution in history if execution.outcome == "new"), None)


def _rows(app: App, overview: Overview) -> list[tuple[str, str]]:
    scout, last, now = overview.scout, overview.last, app.clock.now()
    upcoming = times.upcoming(scout.next_run_at, now)
    ran = f"{times.relative(last.started_at, now)}: {ended(last)}" if last else "never"
    return [
        ("id", str(scout.id)),
        *wishes.described(scout),
        ("added query", ", ".join(scout.planned_queries)),
        ("last run", ran),
        ("problem", last.error_message or "" if last else ""),
        ("next run", upcoming if scout.is_active else "paused"),
        ("findings", str(overview.findings)),
    ]
