"""What a watched page or feed becomes: a table as `scout apply` reads it, known by its address."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from scout_cli.core import urls
from scout_cli.service.declared import MAX_KEY, Declaration, DeclaredScout, key_of
from scout_cli.service.importing.found import Found, Reading

_HOUR, _DAY = 3_600, 86_400
_HOURS = (2, 3, 4, 6, 8, 12)
_NAMED = {_HOUR: "hourly", _DAY: "daily", 3 * _DAY: "every_3_days", 7 * _DAY: "weekly"}
_MONTHLY = "0 9 1 * *"
_MARK = 8
_FEED_GOAL = "What is new in this feed"
_PAGE_GOAL = "What changes on this page"


class Rhythm(NamedTuple):
    """How often a scout looks."""

    every: str = ""
    cron: str = ""
    seconds: int = 0


class Candidate(NamedTuple):
    """A scout that an import would make."""

    found: Found
    declaration: Declaration
    rhythm: str
    left: tuple[str, ...]
    """What of it cannot be taken over, for a person."""


def candidates(reading: Reading, name: str) -> list[Candidate]:
    """Return the scouts of a file, in its order.

    Args:
        reading: what is in it.
        name: of the file, for messages.
    """
    return [_candidate(found, reading.origin, name) for found in reading.found]


def key_for(found: Found) -> str:
    """Return the key of a source: the same for the same address, whatever else changes."""
    mark = sha256(found.url.encode()).hexdigest()[:_MARK]
    head = key_of(urls.host_of(found.url), "import")[: MAX_KEY - _MARK - 1].rstrip("-")
    return f"{head}-{mark}"


def rhythm_of(seconds: int | None) -> Rhythm:
    """Return the rhythm nearest to an interval; daily where none is named."""
    if seconds is None:
        return Rhythm(every="daily", seconds=_DAY)
    choices = [Rhythm(every=name, seconds=each) for each, name in _NAMED.items()]
    choices += [Rhythm(cron=f"0 */{each} * * *", seconds=each * _HOUR) for each in _HOURS]
    choices.append(Rhythm(cron=_MONTHLY, seconds=30 * _DAY))
    return min(choices, key=lambda each: abs(each.seconds - seconds))


def _candidate(found: Found, origin: str, name: str) -> Candidate:
    rhythm = rhythm_of(found.seconds)
    left = list(found.left)
    if found.seconds is not None and found.seconds != rhythm.seconds:
        left.append(f"its interval of {_interval(found.seconds)}")
    title = found.title or _title(found.url)
    if not found.title:
        left.append("no name; scout edit gives it one")
    table = DeclaredScout(
        key=key_for(found),
        goal=_FEED_GOAL if found.feed else _PAGE_GOAL,
        title=title,
        description=_description(found, origin),
        queries=(title,),
        every=rhythm.every,
        cron=rhythm.cron,
        urls=() if found.feed else (found.url,),
        feeds=(found.url,) if found.feed else (),
        include_domains=() if found.feed else _domains(found.url),
        active=None if found.active else False,
    )
    lines: Mapping[str, str] = {}
    declaration = Declaration(table=table, key=table.key, where=name, lines=lines)
    return Candidate(found, declaration, rhythm.every or rhythm.cron, tuple(left))


def _description(found: Found, origin: str) -> str:
    tags = f", {', '.join(found.tags)}" if found.tags else ""
    return f"Taken over from {origin}{tags}: {urlsplit(found.url).hostname}"


def _domains(url: str) -> tuple[str, ...]:
    """Return the host, where it is a name: its searches stay on the site that was watched."""
    host = urls.host_of(url)
    return (host,) if "." in host and not host.rpartition(".")[2].isdigit() else ()


def _title(url: str) -> str:
    parts = urlsplit(url)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2])
    return f"{urls.host_of(url)} {last}".strip()[:80]


def _interval(seconds: int) -> str:
    for unit, name in ((_DAY, "days"), (_HOUR, "hours"), (60, "minutes")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
