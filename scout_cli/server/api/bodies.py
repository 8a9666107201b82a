"""What programs send about scouts; every bound that can be told from one field alone."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import asdict

from scout_cli.core import shape
from scout_cli.core.models import Digest, Location, ScoutPatch
from scout_cli.service.wishes import MAX_GOAL, MAX_TITLE, Wish, place

Goal = Annotated[str, Meta(min_length=3, max_length=MAX_GOAL)]
Title = Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]
Line = Annotated[str, Meta(min_length=1, max_length=500)]
Text = Annotated[str, Meta(max_length=10_000)]
Address = Annotated[str, Meta(min_length=1, max_length=2_048)]
Lines = Annotated[list[Line], Meta(max_length=50)]
Addresses = Annotated[list[Address], Meta(max_length=100)]
Name = Annotated[str, Meta(max_length=200)]
Degrees = Annotated[float, Meta(ge=-180, le=180)]


class Place(shape.Shape, frozen=True, kw_only=True):
    """A place, as the web interface writes it; the city `any` means anywhere."""

    city: Name | None = None
    state: Name | None = None
    state_code: Name | None = field(default=None, name="stateCode")
    country: Name | None = None
    country_code: Name | None = field(default=None, name="countryCode")
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Degrees | None = None


Where = Place | Name | None
"""`"Berlin, Germany"`, the parts of a place, or null for anywhere."""


class NewScout(shape.Shape, frozen=True, kw_only=True):
    """A wish. What it leaves open is filled in as `scout add` does."""

    goal: Goal
    title: Title | None = None
    description: Text | None = None
    search_queries: Lines = field(default_factory=list)
    schedule: Line = "daily"
    """`hourly`, `daily`, `every_3_days`, `weekly`, or a cron line of five fields."""
    timezone: Line = "UTC"
    location: Where = None
    language: Line | None = None
    urls: Addresses = field(default_factory=list)
    feeds: Addresses = field(default_factory=list)
    include_domains: Lines = field(default_factory=list)
    exclude_domains: Lines = field(default_factory=list)
    notify: Addresses = field(default_factory=list)
    """URLs of channels, such as `ntfy://ntfy.sh/my-topic`; they are stored encrypted and never
    told again."""
    digest: Digest | None = None
    is_active: bool = True
    """False keeps it from running until it is resumed."""

    def wish(self) -> Wish:
        """Return it as `scout add` has it."""
        return Wish(
            goal=self.goal,
            title=self.title,
            description=self.description,
            queries=tuple(self.search_queries),
            schedule=self.schedule,
            timezone=self.timezone,
            location=location_of(self.location),
            language=self.language,
            urls=tuple(self.urls),
            feeds=tuple(self.feeds),
            include_domains=tuple(self.include_domains),
            exclude_domains=tuple(self.exclude_domains),
            notify=tuple(self.notify),
            digest=self.digest,
        )


class ScoutChange(shape.Shape, frozen=True, kw_only=True):
    """The fields to change; what is left out stays."""

    goal: Goal | UnsetType = UNSET
    title: Title | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    search_queries: Lines | UnsetType = UNSET
    schedule: Line | UnsetType = UNSET
    timezone: Line | UnsetType = UNSET
    location: Where | UnsetType = UNSET
    language: Line | UnsetType | None = UNSET
    urls: Addresses | UnsetType = UNSET
    feeds: Addresses | UnsetType = UNSET
    include_domains: Lines | UnsetType = UNSET
    exclude_domains: Lines | UnsetType = UNSET
    notify: Addresses | UnsetType = UNSET
    digest: Digest | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET

    def patch(self) -> ScoutPatch:
        """Return it as `scout edit` has it; waking up forgets failures."""
        given: dict[str, Any] = {
            name: value for name, value in asdict(self).items() if value is not UNSET
        }
        if "location" in given:
            given["location"] = location_of(given["location"])
        if given.get("is_active"):
            given.update(consecutive_failures=0, paused_reason=None)
        return ScoutPatch(**given)


def location_of(where: Where) -> Location | None:
    """Return the location that a body names; None for anywhere."""
    return place(Location(**asdict(where)) if isinstance(where, Place) else where)
