"""`scout keys`: the keys of this machine, by their names; never the keys themselves."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.config import keyring, rotation
from scout_cli.config.rotation import Key, Rotated
from scout_cli.core.shape import plain
from scout_cli.plug import scheme_of
from scout_cli.store.sqlite_file import path_of

_COLUMNS = (Column("kind"), Column("id"), Column("use"), Column("values", number=True))


@click.group("keys", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List and change the keys that protect stored secrets.

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


@command.command("rotate")
@click.option("--keep", is_flag=True, help="Keep the old keys, for backups made with them.")
@click.option("--discard", is_flag=True, help="Give up secrets whose key is lost.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def rotate(session: Session, *, keep: bool, discard: bool, as_json: bool) -> None:
    """Encrypt stored secrets with a new key and drop the old one.

    Running workers notice by themselves. Interrupted, it loses nothing: type it again. A backup
    made before needs the old key: say --keep, or make a new backup afterwards.

    Keys that are set by hand (SCOUT_SECRET_KEYS) stay yours: put a new one from `scout keys new`
    first, run this, then take the old one out.

    \b
    Example:
      scout keys rotate
    """  # noqa: D301 - see above

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
