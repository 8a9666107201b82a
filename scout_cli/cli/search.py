"""`scout search`: everything that was found, by words and by meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args
from uuid import UUID

import click

from scout_cli.app import App
from scout_cli.cli import names, streams, tables, times
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.core.models import REPORTED, Novelty
from scout_cli.service.matching import Match

_COLUMNS = (
    Column("id"),
    Column("found", rank=2),
    Column("scout", rank=4, wide=True, least=12),
    Column("fact", wide=True, least=20),
    Column("source", rank=3),
    Column("by", rank=5),
    Column("url", rank=6, wide=True, least=30),
)


@click.command("search")
@click.argument("words", metavar="WORDS...", nargs=-1, required=True)
@names.scouts_option
@click.option("--all", "everything", is_flag=True, help="Also what was held back.")
@click.option("--limit", default=20, type=click.IntRange(1, 1_000), help="Facts, default 20.")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(
    session: Session,
    words: tuple[str, ...],
    chosen: tuple[str, ...],
    *,
    everything: bool,
    limit: int,
    utc: bool,
    as_json: bool,
) -> None:
    """Search in everything that was found.

    Every word is looked for but small ones such as `the`; quotes and operators are text like any
    other. A question has at most 1,000 characters.

    \b
    Example:
      scout search "ferry prices"
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    novelty: tuple[Novelty, ...] = get_args(Novelty) if everything else REPORTED

    async def work(app: App) -> None:
        scouts, findings = await app.scouts(), await app.findings()
        of = [scout.id for scout in await scouts.find_all(chosen)]
        found = await findings.search(" ".join(words), scout_ids=of, novelty=novelty, limit=limit)
        if as_json:
            streams.put_json({"matches": found})
        elif found:
            titles, when = await scouts.titles(), Times(app.clock.now(), utc)
            tables.show(_COLUMNS, [_row(each, titles, when) for each in found])
        else:
            streams.say("Nothing was found. Everything there is: scout findings")

    session.run(work)


def _row(match: Match, titles: Mapping[UUID, str], when: Times) -> tuple[str, ...]:
    found = match.finding
    ways = [
        name for name, place in (("words", match.by_words), ("meaning", match.by_meaning)) if place
    ]
    return (
        str(found.id)[:8],
        when.past(found.created_at),
        titles.get(found.scout_id, "-"),
        found.fact,
        found.host,
        ", ".join(ways),
        found.url,
    )
