"""What was found in a file of another watcher, and how it becomes a scout."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from scout_cli.core import urls
from scout_cli.core.models import Record
from scout_cli.core.report import clean

Origin = Literal["changedetection", "urlwatch", "opml", "google-alerts"]
MOST = 10_000
"""Entries of a file."""

_TITLE = 120
_URL = 4_000
_TEMPLATE = re.compile(r"\{\{|\{%")


class Found(Record, frozen=True, kw_only=True):
    """One watched page or feed."""

    url: str
    feed: bool = False
    title: str = ""
    """In a person's words; empty when the file has none."""
    tags: tuple[str, ...] = ()
    seconds: int | None = None
    """Between two looks; None when the file does not say."""
    active: bool = True
    left: tuple[str, ...] = ()
    """What of it cannot be taken over."""


class Skipped(Record, frozen=True, kw_only=True):
    """One entry that cannot become a scout."""

    what: str
    why: str


class Reading(Record, frozen=True, kw_only=True):
    """What a file holds."""

    origin: Origin
    found: tuple[Found, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    left: tuple[str, ...] = ()
    """What of the file as a whole cannot be taken over."""


def reading(
    origin: Origin, entries: Iterable[Found | Skipped], left: Iterable[str] = ()
) -> Reading:
    """Return a reading of entries in their order, each address once."""
    found: dict[str, Found] = {}
    skipped: list[Skipped] = []
    for entry in entries:
        if isinstance(entry, Skipped):
            skipped.append(entry)
        elif len(found) == MOST:
            skipped.append(Skipped(what=entry.url, why=f"more than {MOST} entries in one file"))
        elif entry.url in found:
            skipped.append(Skipped(what=entry.url, why="it stands in the file twice"))
        else:
            found[entry.url] = entry
    return Reading(
        origin=origin,
        found=tuple(found.values()),
        skipped=tuple(skipped),
        left=tuple(left),
    )


def address(given: object) -> tuple[str, str]:
    """Return a web address, or an empty one and why it cannot be used."""
    text = given.strip() if isinstance(given, str) else ""
    if not text:
        return "", "it has no address"
    if _TEMPLATE.search(text):
        return "", "its address is a template, which scout does not fill in"
    if len(text) > _URL:
        return "", f"its address is longer than {_URL} characters"
    if "@" in _authority(text):
        return "", "its address holds a user name or password"
    if not urls.is_web(text) or any(c.isspace() or not c.isprintable() for c in text):
        return "", "its address is not one of the web (http or https)"
    return text, ""


def _authority(text: str) -> str:
    """Return what stands between `//` and the path, also of an address that cannot be read."""
    return re.split(r"[/?#]", text.partition("//")[2], maxsplit=1)[0]


def words(given: object) -> str:
    """Return a name as one clean line, empty for anything that is none."""
    if not isinstance(given, str):
        return ""
    return clean(given)[:_TITLE].strip()


def shown(given: object) -> str:
    """Return what may be said of an entry that was skipped."""
    return clean(str(given))[:_TITLE] if isinstance(given, str | int | float) else "an entry"
