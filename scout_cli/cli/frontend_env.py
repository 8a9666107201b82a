"""`scout frontend-env`: the variables that the web interface needs, ready for a file."""

from __future__ import annotations

import re
from collections.abc import Mapping

import click

from scout_cli.app import App
from scout_cli.cli import streams
from scout_cli.cli.session import Session, pass_session
from scout_cli.errors import InvalidInput

_SERVER = "http://127.0.0.1:54321"
"""Where `scout serve` listens unless told otherwise."""
_SITE = "http://localhost:3000"
"""Where Next.js listens unless told otherwise."""
_URL = re.compile(r"https?://[A-Za-z0-9.\-:\[\]]+(/[A-Za-z0-9._~/%-]*)?")


@click.command("frontend-env")
@click.option(
    "--format",
    "form",
    type=click.Choice(("env", "json")),
    default="env",
    show_default=True,
    help="Lines for a file, or one JSON object.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--url", metavar="URL", help=f"Where scout serve is; public_url, or {_SERVER}.")
@click.option("--site-url", metavar="URL", help=f"Where the interface is; site_url, or {_SITE}.")
@pass_session
def command(
    session: Session, *, form: str, as_json: bool, url: str | None, site_url: str | None
) -> None:
    """Print the variables that the web interface needs.

    They hold keys: the service key can read and change everybody's rows. Keep the file to
    yourself. The values stay the same until `scout keys rotate --jwt`.

    \b
    Example:
      (umask 077; scout frontend-env > open-scouts/.env.local)
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> dict[str, str]:
        given = app.settings
        server = _address(url or given.public_url or _SERVER, "--url")
        site = _address(site_url or given.site_url or _SITE, "--site-url")
        return variables(app.keyring().jwt_secrets[0], server, site)

    found = session.run(work)
    if as_json or form == "json":
        streams.put_json(found)
    else:
        streams.put("\n".join(lines(found)))
    streams.say("These are keys: keep the file to yourself (chmod 600), and build with it there.")


def variables(secret: str, server: str, site: str) -> dict[str, str]:
    """Return the variables with their values.

    Args:
        secret: the newest that signs.
        server: where the server is, without a slash at the end.
        site: where the interface is.
    """
    from scout_cli.service.accounts.api_keys import (  # noqa: PLC0415 - not for `--help`
        api_key,
        gateway_key,
    )

    return {
        "NEXT_PUBLIC_SUPABASE_URL": server,
        "NEXT_PUBLIC_SUPABASE_ANON_KEY": api_key("anon", secret),
        "SUPABASE_SERVICE_ROLE_KEY": api_key("service_role", secret),
        "OPENAI_API_KEY": gateway_key(secret),
        "OPENAI_BASE_URL": f"{server}/openai/v1",
        "NEXT_PUBLIC_SITE_URL": site,
        "NEXT_TELEMETRY_DISABLED": "1",
    }


def lines(found: Mapping[str, str]) -> list[str]:
    """Return variables as the lines of a file; no value needs quotes."""
    return [f"{name}={value}" for name, value in found.items()]


def _address(given: str, option: str) -> str:
    address = given.rstrip("/")
    if not _URL.fullmatch(address):
        raise InvalidInput(
            f"{option}: {given[:80]!r} is not the address of a server",
            hint=f"For example: {_SERVER}",
        )
    return address
