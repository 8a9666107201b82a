"""When a scout runs: four named rhythms or a cron line, in a time zone.

The next slot follows from the last slot, never from the end of a run, so a daily scout does not
slide through the day. Cron lines follow cronsim: once per local day at both daylight changes.
"""

from __future__ import annotations

import difflib
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from scout_cli.core.job import Window
from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput

PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "every_3_days": timedelta(days=3),
    "weekly": timedelta(days=7),
}
_INTERFACE_FREQUENCIES = ("daily", "every_3_days", "weekly")


class Schedule(Record, frozen=True, kw_only=True):
    """A rhythm and the time zone it is meant in."""

    text: str
    """One of the four names, or a cron line of five fields."""
    timezone: str = "UTC"


def parse(every: str | None = None, cron: str | None = None, timezone: str = "UTC") -> Schedule:
    """Check a rhythm.

    Args:
        every: `hourly`, `daily`, `every_3_days` or `weekly`.
        cron: five fields, such as `0 9 * * 1`; not together with `every`.
        timezone: IANA name, such as `Europe/Berlin`.

    Raises:
        InvalidInput: unknown rhythm or zone, a cron line that cannot be read or never fires.
    """
    _zone(timezone)
    if every and cron:
        raise InvalidInput("a scout has one rhythm", hint="give --every or --cron, not both")
    text = " ".join((cron or every or "daily").split())
    if cron:
        if len(text.split(" ")) != 5:
            raise InvalidInput(
                f"{text!r} is not a cron line of five fields",
                hint='minute hour day month weekday, such as "0 9 * * 1"',
            )
        _check_fires(text)
    elif text not in PERIODS:
        near = difflib.get_close_matches(text, PERIODS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InvalidInput(
            f"unknown rhythm {text!r}", hint=f"{hint}known: {', '.join(PERIODS)}, or --cron"
        )
    return Schedule(text=text, timezone=timezone)


def next_after(schedule: str, timezone: str, slot: datetime) -> datetime:
    """Return the first slot after `slot`, UTC.

    Args:
        schedule: a stored rhythm.
        timezone: IANA name.
        slot: the slot that ran, aware.
    """
    if period := PERIODS.get(schedule):
        return slot + period
    local = slot.astimezone(_zone(timezone))
    fires: datetime = next(CronSim(schedule, local))
    return fires.astimezone(UTC)


def period_of(schedule: str, timezone: str, now: datetime) -> timedelta:
    """Return the time between two slots around `now`."""
    if period := PERIODS.get(schedule):
        return period
    first = next_after(schedule, timezone, now)
    return next_after(schedule, timezone, first) - first


def frequency_of(schedule: str, timezone: str, now: datetime) -> str:
    """Return the nearest of the three rhythms that the web interface knows."""
    period = period_of(schedule, timezone, now)
    return min(_INTERFACE_FREQUENCIES, key=lambda name: abs(PERIODS[name] - period))


def window(schedule: str, timezone: str, now: datetime, *, last: datetime | None) -> Window:
    """Return how far a run looks back: its rhythm and half of it again, at least a day and a half.

    It reaches behind the last look as well, which may be long ago: after a weekend, or after the
    machine slept. The first run of a scout is a baseline and looks back a month.

    Args:
        schedule: a stored rhythm.
        timezone: IANA name.
        now: the moment of the run.
        last: when the scout looked last; None for its first run.
    """
    if last is None:
        return Window(recency="m", since=now - timedelta(days=31))
    usual = max(period_of(schedule, timezone, now), now - last) * 1.5
    reach = max(usual, timedelta(hours=36))
    if reach <= timedelta(days=2):
        return Window(recency="d", since=now - reach)
    if reach <= timedelta(days=12):
        return Window(recency="w", since=now - reach)
    return Window(recency="m" if reach <= timedelta(days=45) else "y", since=now - reach)


def _zone(name: str) -> ZoneInfo:
    if name not in _zones():
        near = difflib.get_close_matches(name, _zones(), n=1, cutoff=0.5)
        raise InvalidInput(
            f"unknown time zone {name!r}",
            hint=f"did you mean {near[0]}?" if near else "IANA names, such as Europe/Berlin",
        )
    return ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_fires(text: str) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    try:
        next(CronSim(text, start))
    except CronSimError as error:
        raise InvalidInput(
            f"{text!r} is not a cron line: {error}", hint='for example "0 9 * * 1"'
        ) from error
    except StopIteration:
        raise InvalidInput(
            f"the cron line {text!r} never fires", hint="no date has this day and month"
        ) from None
