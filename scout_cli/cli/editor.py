"""A scout as TOML in a person's own editor, and what was saved as a change.

The text is one table of a file for `scout apply`: the same names, the same rules, secrets hidden
in the same way. Here everything is on show, so what is taken out is cleared.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from msgspec import UNSET
from msgspec.structs import replace

from scout_cli.cli import streams, wishes
from scout_cli.config import declared, file
from scout_cli.core import shape
from scout_cli.core.models import Scout, ScoutPatch
from scout_cli.errors import InvalidInput
from scout_cli.service.changes import checked
from scout_cli.service.declared import FIELDS, columns, table_of

_TABLE = "[[scout]]"
_HEAD = """\
# {title} ({name})
# Save and close the editor to change it; leave the text as it is, or empty, to change nothing.
"""
_EXAMPLES = {
    "description": '"what it is about"',
    "queries": '["what to search for"]',
    "cron": '"0 9 * * 1"   # instead of `every`: hourly, daily, every_3_days or weekly',
    "location": '"Bonn, Germany"',
    "language": '"de"',
    "urls": '["https://example.org/always-read-this-page"]',
    "feeds": '["https://example.org/feed.xml"]',
    "include_domains": '["example.org"]   # read only these',
    "exclude_domains": '["example.org"]   # never read these',
    "notify": '["mailto:me@example.org"]',
    "digest": '"weekly"   # or "daily": one message instead of one for each run',
}


def text_of(scout: Scout) -> str:
    """Return a scout as TOML; what it has not is there as a comment."""
    table = table_of(scout, "", wishes.hidden)
    if scout.is_active:
        table = replace(table, active=True)
    written = declared.write([table]).partition(_TABLE)[2]
    given = shape.plain(table)
    missing = [f"# {name} = {text}\n" for name, text in _EXAMPLES.items() if name not in given]
    head = _HEAD.format(title=streams.line(scout.title), name=str(scout.id)[:8])
    return f"{head}{_TABLE}{written}\n{''.join(missing)}"


def patch_of(text: str, scout: Scout) -> ScoutPatch:
    """Return the change that makes `scout` what `text` says.

    Args:
        text: TOML as `text_of` writes it, edited.
        scout: the scout that the text was made from.

    Raises:
        InvalidInput: not TOML, an unknown name, or a value that cannot be used; it names the line.
    """
    found = declared.read(file.parse(text.encode(), Path("the text")))
    if len(found) != 1 or found[0].table.key not in ("", scout.key):
        raise InvalidInput(
            "the text is one [[scout]] table, and its key stays",
            hint="several scouts at once: scout apply FILE",
        )
    table = found[0].table
    asked = columns(found[0], scout, wishes.hidden)
    asked.update(
        goal=table.goal,
        title=table.title,
        description=table.description or None,
        search_queries=list(table.queries),
        is_active=table.active is not False,
    )
    patch = ScoutPatch(**{name: _same(getattr(scout, name), new) for name, new in asked.items()})
    for name in (each for each in FIELDS if getattr(patch, each) is not UNSET):
        try:
            checked(scout, ScoutPatch(**{name: getattr(patch, name)}))
        except InvalidInput as problem:
            raise found[0].refuse(FIELDS[name], problem) from problem
    return patch


def saved(text: str) -> str | None:
    """Open `text` in the editor and return what was saved; None for no change or an empty text.

    Raises:
        InvalidInput: the editor cannot be started or failed, or what it saved is not UTF-8.
    """
    try:
        found = click.edit(text.encode(), extension=".toml", require_save=False)
    except click.ClickException as error:
        raise InvalidInput(
            error.format_message(), hint="name your editor: export EDITOR=nano"
        ) from error
    try:
        kept = (found or b"").decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("what was saved is not UTF-8", hint="save it as UTF-8") from error
    return kept if kept.strip() and kept != text else None


def can_ask() -> bool:
    """Return whether a person can be shown an editor."""
    return streams.is_terminal(sys.stdin) and streams.is_terminal(sys.stdout)


def _same(old: Any, new: Any) -> Any:
    """Leave alone what only differs in how nothing is written."""
    return UNSET if old == new or (not old and not new and new is not False) else new
