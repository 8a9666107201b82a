"""`scout add`: save a wish."""

from __future__ import annotations

from typing import Any

import click
from msgspec.structs import replace

from scout_cli import config
from scout_cli.app import App
from scout_cli.cli import looking, streams, tables, telling, wishes
from scout_cli.cli.session import Session, pass_session
from scout_cli.core import schedule
from scout_cli.service.scouts import Added, Wish

_BY = {
    "model": "the model",
    "repair": "the model, at its second try",
    "lines": "the model",
    "fallback": "the built-in engine",
    "built-in": "the built-in engine",
    "code": "you",
}


@click.command("add")
@click.argument("goal")
@click.option("--title", help="A name of two to four words; filled in when not given.")
@wishes.wish_options
@click.option("--every", metavar="RHYTHM", help="hourly, daily (default), every_3_days or weekly.")
@click.option("--cron", metavar="LINE", help="Run at these times, such as '0 9 * * 1'.")
@click.option(
    "--tz", metavar="ZONE", help="Time zone of the rhythm; default: this machine's.  [env: TZ]"
)
@click.option(
    "--notify",
    metavar="URL",
    multiple=True,
    help="Tell this channel what is new; - reads URLs from stdin.",
)
@click.option(
    "--digest",
    type=click.Choice(["daily", "weekly"]),
    help="Gather its news into one message a day or a week.",
)
@click.option("--run", "at_once", is_flag=True, help="Run it at once.")
@click.option("--json", "as_json", is_flag=True, help="Print the scout as JSON.")
@pass_session
def command(session: Session, /, **given: Any) -> int:
    """Save a wish as a scout, filling in what is missing.

    The title, a description and search queries that are not given are filled in by the model,
    without a model by the built-in engine. With --run and --json, events follow the scout.

    \b
    Example:
      scout add "Python meetups in Bonn" --every weekly --location "Bonn, Germany" --run
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    wish = _wish(given)
    as_json: bool = given["as_json"]

    async def work(app: App) -> int:
        added = await (await app.scouts()).add(wish)
        _show(added, wish, as_json=as_json, at_once=given["at_once"])
        for note in looking.taken(app.notes) if not as_json else ():
            streams.say(streams.line(note))
        if not given["at_once"]:
            return streams.ExitCode.OK
        runs = await app.runs()
        view = looking.View(as_json=as_json)
        code = await looking.look(
            view, added.scout.title, lambda emit: runs.run(added.scout, emit), app.notes
        )
        await telling.send(app, view)
        if not as_json:
            streams.say("What you can do next: scout")
        return code

    return session.run(work)


def _wish(given: dict[str, Any]) -> Wish:
    zone = given["tz"] or config.machine_timezone()
    rhythm = schedule.parse(given["every"], given["cron"], zone)
    return replace(
        wishes.wish_of(given),
        title=given["title"] or None,
        schedule=rhythm.text,
        timezone=rhythm.timezone,
        notify=wishes.channels(given["notify"]),
        digest=given["digest"],
    )


def _show(added: Added, wish: Wish, *, as_json: bool, at_once: bool) -> None:
    scout = added.scout
    if as_json:
        streams.put_json(
            {
                "scout": wishes.shown(scout),
                "answered_by": added.answered_by,
                "note": added.note,
            }
        )
        return
    name = str(scout.id)[:8]
    tables.pairs([("id", name), *wishes.described(scout)])
    filled = [
        part for part, given in (("title", wish.title), ("queries", wish.queries)) if not given
    ]
    if filled:
        note = f", because {streams.line(added.note)}" if added.note else ""
        by = _BY[added.answered_by]
        streams.say(f"{' and '.join(filled).capitalize()} filled in by {by}{note}.")
    if scout.notify and not at_once:
        streams.say("Try its channels: scout notify test " + name)
    if not at_once:
        streams.say(f"Run it with: scout run {name}")
