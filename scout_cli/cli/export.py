"""`scout export`: write the scouts as a file that `scout apply` reads."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from scout_cli import files
from scout_cli.app import App
from scout_cli.cli import names, streams, wishes
from scout_cli.cli.session import Session, pass_session
from scout_cli.config import declared, file
from scout_cli.core.models import Scout
from scout_cli.errors import ConfigError, Conflict, InvalidInput, Refused
from scout_cli.service.declared import HIDDEN, DeclaredScout, table_of
from scout_cli.service.declaring import Declaring


@click.command("export")
@click.argument("scouts", metavar="[SCOUT]...", nargs=-1, type=names.SCOUT)
@click.option("-o", "--output", metavar="FILE", help="Write this file, for you alone to read.")
@click.option("--force", is_flag=True, help="Overwrite the file if there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@pass_session
def command(
    session: Session,
    /,
    *,
    scouts: tuple[str, ...],
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write the scouts as a file that `scout apply` reads.

    Without SCOUT, all of them. Applying the file changes nothing: a scout that has no key yet gets
    one, made from its title, which the database keeps. A URL that holds a secret is written as its
    scheme alone, such as tgram://***, which means the one in the database.

    \b
    Example:
      scout export -o scouts.toml
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    output = None if output == "-" else output
    if as_json and output is not None:
        raise InvalidInput("--json prints, and -o writes a file", hint="give one of the two")
    if output is not None:
        refuse_to_overwrite(Path(output), force=force)
    before, after = session.run(lambda app: _chosen(app, scouts))
    ordered = sorted(after, key=lambda scout: scout.key or "")
    found = [table_of(scout, scout.key or "", wishes.hidden) for scout in ordered]
    if as_json:
        streams.put_json({"scouts": found})
    elif output is None:
        streams.put(declared.write(found).removesuffix("\n"))
        streams.flush()
    else:
        save(declared.write(found), Path(output), force=force)
    if not as_json:
        _tell(before, found, output)


async def _chosen(app: App, named: Sequence[str]) -> tuple[list[Scout], list[Scout]]:
    """Return the scouts as they were and, in the same order, with the keys that they have now."""
    service = await app.scouts()
    chosen = (
        await service.find_all(named) if named else [each.scout for each in await service.all()]
    )
    keyed = await Declaring(await app.database(), app.clock, app.reasoner).keep_keys(chosen)
    return chosen, keyed


def _tell(before: Sequence[Scout], found: Sequence[DeclaredScout], output: str | None) -> None:
    fresh = len([scout for scout in before if not scout.key])
    if fresh:
        streams.say(f"{_scouts(fresh)} had no key; the database now keeps the key in the file.")
    if any(HIDDEN in url for each in found for url in (*each.urls, *each.feeds, *each.notify)):
        streams.say("URLs that hold a secret are written as their scheme and ***.")
    if output is not None:
        streams.say(f"{_scouts(len(found))} written to {streams.line(output)}.")
    elif not found:
        streams.say('No scouts yet. Make one with: scout add "Python meetups in Bonn"')


def _scouts(number: int) -> str:
    return f"{number} scout{'s' if number != 1 else ''}"


def refuse_to_overwrite(path: Path, *, force: bool) -> None:
    """Refuse to write over a file, unless forced to and it holds scouts alone.

    Raises:
        Conflict: there is a file, and `force` was not said.
        Refused: it holds settings, which an export has not.
        ConfigError: it is no file, or not one that can be read.
    """
    if not os.path.lexists(path):
        return
    quoted = shlex.quote(str(path))
    if not force:
        raise Conflict(f"{path} is there already", hint=f"scout export -o {quoted} --force")
    if not path.is_file():
        raise ConfigError(f"{path}: not a regular file", hint="give the path of a TOML file")
    try:
        tables = file.read(path, file.MAX_SCOUTS).tables
    except ConfigError as problem:
        hint = f"move it away first: mv {quoted} {shlex.quote(f'{path}.old')}"
        raise ConfigError(problem.message, hint=hint) from problem
    if "settings" in tables:
        raise Refused(
            f"{path} holds [settings], which an export has not", hint="write to another file"
        )


def save(text: str, path: Path, *, force: bool) -> None:
    """Write a file whole or not at all, readable for its owner alone.

    Args:
        text: its content.
        path: where; a link is followed.
        force: replace the file that is there.

    Raises:
        Conflict: there is a file, and `force` was not said.
        ConfigError: it cannot be written there.
    """
    try:
        with files.whole(path, replace=force) as stream:
            stream.write(text.encode())
    except OSError as error:
        hint = f"ls -ld {shlex.quote(str(path.parent))}"
        raise ConfigError(f"{path}: {error.strerror}", hint=hint) from error
