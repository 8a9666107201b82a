"""A saved wish, and a change of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import UNSET, UnsetType, field

from scout_cli.core.models.record import Record, Secret

Frequency = Literal["hourly", "daily", "every_3_days", "weekly"]

Digest = Literal["daily", "weekly"]


class Location(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A place, as the web interface writes it; `city="any"` means anywhere."""

    city: str | None = None
    state: str | None = None
    state_code: str | None = field(default=None, name="stateCode")
    country: str | None = None
    country_code: str | None = field(default=None, name="countryCode")
    latitude: float | None = None
    longitude: float | None = None


class Scout(Record, frozen=True, kw_only=True):
    """A saved wish."""

    id: UUID
    user_id: UUID
    title: str
    description: str | None = None
    goal: str | None = None
    search_queries: list[str] = field(default_factory=list)
    location: Location | None = None
    frequency: str | None = None
    is_active: bool = True
    last_run_at: datetime | None = None
    consecutive_failures: int = 0
    created_at: datetime
    updated_at: datetime

    schedule: str = "daily"
    """`hourly`, `daily`, `every_3_days`, `weekly` or a cron line."""
    timezone: str = "UTC"
    language: str | None = None
    """BCP 47 tag such as `de` or `pt-BR`; searches and the brief are in this language."""
    urls: list[str] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    include_domains: list[str] = field(default_factory=list)
    exclude_domains: list[str] = field(default_factory=list)
    notify: list[Secret] = field(default_factory=list)
    next_run_at: datetime | None = None
    planned_queries: list[str] = field(default_factory=list)
    """What the model added to `search_queries` the last time it was asked."""
    planned_for: str | None = None
    """Fingerprint of goal, queries, place and language that `planned_queries` answers to."""
    key: str | None = None
    """The name a scouts.toml knows it by."""
    paused_reason: str | None = None
    """Why scout paused it; None when a person did, or nobody."""
    digest: Digest | None = None
    """Gather its news into one message a day or a week; None tells at once."""
    anchor: datetime | None = None
    """Slot 0 of a named rhythm; None until the first slot is known."""
    late_slot: datetime | None = None
    """The slot whose lateness its owner was told about."""


class ScoutPatch(Record, frozen=True, kw_only=True):
    """The fields of a scout to change; what is UNSET stays."""

    title: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    goal: str | UnsetType | None = UNSET
    search_queries: list[str] | UnsetType = UNSET
    location: Location | UnsetType | None = UNSET
    frequency: str | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET
    last_run_at: datetime | UnsetType | None = UNSET
    consecutive_failures: int | UnsetType = UNSET
    schedule: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    language: str | UnsetType | None = UNSET
    urls: list[str] | UnsetType = UNSET
    feeds: list[str] | UnsetType = UNSET
    include_domains: list[str] | UnsetType = UNSET
    exclude_domains: list[str] | UnsetType = UNSET
    notify: list[Secret] | UnsetType = UNSET
    next_run_at: datetime | UnsetType | None = UNSET
    planned_queries: list[str] | UnsetType = UNSET
    planned_for: str | UnsetType | None = UNSET
    key: str | UnsetType | None = UNSET
    paused_reason: str | UnsetType | None = UNSET
    digest: Digest | UnsetType | None = UNSET
    anchor: datetime | UnsetType | None = UNSET
    late_slot: datetime | UnsetType | None = UNSET
