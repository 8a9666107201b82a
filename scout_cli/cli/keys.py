"""`scout keys`: the keys of this machine by their names, and those of the web interface in full."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.config import keyring, rotation
from scout_cli.config.rotation import Key, Rotated, Signing
from scout_cli.core.shape import plain
from scout_cli.plug import scheme_of
from scout_cli.store.sqlite_file import path_of

_COLUMNS = (Column("kind"), Column("id"), Column("use"), Column("values", number=True))


@click.group("keys", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List, show and change the keys of this machine.

    \b
    Example:
      scout keys list
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def list_(session: Session, *, as_json: bool) -> None:
    """List the keys by their ids, and how many stored secrets need each.

    An id is the beginning of a key's SHA-256; the key itself is never shown. "missing" is a key
    that some secret needs and that is not here; "in clear" are secrets that an older version of
    scout stored, until `scout keys rotate`.

    \b
    Example:
      scout keys list
    """  # noqa: D301 - see above

    async def work(app: App) -> list[Key]:
        url = app.settings.database_url
        there = scheme_of(url) != "sqlite" or path_of(url).exists()
        return await rotation.keys(app.settings, await app.database() if there else None)

    found = session.run(work)
    if as_json:
        streams.put_json({"keys": plain(found)})
    elif found:
        rows = [(each.kind, each.id or "-", each.use, _count(each)) for each in found]
        tables.show(_COLUMNS, rows)
    else:
        streams.say("No keys yet: scout makes them when the first secret is stored.")


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def show(session: Session, *, as_json: bool) -> None:
    """Print the keys of the web interface: anon, service_role and chat.

    Everybody may know anon. Whoever has service_role reads and changes everybody's rows; chat
    talks to the model. They follow from the secret that signs, and stay until it changes.

    \b
    Example:
      scout keys show
    """  # noqa: D301 - see above

    async def work(app: App) -> dict[str, str]:
        from scout_cli.service.accounts.api_keys import (  # noqa: PLC0415 - not for `--help`
            api_key,
            gateway_key,
        )

        secret = app.keyring().jwt_secrets[0]
        return {
            "anon": api_key("anon", secret),
            "service_role": api_key("service_role", secret),
            "chat": gateway_key(secret),
        }

    found = session.run(work)
    if as_json:
        streams.put_json(found)
    else:
        for name, key in found.items():
            streams.put(f"{name} {key}")


@command.command("rotate")
@click.option("--jwt", is_flag=True, help="The secret that signs tokens, instead of these keys.")
@click.option("--keep", is_flag=True, help="Keep the old keys, for backups made with them.")
@click.option("--discard", is_flag=True, help="Give up secrets whose key is lost.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def rotate(session: Session, *, jwt: bool, keep: bool, discard: bool, as_json: bool) -> None:
    """Encrypt stored secrets with a new key and drop the old one.

    Running workers notice by themselves. Interrupted, it loses nothing: type it again. A backup
    made before needs the old key: say --keep, or make a new backup afterwards.

    Keys that are set by hand (SCOUT_SECRET_KEYS) stay yours: put a new one from `scout keys new`
    first, run this, then take the old one out.

    With --jwt the secret that signs tokens and the keys of the web interface is changed. What the
    one before it signed stays good until the next time, so that nobody is signed out; servers
    read it when they start.

    \b
    Example:
      scout keys rotate
    """  # noqa: D301 - see above
    if jwt:
        if keep or discard:
            raise click.UsageError("--jwt goes without --keep and --discard")
        _rotate_jwt(session, as_json=as_json)
        return

    async def work(app: App) -> Rotated:
        database = await app.database()
        return await rotation.rotate(app.settings, database, keep=keep, discard=discard)

    done = session.run(work)
    if as_json:
        streams.put_json(plain(done))
        return
    streams.put(done.key)
    streams.say(
        f"{done.sealed} secrets are encrypted with {'the new' if done.made else 'this'} key."
    )
    if done.discarded:
        streams.say(f"{done.discarded} were given up; their channels: scout notify list")
    if done.dropped:
        streams.say(f"Dropped: {', '.join(done.dropped)}. Older backups need them.")
    if done.unused:
        streams.say(f"Not needed by this database any more: {', '.join(done.unused)}")


def _rotate_jwt(session: Session, *, as_json: bool) -> None:
    async def work(app: App) -> Signing:
        return await rotation.rotate_signing(app.settings, await app.database(), app.clock)

    done = session.run(work)
    if as_json:
        streams.put_json(plain(done))
        return
    streams.put(done.key)
    streams.say(f"Good until the next time: {done.kept}")
    if done.dropped:
        streams.say(f"Dropped: {', '.join(done.dropped)}")
    streams.say("Restart scout serve, and build the web interface with: scout frontend-env")


@command.command("new")
@click.option("--jwt", is_flag=True, help="A secret for SCOUT_JWT_SECRET.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def new(*, jwt: bool, as_json: bool) -> None:
    """Print a new key, for SCOUT_SECRET_KEYS, and store it nowhere.

    \b
    Example:
      export SCOUT_SECRET_KEYS="$(scout keys new)"
    """  # noqa: D301 - see above
    key = keyring.made("jwt_secrets" if jwt else "secret_keys")
    streams.put_json({"key": key}) if as_json else streams.put(key)


def _count(key: Key) -> str:
    return "-" if key.kind == "jwt" else str(key.values)
