"""`scout outbox`: the messages on their way, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import click

from scout_cli.app import App
from scout_cli.cli import names, streams, tables, times
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.core.news import OutboxState
from scout_cli.errors import InvalidInput
from scout_cli.service.desk import Posted

_STATES: tuple[OutboxState, ...] = get_args(OutboxState)
_FAILED: tuple[OutboxState, ...] = ("dead", "unknown")
_WAITING = ("pending", "sending")
_COLUMNS = (
    Column("id"),
    Column("made", rank=3),
    Column("scout", rank=4, wide=True, least=12),
    Column("channel", rank=2, wide=True, least=16),
    Column("state"),
    Column("tries", rank=5, number=True),
    Column("next", rank=1),
    Column("last error", rank=1, wide=True, least=20),
)


@click.command("outbox")
@click.option("--failed", is_flag=True, help="Only what was given up or is in doubt.")
@click.option(
    "--state",
    "states",
    type=click.Choice(_STATES),
    multiple=True,
    help="Only in this state; may be given again.",
)
@names.scouts_option
@click.option("--limit", default=50, type=click.IntRange(1, 100_000), help="Messages, default 50.")
@click.option("--retry", metavar="ID", multiple=True, help="Send this one again, now.")
@click.option("--hold", metavar="ID", multiple=True, help="Keep this one from being sent.")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(
    session: Session,
    states: tuple[OutboxState, ...],
    chosen: tuple[str, ...],
    retry: tuple[str, ...],
    hold: tuple[str, ...],
    *,
    failed: bool,
    limit: int,
    utc: bool,
    as_json: bool,
) -> None:
    """List the messages on their way and what became of them.

    A message waits as pending, is sending, and is sent in the end; or it is dead after seven
    attempts in 17 hours, or at once when the receiver refuses it. One that is unknown may have
    arrived, one that is held waits for --retry. What is sent again keeps its id, and so does a
    digest, which goes as one.

    \b
    Example:
      scout outbox --failed
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if retry and hold:
        raise InvalidInput("--retry and --hold at once", hint="one after the other")

    async def work(app: App) -> None:
        scouts, desk = await app.scouts(), await app.desk()
        if retry or hold:
            shown = await (desk.retry(retry) if retry else desk.hold(hold))
            more = False
        else:
            of = await scouts.find_all(chosen)
            wanted = tuple(dict.fromkeys([*states, *(_FAILED if failed else ())]))
            found = await desk.messages(states=wanted, of=of, limit=limit + 1)
            shown, more = found[:limit], len(found) > limit
        titles = await scouts.titles()
        if as_json:
            streams.put_json({"messages": [_json(each, titles) for each in shown]})
        else:
            _print(shown, titles, Times(app.clock.now(), utc))
        if more:
            tables.say_more(limit)

    session.run(work)


def _print(shown: Sequence[Posted], titles: Mapping[UUID, str], when: Times) -> None:
    if not shown:
        streams.say("No such messages. Who is told what: scout notify list")
        return
    tables.show(
        _COLUMNS,
        [
            (
                str(each.row.id)[:8],
                when.past(each.row.created_at),
                _title(each, titles),
                each.channel,
                each.row.state,
                str(each.row.attempt),
                when.due(_next(each)),
                each.row.last_error,
            )
            for each in shown
        ],
    )


def _json(posted: Posted, titles: Mapping[UUID, str]) -> dict[str, Any]:
    row = posted.row
    return {
        "id": row.id,
        "created_at": row.created_at,
        "kind": row.kind,
        "subject": row.message.subject,
        "scout_id": row.scout_id,
        "scout": titles.get(row.scout_id) if row.scout_id else None,
        "execution_id": row.execution_id,
        "channel_id": row.channel_id,
        "channel": posted.channel,
        "state": row.state,
        "attempt": row.attempt,
        "next_attempt_at": _next(posted),
        "sent_at": row.sent_at,
        "provider_id": row.provider_id,
        "last_error": row.last_error,
    }


def _title(posted: Posted, titles: Mapping[UUID, str]) -> str:
    scout = posted.row.scout_id
    return titles.get(scout, "-") if scout else posted.row.kind.replace("_", " ")


def _next(posted: Posted) -> datetime | None:
    return posted.row.next_attempt_at if posted.row.state in _WAITING else None
