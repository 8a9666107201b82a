"""Scouts as a file says them: one `[[scout]]` table each, known by its key.

A table becomes the columns of a scout and a scout becomes a table; between the two nothing is
lost, so that applying what was exported changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import asdict

from scout_cli.core import schedule, shape
from scout_cli.core.models import Digest, Location, Record, Scout
from scout_cli.core.words import fold
from scout_cli.errors import ConfigError, InvalidInput
from scout_cli.service.wishes import place, place_text

MAX_KEY = 64
"""Characters of a key."""
HIDDEN = "://***"
"""What follows the scheme of a URL whose secret is kept in the database alone."""

FIELDS = {
    "goal": "goal",
    "title": "title",
    "description": "description",
    "search_queries": "queries",
    "schedule": "every",
    "timezone": "timezone",
    "location": "location",
    "language": "language",
    "urls": "urls",
    "feeds": "feeds",
    "include_domains": "include_domains",
    "exclude_domains": "exclude_domains",
    "notify": "notify",
    "is_active": "active",
    "digest": "digest",
}
"""What a table decides of a scout: its column and the table's name for it."""

_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_KEEPS = ("goal", "title", "description", "timezone")


class DeclaredPlace(shape.Shape, frozen=True, kw_only=True, omit_defaults=True):
    """A place in parts, for what one line such as `Bonn, Germany` cannot say."""

    city: str | None = None
    """`any` means anywhere in the country."""
    state: str | None = None
    """State or region."""
    state_code: str | None = None
    """Its short form, such as `NW`."""
    country: str | None = None
    """Name of the country."""
    country_code: str | None = None
    """Two letters, such as `DE`."""
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    """Degrees, north is positive."""
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    """Degrees, east is positive."""


class DeclaredScout(shape.Shape, frozen=True, kw_only=True, omit_defaults=True):
    """One `[[scout]]` table. The text under each field is its reference.

    `scout apply` sets a scout to what its table says. What a table leaves out has its default
    again, except for goal, title, description, queries, time zone and `active`: those stay as they
    are.
    """

    key: str = ""
    """By which a scout is known for ever: lower-case letters, digits and single dashes, at most 64
    characters, each key once. Another key is another scout. Left out, it is made from the title,
    else from the goal, and changes with it."""
    goal: str = ""
    """What to look for, in plain words. Only the table of a scout that exists may leave it out."""
    title: str = ""
    """A name of a few words; filled in when the scout is new and the table has none."""
    description: str = ""
    """What it is about, in a sentence; filled in when the scout is new and the table has none."""
    queries: tuple[str, ...] = ()
    """What to search for; filled in when the scout is new and the table has none. Queries that the
    built-in engine made of the goal follow a new goal."""
    every: str = ""
    """The rhythm: `hourly`, `daily`, `every_3_days` or `weekly`. Without `every` and `cron` it is
    `daily`."""
    cron: str = ""
    """The rhythm as a cron line of five fields, such as `0 9 * * 1`; not together with `every`."""
    timezone: str = ""
    """The time zone of the rhythm, such as `Europe/Berlin`; a new scout has this machine's."""
    location: str | DeclaredPlace = ""
    """A place to look in, such as `Bonn, Germany`, or a table of `city`, `state`, `state_code`,
    `country`, `country_code`, `latitude` and `longitude`. Without one, or with `anywhere`,
    anywhere."""
    language: str = ""
    """Language of searches and brief, such as `de` or `pt-BR`; without one, the goal's."""
    urls: tuple[str, ...] = ()
    """Pages to read every time. One that holds a secret may stand as `https://***`: the scout's own
    is meant."""
    feeds: tuple[str, ...] = ()
    """RSS and Atom feeds to read every time; secrets as in `urls`."""
    include_domains: tuple[str, ...] = ()
    """Read only pages of these domains."""
    exclude_domains: tuple[str, ...] = ()
    """Never read pages of these domains."""
    notify: tuple[str, ...] = ()
    """Channels that are told the news, such as `mailto:me@example.org`. `scout export` writes one
    that holds a secret as `tgram://***`; in a file that is applied, this means the one that the
    scout has."""
    active: bool | None = None
    """Whether it runs. Left out, a scout that was paused stays so, and a new one runs."""
    digest: Digest | None = None
    """Gather the news into one message, `daily` or `weekly`; without it they are told at once."""


class Declaration(Record, frozen=True, kw_only=True):
    """A table with its identity and its place in the file."""

    table: DeclaredScout
    key: str
    derived: bool = False
    """Whether the key was made from title or goal."""
    where: str
    """File and line of the table."""
    lines: Mapping[str, str]
    """File and line of each of its fields."""

    def refuse(self, field: str, problem: InvalidInput) -> ConfigError:
        """Return `problem` as an error that names file, line and field."""
        where = self.lines.get(field, self.where)
        message = problem.message.removeprefix(f"{field}: ")
        return ConfigError(f"{where}: {field}: {message}", hint=problem.hint)


def is_key(text: str) -> bool:
    """Return whether `text` can be the key of a scout."""
    return len(text) <= MAX_KEY and _KEY.fullmatch(text) is not None


def key_of(title: str, goal: str, taken: Collection[str] = ()) -> str:
    """Return a key made from the title, or from the goal where there is none.

    Args:
        title: of the scout, maybe empty.
        goal: of the scout, maybe empty.
        taken: keys that it must not be; a number is put behind it then.
    """
    text = title.strip() or goal.strip()
    slug = "-".join(re.findall(r"[a-z0-9]+", fold(text)))[:MAX_KEY].rstrip("-")
    if not slug:
        slug = f"scout-{sha256(text.encode()).hexdigest()[:8]}"
    key, number = slug, 2
    while key in taken:
        tail = f"-{number}"
        key, number = f"{slug[: MAX_KEY - len(tail)].rstrip('-')}{tail}", number + 1
    return key


def columns(declaration: Declaration, scout: Scout, hide: Callable[[str], str]) -> dict[str, Any]:
    """Return what a table asks of a scout, by column; what stays as it is is not among it.

    Args:
        declaration: the table.
        scout: the scout as it is; an empty one for a new scout.
        hide: returns a URL as exported files show it.

    Raises:
        ConfigError: a rhythm that cannot be used, or a hidden URL that the scout does not have.
    """
    table = declaration.table
    found: dict[str, Any] = {name: getattr(table, name) for name in _KEEPS if getattr(table, name)}
    if table.queries:
        found["search_queries"] = list(table.queries)
    if table.active is not None:
        found["is_active"] = table.active
    if table.language or scout.language:
        found["language"] = table.language or None
    found["schedule"] = _rhythm(declaration)
    found["location"] = _location(table.location)
    found["digest"] = table.digest
    found["include_domains"] = list(table.include_domains)
    found["exclude_domains"] = list(table.exclude_domains)
    for name in ("urls", "feeds", "notify"):
        found[name] = _restored(declaration, name, getattr(scout, name), hide)
    return found


def table_of(scout: Scout, key: str, hide: Callable[[str], str]) -> DeclaredScout:
    """Return the table that describes a scout.

    Args:
        scout: the scout.
        key: its key.
        hide: returns a URL as it may be shown: one that holds a secret without it.
    """
    named = scout.schedule in schedule.PERIODS
    return DeclaredScout(
        key=key,
        goal=scout.goal or "",
        title=scout.title,
        description=scout.description or "",
        queries=tuple(scout.search_queries),
        every=scout.schedule if named else "",
        cron="" if named else scout.schedule,
        timezone=scout.timezone,
        location=shown_place(scout.location),
        language=scout.language or "",
        urls=tuple(map(hide, scout.urls)),
        feeds=tuple(map(hide, scout.feeds)),
        include_domains=tuple(scout.include_domains),
        exclude_domains=tuple(scout.exclude_domains),
        notify=tuple(map(hide, scout.notify)),
        active=None if scout.is_active else False,
        digest=scout.digest,
    )


def shown_place(location: Location | None) -> str | DeclaredPlace:
    """Return a location as one line where that says all of it, else in parts; empty for none."""
    text = place_text(location)
    if location is None or place(text) == location:
        return text
    return DeclaredPlace(**asdict(location))


def _rhythm(declaration: Declaration) -> str:
    table = declaration.table
    try:
        return schedule.parse(table.every or None, table.cron or None).text
    except InvalidInput as problem:
        raise declaration.refuse("cron" if table.cron else "every", problem) from problem


def _location(given: str | DeclaredPlace) -> Location | None:
    return place(given) if isinstance(given, str) else Location(**asdict(given))


def _restored(
    declaration: Declaration, field: str, stored: Sequence[str], hide: Callable[[str], str]
) -> list[str]:
    """Return the URLs of a field, those that stand for a secret replaced by the scout's own."""
    given: tuple[str, ...] = getattr(declaration.table, field)
    hidden = {
        mark: [url for url in stored if url != mark == hide(url) and url not in given]
        for mark in given
        if mark.endswith(HIDDEN) and mark not in stored
    }
    for mark, urls in hidden.items():
        if given.count(mark) != len(urls):
            raise declaration.refuse(field, _not_kept(mark, given.count(mark), len(urls)))
    return [hidden[url].pop(0) if url in hidden else url for url in given]


def _not_kept(mark: str, wanted: int, there: int) -> InvalidInput:
    hint = "write the whole URL, and keep the file to yourself: chmod 600"
    if not there:
        return InvalidInput(f"{mark} stands for a URL that is not in this database", hint=hint)
    return InvalidInput(f"{mark} stands here {wanted} times, the scout has {there}", hint=hint)
