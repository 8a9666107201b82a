"""`scout apply`: make the scouts what a file says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from scout_cli import config
from scout_cli.app import App
from scout_cli.cli import looking, streams, tables, wishes
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.config import declared, file
from scout_cli.core.shape import plain
from scout_cli.errors import ConfigError, InvalidInput
from scout_cli.service.changes import Difference
from scout_cli.service.declared import shown_place
from scout_cli.service.declared_plan import ACTIONS, Entry, Given, Plan
from scout_cli.service.declaring import Applied, Declaring, Filled

_COLUMNS = (Column("action"), Column("key"), Column("what", wide=True))
_STDIN = Path("stdin")
_DONE = {"add": "added", "change": "changed", "unchanged": "unchanged", "remove": "removed"}
_TO_DO = {"add": "to add", "change": "to change", "unchanged": "unchanged", "remove": "to remove"}
_BY = {
    "model": "the model",
    "repair": "the model, at its second try",
    "lines": "the model",
    "fallback": "the built-in engine",
    "built-in": "the built-in engine",
}


@click.command("apply")
@click.argument("source", metavar="[FILE]", required=False)
@click.option("--prune", is_flag=True, help="Remove scouts that the file no longer has.")
@click.option("--dry-run", is_flag=True, help="Print the plan and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before removing scouts.")
@click.option("--json", "as_json", is_flag=True, help="Print plan and result as JSON.")
@pass_session
def command(
    session: Session,
    /,
    *,
    source: str | None,
    prune: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Make the scouts what a file says they are.

    FILE holds [[scout]] tables, as scout export writes them; without it, it is the scouts.toml that
    the settings come from, and - is standard input. A scout is known by its key. It is all or
    nothing, and doing it again changes nothing. --prune removes scouts that an earlier apply made,
    never those made by hand.

    \b
    Example:
      scout apply scouts.toml --dry-run
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    document = _document(session, source)
    zone = config.machine_timezone()
    given = Given(
        declarations=declared.read(document), prune=prune, timezone=zone, hide=wishes.hidden
    )
    plan = session.run(lambda app: _plan(app, given))
    doubtful = plan.of("remove") if not (dry_run or yes) else ()
    if doubtful and (as_json or source == "-" or not streams.is_terminal(sys.stdin)):
        raise _unasked(doubtful)
    if not as_json:
        _show(plan)
        _tell(plan, str(document.path))
    if dry_run or plan.idle:
        _finish(plan, None, as_json=as_json, dry_run=dry_run)
        return streams.ExitCode.OK
    if doubtful and not _agrees(doubtful):
        streams.say("Nothing was changed.")
        return streams.ExitCode.FAILED
    applied = session.run(lambda app: _apply(app, given, plan, as_json=as_json))
    _finish(applied.plan, applied, as_json=as_json, dry_run=False)
    return streams.ExitCode.OK


def _document(session: Session, source: str | None) -> file.Document:
    settings = session.load().path
    if source == "-":
        stdin = getattr(sys.stdin, "buffer", None)
        data = stdin.read(file.MAX_SCOUTS + 1) if stdin else b""
        return file.parse(file.within(data, _STDIN, file.MAX_SCOUTS), _STDIN)
    path = Path(source) if source is not None else settings
    if path is None:
        raise ConfigError("there is no scouts.toml here", hint="scout apply FILE")
    document = file.read(path, file.MAX_SCOUTS)
    if "settings" in document.tables and not _same(path, settings):
        streams.say(f"The [settings] in {streams.line(str(path))} are not used: see --config.")
    return document


def _same(path: Path, other: Path | None) -> bool:
    return other is not None and other.exists() and path.samefile(other)


async def _plan(app: App, given: Given) -> Plan:
    return await Declaring(await app.database(), app.clock, app.reasoner).plan(given)


async def _apply(app: App, given: Given, plan: Plan, *, as_json: bool) -> Applied:
    service = Declaring(await app.database(), app.clock, app.reasoner)
    applied = await service.apply(given, plan)
    for note in looking.taken(app.notes) if not as_json else ():
        streams.say(streams.line(note))
    return applied


def _unasked(doubtful: Sequence[Entry]) -> InvalidInput:
    return InvalidInput(
        f"this removes {_scouts(doubtful)} with everything found: {_keys(doubtful)}",
        hint="look at it with --dry-run, then say --yes",
    )


def _agrees(doubtful: Sequence[Entry]) -> bool:
    return click.confirm(f"Remove {_scouts(doubtful)} with everything found?", err=True)


def _show(plan: Plan) -> None:
    rows = [row for entry in plan.entries for row in _rows(entry)]
    if rows:
        tables.show(_COLUMNS, rows)


def _rows(entry: Entry) -> list[tuple[str, str, str]]:
    what = (entry.scout.goal if entry.action == "add" else entry.scout.title) or ""
    texts = [
        f"{each.field}: {_text(each.field, each.old)} -> {_text(each.field, each.new)}"
        for each in entry.differences
    ] or [what]
    first, *more = texts
    return [(entry.action, entry.key, first), *(("", "", text) for text in more)]


def _text(field: str, value: Any) -> str:
    shown = _shown(field, value)
    if isinstance(shown, bool):
        return str(shown).lower()
    if isinstance(shown, list):
        return ", ".join(shown) or "none"
    if isinstance(shown, dict):
        return ", ".join(f"{name} {part}" for name, part in shown.items())
    return shown or "none"


def _shown(field: str, value: Any) -> Any:
    """Return a value as the file has it, its secrets hidden."""
    if field == "location":
        return plain(shown_place(value)) or None
    return [wishes.hidden(each) for each in value] if isinstance(value, list) else value


def _tell(plan: Plan, source: str) -> None:
    """Say what a person may not expect of the plan."""
    if not plan.entries:
        streams.say(f"{streams.line(source)} has no [[scout]] table.")
    if derived := [entry for entry in plan.entries if entry.derived]:
        streams.say(
            f"Key made from title or goal: {_keys(derived)}. Write it into the file, key = "
            f'"{derived[0].key}": with another title it would be another scout.'
        )
    if plan.left:
        streams.say(f"No longer in the file, and kept: {', '.join(plan.left)}. See --prune.")
    if plan.namesakes:
        streams.say(
            f"Made by hand with the same title: {streams.line(', '.join(plan.namesakes))}. It is "
            "another scout; scout export gives it a key."
        )


def _finish(plan: Plan, applied: Applied | None, *, as_json: bool, dry_run: bool) -> None:
    counts = {action: len(plan.of(action)) for action in ACTIONS}
    if as_json:
        streams.put_json(
            {
                "dry_run": dry_run,
                "counts": counts,
                "scouts": [_outcome(entry, applied) for entry in plan.entries],
                "left": plan.left,
                "namesakes": plan.namesakes,
            }
        )
        return
    for filled in applied.filled if applied else ():
        _say_filled(filled)
    words = _TO_DO if dry_run else _DONE
    said = ", ".join(f"{counts[action]} {words[action]}" for action in ACTIONS)
    streams.say(f"{'Dry run: ' if dry_run else ''}{said}.")


def _say_filled(filled: Filled) -> None:
    if filled.answered_by == "code":
        return
    note = f", because {streams.line(filled.note)}" if filled.note else ""
    streams.say(f"{filled.scout.key}: filled in by {_BY[filled.answered_by]}{note}.")


def _outcome(entry: Entry, applied: Applied | None) -> dict[str, Any]:
    new = {each.scout.key: each for each in applied.filled} if applied else {}
    filled = new.get(entry.key)
    scout = filled.scout if filled else entry.scout
    known = applied.ids.get(entry.key) if applied else None
    return {
        "action": entry.action,
        "key": entry.key,
        "key_derived": entry.derived,
        "id": known or (entry.scout.id if entry.action != "add" else None),
        "title": scout.title or None,
        "goal": scout.goal,
        "changes": [_difference(each) for each in entry.differences],
        "answered_by": filled.answered_by if filled else None,
        "note": filled.note if filled else "",
    }


def _difference(found: Difference) -> dict[str, Any]:
    old, new = _shown(found.field, found.old), _shown(found.field, found.new)
    return {"field": found.field, "old": old, "new": new}


def _scouts(entries: Sequence[Entry]) -> str:
    return f"{len(entries)} scout{'s' if len(entries) > 1 else ''}"


def _keys(entries: Sequence[Entry]) -> str:
    return ", ".join(entry.key for entry in entries)
