"""A wish in a person's words: what it may say, and what of it cannot be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from scout_cli.core import schedule, urls
from scout_cli.core.models import Digest, Location, Record, Scout
from scout_cli.core.report import clean
from scout_cli.errors import InvalidInput

MAX_GOAL = 2_000
"""Characters of a goal."""
MAX_TITLE = 200
"""Characters of a title."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{2,63}", re.IGNORECASE)


class Wish(Record, frozen=True, kw_only=True):
    """What a person says about a new scout; the rest is filled in."""

    goal: str
    title: str | None = None
    description: str | None = None
    queries: tuple[str, ...] = ()
    schedule: str = "daily"
    timezone: str = "UTC"
    location: str | Location | None = None
    """As a person types it, or with coordinates from a map."""
    language: str | None = None
    urls: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    include_domains: tuple[str, ...] = ()
    exclude_domains: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    digest: Digest | None = None
    key: str | None = None
    """The name by which a file of scouts knows it."""


def check(wish: Wish) -> Wish:
    """Refuse a wish that cannot be used.

    Raises:
        InvalidInput: with the value and what is expected.
    """
    goal = " ".join(wish.goal.split())
    if len(goal) < 3:
        raise InvalidInput("the goal is empty", hint='say what to look for: scout add "..."')
    if len(goal) > MAX_GOAL:
        raise InvalidInput(f"the goal has {len(goal)} characters, {MAX_GOAL} are allowed")
    if wish.title is not None and not 0 < len(clean(wish.title)) <= MAX_TITLE:
        raise InvalidInput(
            "the title is empty" if not clean(wish.title) else "the title is too long",
            hint=f"one to {MAX_TITLE} characters",
        )
    _each((*wish.urls, *wish.feeds), urls.is_web, "a web address", "http:// or https://")
    domains = (*wish.include_domains, *wish.exclude_domains)
    _each(domains, _DOMAIN.fullmatch, "a domain", "without https://, as in example.org")
    _check_channels(wish.notify)
    tags = (wish.language,) if wish.language else ()
    _each(tags, _LANGUAGE.fullmatch, "a language tag", "such as de or pt-BR")
    named = wish.schedule in schedule.PERIODS
    schedule.parse(
        every=wish.schedule if named else None,
        cron=None if named else wish.schedule,
        timezone=wish.timezone,
    )
    return wish


def place(text: str | Location | None) -> Location | None:
    """Return the location that a person typed, or None for anywhere."""
    if isinstance(text, Location):
        return None if text == Location() else text
    if not text or text.strip().casefold() in ("any", "anywhere"):
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        return None
    return Location(city=parts[0], country=parts[-1] if len(parts) > 1 else None)


def place_text(location: Location | None) -> str:
    """Return a location as a person types it, empty for anywhere."""
    parts = (location.city, location.country) if location else ()
    return ", ".join(part for part in parts if part and part != "any")


def wish_of(scout: Scout) -> Wish:
    """Return the wish that a saved scout stands for."""
    return Wish(
        goal=scout.goal or scout.title,
        title=scout.title,
        description=scout.description,
        queries=tuple(scout.search_queries),
        schedule=scout.schedule,
        timezone=scout.timezone,
        location=place_text(scout.location) or None,
        language=scout.language,
        urls=tuple(scout.urls),
        feeds=tuple(scout.feeds),
        include_domains=tuple(scout.include_domains),
        exclude_domains=tuple(scout.exclude_domains),
        notify=tuple(scout.notify),
        digest=scout.digest,
        key=scout.key,
    )


def _check_channels(channels: Sequence[str]) -> None:
    """Refuse a channel that no adapter takes; whoever wishes here owns the machine."""
    if not channels:
        return
    from scout_cli import notify  # noqa: PLC0415 - most wishes name no channel

    for url in channels:
        notify.check_channel(url, apprise=True)


def _each(found: Sequence[str], fits: Callable[[str], Any], kind: str, hint: str) -> None:
    for value in found:
        if not fits(value):
            raise InvalidInput(f"not {kind}: {clean(value)[:200]}", hint=hint)
