"""`scout forget`: delete findings because a person says so."""

from __future__ import annotations

import shlex
import sys
from datetime import datetime
from typing import NamedTuple

import click

from scout_cli.app import App
from scout_cli.cli import names, streams, times
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.streams import ExitCode
from scout_cli.core.models import Finding, Scout
from scout_cli.errors import InvalidInput
from scout_cli.service import forgetting
from scout_cli.service.forgetting import Forgotten


class _Chosen(NamedTuple):
    """What was named on the command line."""

    findings: list[Finding]
    scout: Scout | None
    before: datetime | None
    number: int


@click.command("forget")
@click.argument("findings", metavar="[FINDING]...", nargs=-1)
@click.option("--scout", metavar="SCOUT", type=names.SCOUT, help="All that this scout found.")
@click.option("--before", metavar="WHEN", help="Only from before: 30d, 8w or a date.")
@click.option("-y", "--yes", is_flag=True, help="Delete without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what was deleted as JSON.")
@pass_session
def command(
    session: Session,
    /,
    *,
    findings: tuple[str, ...],
    scout: str | None,
    before: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Delete findings, as if they had never been found.

    FINDING is an id or the beginning of one, as `scout findings` shows it. Its vector goes with it,
    and so does what scout remembers of its page: what stands there may be found again, and is new
    then. Briefs and messages that told of it stay as long as they are kept.

    \b
    Example:
      scout forget --scout 1a2b3c4d --before 365d --yes
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    _check(findings, scout, before)

    async def look(app: App) -> _Chosen:
        database, service = await app.database(), await app.scouts()
        moment = _moment(before, app.clock.now())
        if scout is None:
            named = await forgetting.find(database, await service.owner(), findings)
            return _Chosen(named, None, None, len(named))
        (found,) = await service.find_all([scout])
        number = await forgetting.count(database, found.id, moment)
        return _Chosen([], found, moment, number)

    async def forget(app: App) -> Forgotten:
        database = await app.database()
        if chosen.scout is not None:
            return await forgetting.forget_scout(database, chosen.scout.id, chosen.before)
        return await forgetting.forget(database, chosen.findings)

    chosen = session.run(look)
    if not yes and not _agreed(chosen, findings, scout, before):
        streams.say("Nothing was deleted.")
        return ExitCode.FAILED
    gone = session.run(forget)
    if as_json:
        streams.put_json({"forgotten": gone})
    else:
        streams.say(f"Forgot {_facts(gone.findings)}.")
    return ExitCode.OK


def _moment(before: str | None, now: datetime) -> datetime | None:
    try:
        return times.since(before, now) if before else None
    except InvalidInput as error:
        message = error.message.replace("--since", "--before")
        raise InvalidInput(message, hint=error.hint) from error


def _check(findings: tuple[str, ...], scout: str | None, before: str | None) -> None:
    """Refuse a command line that names nothing, or two things.

    Raises:
        InvalidInput: it does.
    """
    if bool(findings) == bool(scout):
        raise InvalidInput(
            "name findings, or a scout with --scout", hint="scout findings shows the ids"
        )
    if before and not scout:
        raise InvalidInput("--before goes with --scout", hint="scout forget --scout SCOUT --before")


def _agreed(
    chosen: _Chosen, findings: tuple[str, ...], scout: str | None, before: str | None
) -> bool:
    """Show what goes and ask.

    Raises:
        InvalidInput: nobody is there to be asked.
    """
    of = f" of {streams.line(chosen.scout.title)}" if chosen.scout else ""
    what = f"{_facts(chosen.number)}{of}"
    if not streams.is_terminal(sys.stdin):
        words = [*findings, *(["--scout", scout] if scout else [])]
        words += ["--before", before] if before else []
        raise InvalidInput(
            f"this deletes {what}; it asks first, and there is no terminal",
            hint=f"scout forget {shlex.join(words)} --yes",
        )
    for finding in chosen.findings[:20]:
        streams.put(f"{str(finding.id)[:8]}  {streams.line(finding.fact)}")
    streams.flush()
    return click.confirm(f"Delete {what}?", err=True)


def _facts(number: int) -> str:
    return f"{number} finding{'s' if number != 1 else ''}"
