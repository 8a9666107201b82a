"""`scout findings`: the facts, with the sentences that prove them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import get_args
from uuid import UUID

import click

from scout_cli.app import App
from scout_cli.cli import names, streams, tables, times
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.core.models import REPORTED, Finding, Novelty

_ALL: tuple[Novelty, ...] = get_args(Novelty)
_COLUMNS = (
    Column("id"),
    Column("found", rank=2),
    Column("status", rank=4),
    Column("scout", rank=5, wide=True, least=12),
    Column("fact", rank=1, wide=True, least=20),
    Column("source", rank=3),
    Column("published", rank=6),
    Column("url", rank=7, wide=True, least=30),
)


@click.command("findings")
@names.scouts_option
@times.since_option
@click.option(
    "--status",
    type=click.Choice([*_ALL, "all"]),
    multiple=True,
    help="Only of this kind; default: new, update and possible_repeat, as reported.",
)
@click.option("--limit", default=50, type=click.IntRange(1, 100_000), help="Facts, default 50.")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(
    session: Session,
    chosen: tuple[str, ...],
    since: str | None,
    status: tuple[str, ...],
    *,
    limit: int,
    utc: bool,
    as_json: bool,
) -> None:
    """List the facts that were found, with their sources.

    \b
    Example:
      scout findings --scout 1a2b3c4d --since 7d
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    novelty = () if "all" in status else tuple(n for n in _ALL if n in status) or REPORTED

    async def work(app: App) -> None:
        now = app.clock.now()
        moment = times.since(since, now) if since else None
        scouts = await app.scouts()
        of = await scouts.find_all(chosen)
        found = await scouts.findings(of=of, since=moment, novelty=novelty, limit=limit + 1)
        shown = found[:limit]
        if as_json:
            streams.put_json({"findings": shown})
        elif shown:
            titles, when = await scouts.titles(), Times(now, utc)
            tables.show(_COLUMNS, [_row(each, titles, when) for each in shown])
        else:
            streams.say("No findings. See what the runs did with: scout history")
        if len(found) > limit:
            tables.say_more(limit)

    session.run(work)


def _row(found: Finding, titles: Mapping[UUID, str], when: Times) -> tuple[str, ...]:
    day = when.at if when.utc else _day
    return (
        str(found.id)[:8],
        when.past(found.created_at),
        found.novelty.replace("_", " "),
        titles.get(found.scout_id, "-"),
        found.fact,
        found.host,
        day(found.published_at),
        found.url,
    )


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "-"
