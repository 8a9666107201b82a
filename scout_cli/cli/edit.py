"""`scout edit`: change a scout, with options or in an editor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from scout_cli.app import App
from scout_cli.cli import editor, names, streams, tables, wishes
from scout_cli.cli.asked import asked, edit_options
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.core.models import Location, Scout, ScoutPatch
from scout_cli.errors import InvalidInput, ScoutError
from scout_cli.service.declared import FIELDS
from scout_cli.service.wishes import place_text

_COLUMNS = (
    Column("field"),
    Column("old", rank=1, wide=True, least=12),
    Column("new", wide=True, least=12),
)


@click.command("edit")
@click.argument("name", metavar="SCOUT", type=names.SCOUT)
@edit_options
@click.option("--json", "as_json", is_flag=True, help="Print the scout and its changes as JSON.")
@pass_session
def command(session: Session, /, name: str, *, as_json: bool, **given: Any) -> None:
    """Change a scout, with options or in your editor.

    SCOUT is an id, the beginning of one, or a title. An option that `scout add` takes several
    times adds to what is there; --no-query, --no-url and the like take one out, and --clear takes
    all out first. Without options, on a terminal, the scout opens as TOML in $VISUAL or $EDITOR.

    \b
    Example:
      scout edit 1a2b3c4d --every weekly --clear query --query "Bonn Python user group"
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if any(given.values()):
        given["notify"] = wishes.channels(given["notify"])
        old = session.run(lambda app: _find(app, name))
        new = _change(session, old, asked(old, given))
    elif editor.can_ask():
        old = session.run(lambda app: _find(app, name))
        new = _edited(session, old)
    else:
        session.run(lambda app: _find(app, name))
        raise InvalidInput(
            "what to change? An editor needs a terminal",
            hint=f"for example: scout edit {streams.line(name)[:80]!r} --every weekly",
        )
    _tell(old, new, as_json=as_json)


async def _find(app: App, name: str) -> Scout:
    return await (await app.scouts()).find(name)


def _change(session: Session, scout: Scout, patch: ScoutPatch) -> Scout:
    async def work(app: App) -> Scout:
        return await (await app.scouts()).change(scout, patch)

    return session.run(work)


def _edited(session: Session, scout: Scout) -> Scout:
    """Change a scout in the editor, until it can be used or the person gives up."""
    text = editor.text_of(scout)
    while (found := editor.saved(text)) is not None:
        try:
            return _change(session, scout, editor.patch_of(found, scout))
        except InvalidInput as problem:
            streams.tell(problem, as_json=False)
            if not click.confirm("Edit it again?", default=True, err=True):
                raise _given_up(problem) from problem
            text = found
    return scout


def _given_up(problem: ScoutError) -> InvalidInput:
    return InvalidInput("nothing was changed", hint=problem.hint)


def _tell(old: Scout, new: Scout, *, as_json: bool) -> None:
    changed = [name for name in FIELDS if getattr(old, name) != getattr(new, name)]
    if as_json:
        differences = [
            {"field": name, "old": wishes.shown(old)[name], "new": wishes.shown(new)[name]}
            for name in changed
        ]
        streams.put_json({"scout": wishes.shown(new), "changed": differences})
        return
    if not changed:
        streams.say("Nothing was changed.")
        return
    tables.show(
        _COLUMNS,
        [
            (_label(name), _shown(name, getattr(old, name)), _shown(name, getattr(new, name)))
            for name in changed
        ],
    )
    if "goal" in changed and "search_queries" not in changed and new.search_queries:
        streams.say(
            "It still searches for what it searched before, and the model adds to that; "
            f"to start anew: scout edit {str(new.id)[:8]} --clear query"
        )


def _label(name: str) -> str:
    return "rhythm" if name == "schedule" else FIELDS[name].replace("_", " ")


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Location):
        return place_text(value) or "anywhere"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(wishes.hidden, value)) or "-"
    return value or ("anywhere" if name == "location" else "-")
