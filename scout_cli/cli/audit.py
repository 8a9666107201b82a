"""`scout audit`: who did what with accounts, scouts and runs."""

from __future__ import annotations

from uuid import UUID

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables, times
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.streams import ExitCode
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.core.shape import plain
from scout_cli.service.audit import Line, Wanted

_COLUMNS = (
    Column("no", number=True),
    Column("when", rank=1),
    Column("who", rank=2, wide=True, least=12),
    Column("did"),
    Column("to", rank=3, wide=True, least=12),
    Column("whose", rank=6),
    Column("from", rank=4),
    Column("result", rank=5, wide=True, least=8),
)
_ACTION = "Only this, such as scout.remove or login; may be given again."


@click.command("audit")
@click.option("--action", "actions", metavar="NAME", multiple=True, help=_ACTION)
@click.option("--user", "email", metavar="EMAIL", help="Only about the account with this address.")
@click.option("--target", metavar="ID", default="", help="Only done to this id, or its beginning.")
@click.option("--since", metavar="WHEN", help="Only done since: 24h, 7d, 2w or a date.")
@click.option("--verify", is_flag=True, help="Tell whether the log is as it was written.")
@click.option("--limit", default=50, type=click.IntRange(1, 100_000), help="Lines, default 50.")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(
    session: Session,
    actions: tuple[str, ...],
    email: str | None,
    target: str,
    since: str | None,
    *,
    verify: bool,
    limit: int,
    utc: bool,
    as_json: bool,
) -> int:
    """List who did what with accounts, scouts and runs.

    Every surface writes it: the command line, the API, the web interface. A line says who, what,
    to which id, when and from where, and holds no secret. Each covers the one before it: --verify
    reads the whole log, and ends with 1 when a line was changed or taken out. `scout gc` removes
    what is older than keep_audit.

    \b
    Example:
      scout audit --action scout.remove --since 30d
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        now = app.clock.now()
        wanted = Wanted(
            user_id=await _whose(app, email),
            actions=actions,
            target=target,
            since=times.since(since, now) if since else None,
        )
        found = await (await app.audit()).list(wanted, limit=limit + 1)
        shown = found[:limit]
        if as_json:
            streams.put_json({"lines": [plain(line) for line in shown]})
        elif shown:
            tables.show(_COLUMNS, [_row(line, Times(now, utc)) for line in shown])
        else:
            streams.say("No such lines.")
        if len(found) > limit:
            tables.say_more(limit)

    if verify:
        return session.run(lambda app: _verify(app, as_json=as_json))
    session.run(work)
    return ExitCode.OK


async def _verify(app: App, *, as_json: bool) -> int:
    verdict = await (await app.audit()).verify()
    if as_json:
        streams.put_json({"whole": verdict.whole, **plain(verdict)})
    elif verdict.whole:
        streams.say(f"The log is whole: {verdict.lines} lines.")
    else:
        streams.say(f"Line {verdict.broken_at} is not as it was written, or follows a gap.")
    return ExitCode.OK if verdict.whole else ExitCode.FAILED


async def _whose(app: App, email: str | None) -> UUID | None:
    return None if email is None else (await (await app.accounts()).people.named(email)).id


def _row(line: Line, when: Times) -> tuple[str, ...]:
    return (
        str(line.number),
        when.past(line.at),
        line.actor or "-",
        line.action,
        line.target,
        str(line.user_id)[:8] if line.user_id else "-",
        line.address or "-",
        line.result,
    )
