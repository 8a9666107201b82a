"""`scout notify`: the channels that hear of news; try one, list them, use one again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import click

from scout_cli.app import App
from scout_cli.cli import names, streams, tables, telling, times, wishes
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.streams import ExitCode
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.config import holds_secret
from scout_cli.core.models import Scout
from scout_cli.core.ports import Promise
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.notify import describe
from scout_cli.service.deliveries import Tested
from scout_cli.store.channels import ChannelGlance

_URL = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.IGNORECASE)
_CLAIMS: dict[Promise, str] = {
    "once": "once: a receiver that keeps ids notices a repeat",
    "at_least_once": "at least once: after a crash it may come twice",
}
_TESTED = (
    Column("channel", wide=True, least=16),
    Column("outcome"),
    Column("arrives", rank=1, wide=True, least=20),
    Column("detail", rank=2, wide=True, least=20),
)
_LISTED = (
    Column("id"),
    Column("channel", wide=True, least=16),
    Column("state"),
    Column("served", rank=3),
    Column("last sent", rank=2),
    Column("pending", rank=4, number=True),
    Column("dead", rank=5, number=True),
    Column("unknown", rank=6, number=True),
    Column("reason", rank=1, wide=True, least=16),
)


@click.group("notify", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Try, list and enable the channels that hear of news.

    \b
    Example:
      scout notify test ntfy://ntfy.sh/my-topic
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("test")
@click.argument("target", metavar="URL|SCOUT", type=names.SCOUT)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def test(session: Session, target: str, *, as_json: bool) -> int:
    """Send a test message now, and say what may be claimed of the channel.

    Give a channel's URL, or a scout for all of its channels. A URL that holds a secret is not
    taken as an argument, where other users could read it: give - and type it, or send it to
    standard input. Quiet hours do not count, and nothing is stored.

    \b
    Examples:
      scout notify test console://
      scout notify test - < file-with-the-url
    """  # noqa: D301 - see above
    if _URL.fullmatch(target) and holds_secret(target):
        raise InvalidInput(
            "this URL holds a secret, and others can read a command line",
            hint="give it on standard input: scout notify test - < file-with-the-url",
        )

    async def work(app: App) -> int:
        urls = await _urls(app, target)
        deliveries = await app.deliveries(telling.writer(as_json=as_json))
        tested = [await deliveries.test(url) for url in urls]
        if as_json:
            streams.put_json({"tests": [_tested(each) for each in tested]})
        else:
            tables.show(_TESTED, [_row(each) for each in tested])
        arrived = all(each.delivery.outcome == "sent" for each in tested)
        return ExitCode.OK if arrived else ExitCode.UNAVAILABLE

    return session.run(work)


@command.command("list")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def list_(session: Session, *, utc: bool, as_json: bool) -> None:
    """List the channels, whether they work, and how many messages wait for each.

    \b
    Example:
      scout notify list
    """  # noqa: D301 - see above

    async def work(app: App) -> None:
        used = await (await app.desk()).channels()
        named = [overview.scout for overview in await (await app.scouts()).all()]
        fresh = list(_unused(app.settings.notify, named, used))
        if as_json:
            rows = [_json(each) for each in used] + [_fresh(url) for url in fresh]
            streams.put_json({"channels": rows})
        elif used or fresh:
            when = Times(app.clock.now(), utc)
            shown = [_glance(each, when) for each in used]
            shown += [("-", describe(url), "unused", *["-"] * 5, "") for url in fresh]
            tables.show(_LISTED, shown)
        else:
            streams.say("No channels. scout edit SCOUT --notify URL, or notify in scouts.toml")

    session.run(work)


@command.command("enable")
@click.argument("channel", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def enable(session: Session, channel: str, *, as_json: bool) -> None:
    """Use a channel again that scout had given up.

    Messages that were given up with it stay so: `scout outbox --retry` sends them.

    \b
    Examples:
      scout notify list
      scout notify enable 1a2b3c4d
    """  # noqa: D301 - see above

    async def work(app: App) -> None:
        desk = await app.desk()
        enabled = await desk.enable(channel)
        (now,) = [each for each in await desk.channels() if each.id == enabled.id]
        if as_json:
            streams.put_json({"channels": [_json(now)]})
        elif enabled.state == "active":
            streams.say(f"{describe(enabled.url)} was active already.")
        else:
            streams.put(f"{str(now.id)[:8]}  {streams.line(describe(now.url))}  {now.state}")

    session.run(work)


async def _urls(app: App, target: str) -> Sequence[str]:
    if target == "-":
        return wishes.channels((target,))
    if _URL.fullmatch(target):
        return (target,)
    scout = await (await app.scouts()).find(target)
    urls = list(dict.fromkeys([*scout.notify, *app.settings.notify]))
    if not urls:
        raise NotFound(
            f"{scout.title!r} tells nobody",
            hint=f"scout edit {str(scout.id)[:8]} --notify URL, or notify in scouts.toml",
        )
    return urls


def _unused(
    shared: Sequence[str], scouts: Sequence[Scout], used: Sequence[ChannelGlance]
) -> Iterator[str]:
    """Yield the channels that somebody named and nothing was sent to yet."""
    known = {each.url for each in used}
    named = [*shared, *(url for scout in scouts for url in scout.notify)]
    yield from (url for url in dict.fromkeys(named) if url not in known)


def _tested(tested: Tested) -> dict[str, Any]:
    return {
        "channel": tested.name,
        "outcome": tested.delivery.outcome,
        "promise": tested.promise,
        "detail": tested.delivery.detail,
        "provider_id": tested.delivery.provider_id,
    }


def _row(tested: Tested) -> tuple[str, ...]:
    outcome, detail = tested.delivery.outcome, tested.delivery.detail
    told = {"sent": "sent", "retry": "failed", "refused": "refused", "gone": "gone"}[outcome]
    return tested.name, told, _CLAIMS[tested.promise], detail


def _json(channel: ChannelGlance) -> dict[str, Any]:
    return {
        "id": channel.id,
        "channel": describe(channel.url),
        "state": channel.state,
        "reason": channel.reason,
        "served_at": channel.served_at,
        "last_sent_at": channel.last_sent_at,
        "failing_since": channel.failing_since,
        "pending": channel.pending,
        "dead": channel.dead,
        "unknown": channel.unknown,
    }


def _fresh(url: str) -> dict[str, Any]:
    moments = dict.fromkeys(("served_at", "last_sent_at", "failing_since"))
    counts = dict.fromkeys(("pending", "dead", "unknown"), 0)
    about = {"id": None, "channel": describe(url), "state": "unused", "reason": ""}
    return {**about, **moments, **counts}


def _glance(channel: ChannelGlance, when: Times) -> tuple[str, ...]:
    return (
        str(channel.id)[:8],
        describe(channel.url),
        channel.state,
        when.past(channel.served_at),
        when.past(channel.last_sent_at),
        str(channel.pending),
        str(channel.dead),
        str(channel.unknown),
        channel.reason,
    )
