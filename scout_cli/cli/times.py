"""Moments as people say them, and as they type them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import click

from scout_cli.errors import InvalidInput

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_FAR = timedelta(days=14)


class Times(NamedTuple):
    """How moments are shown: relative and local for a person, or exact."""

    now: datetime
    utc: bool = False

    def past(self, moment: datetime | None) -> str:
        """Return when something happened."""
        return exact(moment) if self.utc else relative(moment, self.now)

    def due(self, moment: datetime | None) -> str:
        """Return when something is due."""
        return exact(moment) if self.utc else upcoming(moment, self.now)

    def at(self, moment: datetime | None) -> str:
        """Return date and time."""
        return exact(moment) if self.utc else local(moment)

    def both(self, moment: datetime | None, told: str) -> str:
        """Return `told`, the distance to `moment`, with date and time behind it."""
        if self.utc or moment is None or abs(moment - self.now) > _FAR:
            return told
        return f"{told} ({local(moment)})"


def utc_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--utc`."""
    text = "Show exact times: UTC, ISO 8601."
    return click.option("--utc", is_flag=True, help=text)(command)


def since_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--since WHEN`, read by `since`."""
    text = "Only found since: 24h, 7d, 2w or a date."
    return click.option("--since", metavar="WHEN", help=text)(command)


def relative(moment: datetime | None, now: datetime) -> str:
    """Return `3 h ago` or `in 2 d`; beyond two weeks the local date, `-` for None."""
    if moment is None:
        return "-"
    distance = abs(moment - now)
    if distance > _FAR:
        return f"{moment.astimezone():%Y-%m-%d}"
    seconds = int(distance.total_seconds())
    amount = next((f"{seconds // size} {unit}" for size, unit in _STEPS if seconds >= size), "")
    if not amount:
        return "now"
    return f"{amount} ago" if moment < now else f"in {amount}"


def upcoming(moment: datetime | None, now: datetime) -> str:
    """Return when something is due; what lies in the past is due now."""
    return "due now" if moment is not None and moment <= now else relative(moment, now)


def local(moment: datetime | None) -> str:
    """Return date and time in the machine's zone, `-` for None."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else "-"


def exact(moment: datetime | None) -> str:
    """Return date and time in UTC to the second, as RFC 3339 writes it; `-` for None."""
    if moment is None:
        return "-"
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def lasted(seconds: float) -> str:
    """Return a duration: `3.2 s` below a minute, then `4:05` in minutes and seconds."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def since(text: str, now: datetime) -> datetime:
    """Return the moment that `text` names.

    Args:
        text: `90m`, `24h`, `7d`, `2w`, or an ISO 8601 date or time; local when it has no zone.
        now: the present moment, aware.

    Raises:
        InvalidInput: neither, or before the year 1.
    """
    try:
        if found := re.fullmatch(r"([0-9]{1,6})([mhdw])", text.strip()):
            return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"--since: {text!r} is not a moment", hint="24h, 7d, 2w or a date such as 2026-03-01"
        ) from error
