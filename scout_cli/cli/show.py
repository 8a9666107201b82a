"""`scout show`: one scout, its last brief, its next run; or the timeline of one story."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import brief, names, story, streams, tables, times, wishes
from scout_cli.cli.list import ended, glance
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.times import Times
from scout_cli.errors import NotFound
from scout_cli.service.scouts import Overview


@click.command("show")
@click.argument("name", metavar="SCOUT", type=names.SCOUT)
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, name: str, *, utc: bool, as_json: bool) -> None:
    """Show one scout, its last brief and its next run.

    SCOUT is an id, the beginning of one, or a title. The id of a finding shows the story that it
    belongs to: all that was found of the same event.

    \b
    Example:
      scout show 1a2b3c4d
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        scouts = await app.scouts()
        try:
            scout = await scouts.find(name)
        except NotFound as unknown:
            await _show_story(app, name, unknown, utc=utc, as_json=as_json)
            return
        overview = await scouts.overview(scout)
        told = await scouts.last_with_news(scout)
        if as_json:
            streams.put_json({**glance(overview), "last_with_news": told})
            return
        shown = Times(app.clock.now(), utc)
        tables.pairs(_rows(overview, shown))
        if told and told.results_summary:
            streams.put(f"\nLast brief, {shown.at(told.completed_at)}:\n")
            brief.show_stored(told.results_summary.response)
        _next_step(overview)

    session.run(work)


async def _show_story(app: App, name: str, unknown: NotFound, *, utc: bool, as_json: bool) -> None:
    """Show the story that a name means, when it means no scout.

    Raises:
        NotFound: it means no story either; it says so of scouts, which most names are of.
        InvalidInput: it may mean several stories.
    """
    try:
        found = await (await app.findings()).story(name)
    except NotFound:
        raise unknown from None
    if as_json:
        streams.put_json({"story": found})
    else:
        story.show(found, Times(app.clock.now(), utc))


def _rows(overview: Overview, shown: Times) -> list[tuple[str, str]]:
    scout, last = overview.scout, overview.last
    ran = shown.both(last.started_at, shown.past(last.started_at)) if last else "never"
    upcoming = shown.both(scout.next_run_at, shown.due(scout.next_run_at))
    return [
        ("id", str(scout.id)),
        *wishes.described(scout),
        ("added query", ", ".join(scout.planned_queries)),
        ("key", scout.key or ""),
        ("last run", f"{ran}: {ended(last)}" if last else ran),
        ("problem", last.error_message or "" if last else ""),
        ("failures", str(scout.consecutive_failures or "")),
        ("next run", upcoming if scout.is_active else "paused"),
        ("paused", "" if scout.is_active else scout.paused_reason or ""),
        ("findings", str(overview.findings)),
    ]


def _next_step(overview: Overview) -> None:
    name = str(overview.scout.id)[:8]
    if not overview.scout.is_active:
        streams.say(f"Let it run again with: scout resume {name}")
    streams.say(f"All its facts: scout findings --scout {name}")
