"""`scout suppressed`: what was found and not told, so that nothing disappears."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import click

from scout_cli.app import App
from scout_cli.cli import names, streams, tables, times
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.core.models import Finding

_COLUMNS = (
    Column("id"),
    Column("found", rank=2),
    Column("status", rank=3),
    Column("scout", rank=5, wide=True, least=12),
    Column("fact", wide=True, least=20),
    Column("reason", rank=1, wide=True, least=20),
    Column("source", rank=4),
)


@click.command("suppressed")
@click.argument("chosen", metavar="[SCOUT]...", nargs=-1, type=names.SCOUT)
@times.since_option
@click.option("--limit", default=50, type=click.IntRange(1, 100_000), help="Facts, default 50.")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(
    session: Session,
    chosen: tuple[str, ...],
    since: str | None,
    *,
    limit: int,
    utc: bool,
    as_json: bool,
) -> None:
    """List what was held back: repeats, old and unwanted.

    SCOUT is an id, the beginning of one, or a title; without one it lists those of all scouts.

    \b
    Example:
      scout suppressed --since 7d
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        now = app.clock.now()
        moment = times.since(since, now) if since else None
        scouts, findings = await app.scouts(), await app.findings()
        of = [scout.id for scout in await scouts.find_all(chosen)]
        found = await findings.suppressed(scout_ids=of, since=moment, limit=limit + 1)
        shown = found[:limit]
        if as_json:
            streams.put_json({"suppressed": shown})
        elif shown:
            titles, when = await scouts.titles(), Times(now, utc)
            tables.show(_COLUMNS, [_row(each, titles, when) for each in shown])
            streams.say(f"All about one: scout why {str(shown[0].id)[:8]}")
        else:
            streams.say("Nothing was held back.")
        if len(found) > limit:
            tables.say_more(limit)

    session.run(work)


def _row(found: Finding, titles: Mapping[UUID, str], when: Times) -> tuple[str, ...]:
    return (
        str(found.id)[:8],
        when.past(found.created_at),
        found.novelty,
        titles.get(found.scout_id, "-"),
        found.fact,
        found.reason,
        found.host,
    )
