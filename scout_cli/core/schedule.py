"""When a scout runs: four named rhythms or a cron line, in a time zone.

Slots lie on a lattice that follows from the rhythm, its zone and slot 0, never from the end of a
run, so a daily scout does not slide through the day. Cron lines follow cronsim: once per local day
at both daylight changes; named rhythms keep their local time of day.
"""

from __future__ import annotations

import difflib
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol
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


def next_after(
    schedule: str, timezone: str, after: datetime, *, anchor: datetime | None = None
) -> datetime:
    """Return the first slot after a moment, UTC.

    A named rhythm keeps the local time of day of its anchor; where the spring leaves that time
    out, the slot comes an hour later that day, and is back the next. `hourly` counts real hours.

    Args:
        schedule: a stored rhythm.
        timezone: IANA name.
        after: the moment, aware; slots count if they are later.
        anchor: slot 0 of a named rhythm; None for `after` itself.
    """
    if schedule not in PERIODS:
        # In the hour that the autumn has twice, cronsim may name a time that is already past.
        fires = (at.astimezone(UTC) for at in CronSim(schedule, after.astimezone(_zone(timezone))))
        return next(fired for fired in fires if fired > after)
    start = anchor or after
    number = _nearby(schedule, timezone, start, after)
    slots = (_slot(schedule, timezone, start, number + k) for k in range(4))
    return next(slot for slot in slots if slot > after)


def latest(schedule: str, timezone: str, now: datetime, *, anchor: datetime) -> datetime:
    """Return the last slot that is not later than `now`, UTC.

    Args:
        schedule: a stored rhythm.
        timezone: IANA name.
        now: a moment, aware.
        anchor: slot 0 of a named rhythm.
    """
    if schedule not in PERIODS:
        # A second on: going back, cronsim leaves out the second it starts from.
        local = (now.replace(microsecond=0) + timedelta(seconds=1)).astimezone(_zone(timezone))
        before = (at.astimezone(UTC) for at in CronSim(schedule, local, reverse=True))
        fired = next(at for at in before if at <= now)
        following = next_after(schedule, timezone, fired)
        return following if following <= now else fired
    number = _nearby(schedule, timezone, anchor, now)
    slots = (_slot(schedule, timezone, anchor, number + 2 - k) for k in range(4))
    return next(slot for slot in slots if slot <= now)


class Rhythmic(Protocol):
    """What of a scout its schedule needs."""

    @property
    def schedule(self) -> str:
        """Return the rhythm."""
        ...

    @property
    def timezone(self) -> str:
        """Return the IANA name of its zone."""
        ...

    @property
    def anchor(self) -> datetime | None:
        """Return slot 0 of a named rhythm."""
        ...

    @property
    def created_at(self) -> datetime:
        """Return when it was made."""
        ...

    @property
    def last_run_at(self) -> datetime | None:
        """Return when it looked last."""
        ...

    @property
    def next_run_at(self) -> datetime | None:
        """Return when it is due."""
        ...


class Turn(Record, frozen=True, kw_only=True):
    """A scout's turn: the slot to run, the missed ones it stands for, and the slot after."""

    slot: datetime
    covers_from: datetime
    """The oldest slot of the turn; `slot` itself when none was missed."""
    upcoming: datetime


def turn(scout: Rhythmic, now: datetime) -> Turn:
    """Return the turn of a scout that is due: missed slots become one, the newest.

    Args:
        scout: active, `next_run_at` not later than `now`.
        now: the present moment, aware.
    """
    due = scout.next_run_at or now
    anchor = scout.anchor or due
    slot = latest(scout.schedule, scout.timezone, now, anchor=anchor)
    return Turn(
        slot=max(slot, due),
        covers_from=due,
        upcoming=next_after(scout.schedule, scout.timezone, now, anchor=anchor),
    )


def upcoming(scout: Rhythmic, now: datetime) -> datetime:
    """Return when an active scout runs next, when only its rhythm and last run are known.

    One that never ran is due now. One that missed slots since, resting or with another rhythm, is
    due since the newest of them.

    Args:
        scout: with a rhythm; its `next_run_at` is not looked at.
        now: the present moment, aware.
    """
    if scout.last_run_at is None:
        return now
    rhythm, zone, anchor = scout.schedule, scout.timezone, scout.anchor or scout.created_at
    coming = next_after(rhythm, zone, scout.last_run_at, anchor=anchor)
    return coming if coming > now else latest(rhythm, zone, now, anchor=anchor)


def _nearby(schedule: str, timezone: str, anchor: datetime, moment: datetime) -> int:
    """Return the number of a slot not after `moment`; the first one after it is at most 3 on."""
    period = PERIODS[schedule]
    if schedule == "hourly":
        return (moment - anchor) // period
    zone = _zone(timezone)
    days = (moment.astimezone(zone).date() - anchor.astimezone(zone).date()).days
    return days // period.days - 1


def _slot(schedule: str, timezone: str, anchor: datetime, number: int) -> datetime:
    """Return slot `number` of a named rhythm, UTC; slot 0 is its anchor."""
    period = PERIODS[schedule]
    if schedule == "hourly":
        return anchor.astimezone(UTC) + number * period
    local = anchor.astimezone(_zone(timezone)).replace(fold=0)
    return (local + number * period).astimezone(UTC)


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
