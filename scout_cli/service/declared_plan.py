"""What it takes to make the scouts what a file says: a pure function, and nothing is done yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core.models import Record, Scout, ScoutPatch
from scout_cli.errors import InvalidInput
from scout_cli.service import changes
from scout_cli.service.changes import Difference
from scout_cli.service.declared import FIELDS, Declaration, columns

Action = Literal["add", "change", "unchanged", "remove"]
ACTIONS: tuple[Action, ...] = ("add", "change", "unchanged", "remove")

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_NOBODY = UUID(int=0)


class Entry(Record, frozen=True, kw_only=True):
    """What becomes of one scout."""

    action: Action
    key: str
    scout: Scout
    """As it is; for a new one as the file describes it, what is filled in still missing."""
    derived: bool = False
    """Whether the file has no key for it, so that it was made from title or goal."""
    patch: ScoutPatch = ScoutPatch()
    differences: tuple[Difference, ...] = ()
    """Field by field, by the file's names."""


class Plan(Record, frozen=True, kw_only=True):
    """What applying a file does."""

    entries: tuple[Entry, ...]
    """In the order of the file, then what is removed."""
    left: tuple[str, ...] = ()
    """Keys that an earlier apply made and the file no longer has; they stay."""
    namesakes: tuple[str, ...] = ()
    """Titles of scouts made by hand that a new scout has as well."""

    def of(self, action: Action) -> tuple[Entry, ...]:
        """Return the entries with this action."""
        return tuple(entry for entry in self.entries if entry.action == action)

    @property
    def idle(self) -> bool:
        """Return whether there is nothing to do."""
        return len(self.of("unchanged")) == len(self.entries)

    def same(self, other: Plan) -> bool:
        """Return whether `other` does to a person's scouts what this plan does."""
        return _outline(self) == _outline(other)


class Given(Record, frozen=True, kw_only=True):
    """What a plan is made from, besides the scouts as they are."""

    declarations: tuple[Declaration, ...]
    prune: bool = False
    """Remove the scouts that an earlier apply made and that the file no longer has."""
    timezone: str = "UTC"
    """Of a new scout whose table names none."""
    hide: Callable[[str], str]
    """Returns a URL as exported files show it."""


def plan(current: Sequence[Scout], given: Given, now: datetime) -> Plan:
    """Compare scouts with a file.

    Args:
        current: all scouts of a user.
        given: the file and how to read it.
        now: the present, which a rhythm's nearest frequency depends on.

    Raises:
        ConfigError: a value that cannot be used; the message names file, line and field.
    """
    by_key = {scout.key: scout for scout in current if scout.key}
    entries = [
        _changed(each, by_key[each.key], given, now) if each.key in by_key else _added(each, given)
        for each in given.declarations
    ]
    declared = {each.key for each in given.declarations}
    gone = [scout for key, scout in sorted(by_key.items()) if key not in declared]
    if given.prune:
        entries += [Entry(action="remove", key=scout.key or "", scout=scout) for scout in gone]
    return Plan(
        entries=tuple(entries),
        left=() if given.prune else tuple(scout.key or "" for scout in gone),
        namesakes=_namesakes(current, entries),
    )


def _changed(declaration: Declaration, scout: Scout, given: Given, now: datetime) -> Entry:
    wanted = columns(declaration, scout, given.hide)
    changed = {name: value for name, value in wanted.items() if value != getattr(scout, name)}
    _check(declaration, scout, changed)
    patch = changes.followed(scout, ScoutPatch(**changed), now)
    found = _differences(declaration, scout, changes.applied(scout, patch))
    return Entry(
        action="change" if found else "unchanged",
        key=declaration.key,
        scout=scout,
        derived=declaration.derived,
        patch=patch,
        differences=found,
    )


def _added(declaration: Declaration, given: Given) -> Entry:
    blank = Scout(
        id=_NOBODY,
        user_id=_NOBODY,
        title="",
        key=declaration.key,
        timezone=given.timezone,
        created_at=_NEVER,
        updated_at=_NEVER,
    )
    if not declaration.table.goal:
        problem = InvalidInput("a new scout needs a goal", hint="say in plain words what it is for")
        raise declaration.refuse("goal", problem)
    wanted = columns(declaration, blank, given.hide)
    _check(declaration, blank, wanted)
    return Entry(
        action="add",
        key=declaration.key,
        scout=replace(blank, **wanted),
        derived=declaration.derived,
    )


def _check(declaration: Declaration, scout: Scout, values: Mapping[str, Any]) -> None:
    """Refuse a value that cannot be used, one field at a time so that the error names it.

    Raises:
        ConfigError: with file, line and field.
    """
    for column, value in values.items():
        try:
            changes.checked(scout, ScoutPatch(**{column: value}))
        except InvalidInput as problem:
            raise declaration.refuse(_field(column, declaration), problem) from problem


def _differences(declaration: Declaration, old: Scout, new: Scout) -> tuple[Difference, ...]:
    return tuple(
        Difference(
            field=_field(column, declaration), old=getattr(old, column), new=getattr(new, column)
        )
        for column in FIELDS
        if getattr(old, column) != getattr(new, column)
    )


def _field(column: str, declaration: Declaration) -> str:
    if column == "schedule" and declaration.table.cron:
        return "cron"
    return FIELDS[column]


def _namesakes(current: Sequence[Scout], entries: Sequence[Entry]) -> tuple[str, ...]:
    unkeyed = {scout.title.casefold(): scout.title for scout in current if not scout.key}
    new = [entry.scout.title.casefold() for entry in entries if entry.action == "add"]
    return tuple(unkeyed[title] for title in dict.fromkeys(new) if title in unkeyed)


def _outline(plan_: Plan) -> list[tuple[str, str, UUID, tuple[Difference, ...]]]:
    return [(each.action, each.key, each.scout.id, each.differences) for each in plan_.entries]
