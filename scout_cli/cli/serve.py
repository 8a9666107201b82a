"""`scout serve`: the API and the minute loop in one process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from msgspec.structs import replace

from scout_cli.app import App
from scout_cli.cli import streams, working
from scout_cli.cli.session import Session, pass_session
from scout_cli.config import keyring
from scout_cli.errors import ConfigError, Unavailable

if TYPE_CHECKING:  # aiohttp's server stays out of a command line that cannot be used
    from scout_cli.server.calls import Rules
    from scout_cli.server.running import Place, Running

PORT = 54_321


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--scheduler/--no-scheduler",
    default=True,
    show_default=True,
    help="Also run what is due and deliver the news.",
)
@click.option(
    "--public-url",
    metavar="URL",
    help="Where others reach it, for links.  [env: SCOUT_PUBLIC_URL]",
)
@click.option("--log-json", is_flag=True, help="Write the log as JSON Lines.")
@click.option("--quiet", "-q", is_flag=True, help="Write no line for each request.")
@pass_session
def command(
    session: Session,
    *,
    host: str,
    port: int,
    scheduler: bool,
    public_url: str | None,
    log_json: bool,
    quiet: bool,
) -> None:
    """Serve the API, and run what is due beside it.

    It listens on this machine alone. For other machines name an address with --host, set
    SCOUT_JWT_SECRET, and put a proxy with TLS in front.

    Ctrl-C or SIGTERM lets what is under way finish within 20 seconds; a second one ends at once.

    \b
    Example:
      scout serve
      scout serve --host 0.0.0.0 --public-url https://scout.example.org
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from scout_cli.server import memory  # noqa: PLC0415 - see below

    async def work(app: App) -> None:
        from scout_cli.server import logs, running  # noqa: PLC0415 - aiohttp's server

        if public_url is not None:
            app.settings = replace(app.settings, public_url=public_url.rstrip("/"))
        place = running.Place(host=host, port=port)
        _refuse_bare(app, place)
        kind = logs.JsonLines if log_json else logs.Lines
        logs.keep(kind(lambda text: streams.redact(streams.line(text))), quiet=quiet)
        await _serve(app, place, scheduler=scheduler)

    memory.one_heap()
    session.run(work)


async def _serve(app: App, place: Place, *, scheduler: bool) -> None:
    from scout_cli.server import application, memory, running  # noqa: PLC0415 - see above
    from scout_cli.server.access import networks  # noqa: PLC0415 - see above
    from scout_cli.server.door import Limits  # noqa: PLC0415 - see above

    accounts = await app.accounts()
    await accounts.check_secret()
    # Before it listens: nobody may be faster than the owner. Behind a proxy everybody looks local.
    token = await accounts.joining.setup_token() if _others_reach(app, place) else None
    limits = Limits(trusted=networks(app.settings.trusted_proxies))
    server = application.create(app, _rules(app, place))
    async with running.listening(server, place, limits) as live:
        worker = await app.worker(running.LogListener(), stays=True) if scheduler else None
        accounts.mailing.base_url = app.settings.public_url or live.place.url
        await _greet(app, live, token, scheduler=scheduler)
        memory.settle()

        async def until(stop: asyncio.Event) -> None:
            await running.serve(live, worker, stop)

        await working.until_stopped(until)


def _others_reach(app: App, place: Place) -> bool:
    """Return whether others than this machine reach the server, a proxy in front included."""
    from scout_cli.server.middleware import is_local  # noqa: PLC0415 - see above

    url = app.settings.public_url
    return not place.private or bool(url and not is_local(url))


def _rules(app: App, place: Place) -> Rules:
    """Return who may call: by which names, and from which web pages."""
    from scout_cli.server.calls import Rules  # noqa: PLC0415 - see above

    given = app.settings
    named = {urlsplit(given.public_url).hostname or ""} | set(given.allowed_hosts)
    # Whoever binds elsewhere without naming the server lets it be called by any name.
    known = place.private or named != {""}
    own = {"localhost", "127.0.0.1", "::1", place.host}
    return Rules(
        hosts=frozenset((named | own) - {""}) if known else frozenset(),
        origins=frozenset((*given.allowed_origins, *_origins(given.site_url, given.public_url))),
    )


def _origins(*urls: str) -> list[str]:
    parts = [urlsplit(url) for url in urls if url]
    return [f"{each.scheme}://{each.netloc}" for each in parts]


def _refuse_bare(app: App, place: Place) -> None:
    """Refuse to listen for others without a secret that was made before, and is kept.

    Raises:
        ConfigError: neither the settings nor the file of keys have one.
    """
    if place.private:
        return
    if not keyring.known(app.settings).jwt_secrets:
        raise ConfigError(
            f"listening on {place.host} lets others in, and no secret is configured",
            hint="export SCOUT_JWT_SECRET=$(openssl rand -base64 48), and keep it",
        )
    streams.say(
        "Others can reach this server. Without TLS in front of it, passwords and tokens travel in "
        "clear; whoever has an account lets this machine fetch pages and use its model."
    )


async def _greet(app: App, live: Running, token: str | None, *, scheduler: bool) -> None:
    """Say where it listens, what it found, and how to make the first account."""
    described = await (await app.database()).describe()
    try:
        model = (await app.reasoner()).name
    except Unavailable as error:
        model = f"none yet: {error.message}"
    url = app.settings.public_url or live.place.url
    lines = [
        f"listening on {live.place.url}" + ("" if url == live.place.url else f" as {url}"),
        f"  database  {described.location}",
        f"  model     {model}",
        f"  search    {', '.join(app.settings.search_url)}",
        f"  schedule  {'runs what is due' if scheduler else 'left to another process'}",
        f"  API       {live.place.url}/docs",
    ]
    accounts = await app.accounts()
    if token:
        lines.append(f"  first account: scout user add, or sign up with this setup_token: {token}")
    elif await accounts.people.none_yet():
        lines += ["  first account:", f"    {_SIGN_UP.format(url=live.place.url)}"]
    for text in (*app.notes, *lines):
        streams.say(streams.redact(text))


_SIGN_UP = """curl {url}/auth/signup --json '{{"email": "me@example.org", "password": "..."}}'"""
