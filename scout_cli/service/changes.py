"""A change of a saved wish: what of it cannot be used, and what follows from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from scout_cli.core import schedule
from scout_cli.core.models import Record, Scout, ScoutPatch
from scout_cli.core.questions import SetUp
from scout_cli.service.wishes import Wish, check, place_text

_WISHED = {
    "queries": "search_queries",
    "urls": "urls",
    "feeds": "feeds",
    "include_domains": "include_domains",
    "exclude_domains": "exclude_domains",
    "notify": "notify",
}
_PLANNED_FROM = ("goal", "search_queries", "location", "language")
_RHYTHM = ("schedule", "timezone")


class Difference(Record, frozen=True, kw_only=True):
    """One field that a change gave another value."""

    field: str
    old: Any
    new: Any


def wished(scout: Scout) -> str:
    """Return what a scout looks for: its goal, or its title while it has none."""
    return scout.goal or scout.title


def applied(scout: Scout, patch: ScoutPatch) -> Scout:
    """Return `scout` with the fields of `patch` that are set."""
    return replace(scout, **_set(patch))


def narrowed(scout: Scout, patch: ScoutPatch) -> ScoutPatch:
    """Return `patch` without what the scout is already."""
    changed = {name: new for name, new in _set(patch).items() if new != getattr(scout, name)}
    return ScoutPatch(**changed)


def checked(scout: Scout, patch: ScoutPatch) -> ScoutPatch:
    """Refuse a change that cannot be used; what does not change is not looked at.

    Raises:
        InvalidInput: with the value and what is expected.
    """
    given = _set(patch)
    after = applied(scout, patch)
    wish = Wish(goal="nothing" if "goal" not in given else after.goal or "")
    if "title" in given:
        wish = replace(wish, title=after.title)
    if "language" in given:
        wish = replace(wish, language=after.language)
    if any(name in given for name in _RHYTHM):
        wish = replace(wish, schedule=after.schedule, timezone=after.timezone)
    lists = {name: tuple(given[stored]) for name, stored in _WISHED.items() if stored in given}
    check(replace(wish, **lists))
    return patch


def followed(scout: Scout, patch: ScoutPatch, now: datetime) -> ScoutPatch:
    """Return `patch` with what follows from it, save the next run.

    What was planned or taken from an old goal goes with it: planned queries, a description that
    only repeats the goal, and queries that the built-in engine made of it. A rhythm brings the
    nearest of the web interface's three.
    """
    given = _set(patch)
    if "goal" in given and "description" not in given and scout.description == scout.goal:
        patch = replace(patch, description=patch.goal)
    old, new = _question(scout), _question(applied(scout, patch))
    kept = "search_queries" in given or new == old
    if not kept and old.built_in().queries == scout.search_queries:
        patch = replace(patch, search_queries=new.built_in().queries)
    after = applied(scout, patch)
    if any(getattr(after, name) != getattr(scout, name) for name in _PLANNED_FROM):
        patch = replace(patch, planned_queries=[], planned_for=None)
    if any(name in given for name in _RHYTHM):
        frequency = schedule.frequency_of(after.schedule, after.timezone, now)
        patch = replace(patch, frequency=frequency)
    return narrowed(scout, patch)


def moves(scout: Scout, after: Scout) -> bool:
    """Return whether a change asks for another next run: a new rhythm, or waking up."""
    woken = after.is_active and not scout.is_active
    return woken or any(getattr(after, name) != getattr(scout, name) for name in _RHYTHM)


def _question(scout: Scout) -> SetUp:
    return SetUp(
        goal=wished(scout),
        place=place_text(scout.location),
        language=scout.language or "",
    )


def _set(patch: ScoutPatch) -> dict[str, Any]:
    return {name: value for name, value in asdict(patch).items() if value is not UNSET}
