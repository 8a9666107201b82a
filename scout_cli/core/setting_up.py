"""The one operation of the interview: write down what is known of a scout, and what is missing.

`update_scout_config` is offered to models, answered by the built-in engine, and what every surface
shows; it changes a saved wish and can neither activate nor run it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from inspect import getdoc
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict

from scout_cli.core import places, rhythms, schedule, shape
from scout_cli.core.models import Location, Record, Scout, ScoutPatch
from scout_cli.core.ports import Tool
from scout_cli.core.report import clean
from scout_cli.core.shape import Shape
from scout_cli.core.words import shorten
from scout_cli.errors import InvalidInput

NAME = "update_scout_config"

UNNAMED = "New Scout"
"""The title of a scout that nobody has named yet, as the web interface writes it."""

ORDER = ("goal", "title", "description", "search_queries", "location", "frequency")
"""What a scout needs before it can be activated, in the order in which it is asked for."""

_LONGEST = {"title": 60, "goal": 600, "description": 240}
_UNKNOWN = frozenset(("unknown", "none", "null", "n/a", "...", "string", "undefined", "tbd"))
_PARROTED = frozenset(
    ("2 to 4 words", "what to look for", "one sentence", "a cron line, for fixed times")
)
"""The descriptions of the fields, which weak models repeat."""


class Place(Shape, frozen=True, kw_only=True):
    """A place; the city "any" means anywhere."""

    city: Annotated[str, Meta(min_length=1, max_length=80)]
    country: Annotated[str, Meta(max_length=80)] | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None


class Update(Shape, frozen=True, kw_only=True):
    """Write down what you have learned about the scout: only fields that are new or changed."""

    title: (
        Annotated[str, Meta(min_length=2, max_length=60, description="2 to 4 words")] | UnsetType
    ) = UNSET
    goal: (
        Annotated[str, Meta(min_length=3, max_length=600, description="what to look for")]
        | UnsetType
    ) = UNSET
    description: (
        Annotated[str, Meta(min_length=3, max_length=240, description="one sentence")] | UnsetType
    ) = UNSET
    location: Place | UnsetType = UNSET
    search_queries: (
        Annotated[
            list[Annotated[str, Meta(min_length=2, max_length=120)]],
            Meta(min_length=1, max_length=5),
        ]
        | UnsetType
    ) = UNSET
    frequency: Literal["hourly", "daily", "every_3_days", "weekly"] | UnsetType = UNSET
    schedule: (
        Annotated[str, Meta(max_length=100, description="a cron line, for fixed times")] | UnsetType
    ) = UNSET


TOOL = Tool(name=NAME, description=getdoc(Update) or "", parameters=shape.schema(Update))


class Read(Record, frozen=True, kw_only=True):
    """What could be used of the arguments of a call."""

    update: Update
    problems: tuple[str, ...] = ()


def missing(scout: Scout) -> list[str]:
    """Return what a scout still needs before it can be activated, in the order of `ORDER`.

    A location whose city is `any` is one: somebody decided that the place does not matter.
    """
    title = scout.title.strip()
    there: Mapping[str, Any] = {
        "goal": scout.goal and scout.goal.strip(),
        "title": title and title.casefold() != UNNAMED.casefold(),
        "description": scout.description and scout.description.strip(),
        "search_queries": scout.search_queries,
        "location": scout.location,
        "frequency": scout.frequency,
    }
    return [name for name in ORDER if not there[name]]


def read(arguments: Mapping[str, Any]) -> Read:
    """Return what of a model's arguments can be used, field by field, and what cannot."""
    fields: dict[str, Any] = {}
    problems = []
    for name, given in arguments.items():
        if name not in Update.__struct_fields__:
            problems.append(f"there is no field {clean(name)[:40]!r}")
        elif not _says_nothing(given):
            try:
                fields |= _one(name, given)
            except InvalidInput as error:
                problems.append(error.message)
    return Read(update=Update(**fields), problems=tuple(problems))


def patch_of(
    update: Update, scout: Scout, now: datetime, here: Location | None = None
) -> ScoutPatch:
    """Return the change of a scout that an update asks for.

    Args:
        update: what was learned.
        scout: as it is.
        now: the present, to find the nearest frequency of a cron line.
        here: where its owner is; taken when the update names that very town.
    """
    given = {name: each for name, each in asdict(update).items() if each is not UNSET}
    place = given.pop("location", None)
    named, line = given.pop("frequency", None), given.pop("schedule", None)
    if rhythm := line or named:
        nearest = schedule.frequency_of(rhythm, scout.timezone, now)
        given |= {"schedule": rhythm, "frequency": nearest}
    if place is not None:
        given["location"] = _located(place, here)
    return ScoutPatch(**given)


def rhythm_update(rhythm: str) -> Update:
    """Return the update that gives a scout a rhythm: one of the four names, or a cron line."""
    if rhythm in schedule.PERIODS:
        return msgspec.convert({"frequency": rhythm}, Update)
    return Update(schedule=rhythm)


def _one(name: str, given: Any) -> dict[str, Any]:
    """Return the fields of an update that one argument stands for, read with patience.

    Raises:
        InvalidInput: it cannot be used.
    """
    if name in ("frequency", "schedule") and isinstance(given, str):
        return _rhythm(given)
    if name in _LONGEST and isinstance(given, str):
        given = shorten(clean(given).strip("\"' "), _LONGEST[name])
    elif name == "search_queries" and isinstance(given, list):
        given = _queries(given)
    elif name == "location":
        given = _place(given)
    update = shape.convert({name: given}, Update, what=NAME)
    return {name: getattr(update, name)}


def _rhythm(given: str) -> dict[str, Any]:
    text = " ".join(given.split())
    if text in schedule.PERIODS:
        return {"frequency": text}
    if len(text.split(" ")) == 5 and text[0] in "*0123456789":
        return {"schedule": schedule.parse(cron=text).text}
    found = rhythms.rhythm(text, asked=True)
    if not found:
        raise InvalidInput(f"{NAME}: not a rhythm: {clean(text)[:60]!r}")
    return {"frequency" if found in schedule.PERIODS else "schedule": found}


def _queries(given: list[Any]) -> list[str]:
    tidy = (clean(each).strip("\"' -") for each in given if isinstance(each, str))
    kept: dict[str, str] = {}
    for each in tidy:
        if len(each) > 1:
            kept.setdefault(each.casefold(), shorten(each, 120))
    return list(kept.values())[:5]


def _place(given: Any) -> Any:
    if isinstance(given, str):
        found = places.location_of(clean(given)[:160])
        return {"city": found.city, "country": found.country}
    if isinstance(given, dict):
        known = {name: each for name, each in given.items() if name in Place.__struct_fields__}
        texts = {n: clean(each) if isinstance(each, str) else each for n, each in known.items()}
        return {n: each for n, each in texts.items() if not _says_nothing(each)}
    return given


def _located(place: Place, here: Location | None) -> Location:
    found = places.location_of(place.city, here)
    if found is here or found.city == places.ANYWHERE:
        return found
    return Location(
        city=found.city,
        country=place.country or found.country,
        latitude=place.latitude,
        longitude=place.longitude,
    )


def _says_nothing(value: Any) -> bool:
    return value in (None, "", [], {}) or (
        isinstance(value, str) and value.strip(" .<>").casefold() in _UNKNOWN | _PARROTED
    )
