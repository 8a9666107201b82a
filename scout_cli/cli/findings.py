"""`scout findings`: the facts, with the sentences that prove them."""

from __future__ import annotations

from typing import get_args

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables, times
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.core.models import Novelty

_REPORTED: tuple[Novelty, ...] = ("new", "possible_repeat")
_ALL: tuple[Novelty, ...] = get_args(Novelty)
_COLUMNS = (
    Column("found"),
    Column("status"),
    Column("fact", wide=True),
    Column("source"),
    Column("published"),
    Column("url", wide=True),
)


@click.command("findings")
@click.option("--scout", "name", metavar="SCOUT", help="Only of this scout.")
@click.option("--since", metavar="WHEN", help="Only found since: 24h, 7d, 2w or a date.")
@click.option(
    "--status",
    type=click.Choice([*_ALL, "all"]),
    multiple=True,
    help="Only of this kind; default: new and possible_repeat, which are those reported.",
)
@click.option("--limit", default=50, type=click.IntRange(1, 100_000), help="Facts, default 50.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(
    session: Session,
    name: str | None,
    since: str | None,
    status: tuple[str, ...],
    *,
    limit: int,
    as_json: bool,
) -> None:
    """List the facts that were found, with their sources.

    \b
    Example:
      scout findings --scout 1a2b3c4d --since 7d
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    novelty = () if "all" in status else tuple(n for n in _ALL if n in status) or _REPORTED

    async def work(app: App) -> None:
        now = app.clock.now()
        moment = times.since(since, now) if since else None
        scouts = await app.scouts()
        scout = await scouts.find(name) if name is not None else None
        found = await scouts.findings(scout=scout, since=moment, novelty=novelty, limit=limit + 1)
        shown = found[:limit]
        if as_json:
            streams.put_json({"findings": shown})
        elif shown:
            tables.show(
                _COLUMNS,
                [
                    (
                        times.relative(each.created_at, now),
                        each.novelty.replace("_", " "),
                        each.fact,
                        each.host,
                        f"{each.published_at:%Y-%m-%d}" if each.published_at else "-",
                        each.url,
                    )
                    for each in shown
                ],
            )
        else:
            streams.say("No findings. See what the runs did with: scout history")
        if len(found) > limit:
            streams.say(f"The newest {limit} are shown; more with --limit {limit * 5}")

    session.run(work)
