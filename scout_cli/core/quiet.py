"""When messages may arrive: not in the quiet hours, and once a day or a week for a digest.

Hours are local, in a scout's own zone. Where the spring leaves a local time out, it counts as an
hour later that day; where the autumn has one twice, the first one counts.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scout_cli.core.models import Digest, Record
from scout_cli.errors import InvalidInput

_TIME = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_MONDAY = 0


class Hours(Record, frozen=True, kw_only=True):
    """A stretch of the day, which may reach over midnight."""

    start: time
    end: time
    """The first moment that is outside again."""

    def cover(self, local: time) -> bool:
        """Return whether a local time lies inside."""
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


def hours(text: str) -> Hours | None:
    """Read quiet hours such as `22:00-07:00`; None for an empty text.

    Raises:
        InvalidInput: not two times of day, or twice the same.
    """
    if not text:
        return None
    found = re.fullmatch(f"({_TIME})-({_TIME})", text)
    if found is None or found[1] == found[4]:
        raise InvalidInput(f"{text!r} are not quiet hours", hint="such as 22:00-07:00")
    return Hours(start=time_of_day(found[1]), end=time_of_day(found[4]))


def time_of_day(text: str) -> time:
    """Read a time of day such as `08:00`.

    Raises:
        InvalidInput: it is none.
    """
    found = re.fullmatch(_TIME, text)
    if found is None:
        raise InvalidInput(f"{text!r} is not a time of day", hint="such as 08:00")
    return time(int(found[1]), int(found[2]))


def after_quiet(moment: datetime, quiet: Hours | None, zone: str) -> datetime:
    """Return `moment`, or the end of the quiet hours that it lies in, UTC.

    Args:
        moment: when a message is due, aware.
        quiet: None when there are none.
        zone: IANA name.
    """
    there = ZoneInfo(zone)
    moment = moment.astimezone(UTC)
    while quiet is not None and quiet.cover(moment.astimezone(there).time()):
        local = moment.astimezone(there)
        today = local.time() < quiet.end
        moment = _later_than(moment, local.date() + timedelta(days=0 if today else 1), quiet, there)
    return moment


def next_digest(kind: Digest, at: time, zone: str, now: datetime) -> datetime:
    """Return the first moment after `now` at which a digest goes out, UTC.

    Args:
        kind: every day, or every Monday.
        at: local time of day.
        zone: IANA name.
        now: the present, aware.
    """
    return next(moment for moment in _digests(kind, at, zone, now) if moment > now)


def last_digest(kind: Digest, at: time, zone: str, now: datetime) -> datetime:
    """Return the last moment up to `now` at which a digest went out, UTC; see `next_digest`."""
    return max(moment for moment in _digests(kind, at, zone, now) if moment <= now)


def _digests(kind: Digest, at: time, zone: str, now: datetime) -> list[datetime]:
    """Return some moments in order, with `now` among them."""
    there = ZoneInfo(zone)
    today = now.astimezone(there).date()
    days = [today + timedelta(days=offset) for offset in range(-8, 9)]
    chosen = [day for day in days if kind == "daily" or day.weekday() == _MONDAY]
    return [_moment(day, at, there) for day in chosen]


def _later_than(moment: datetime, day: date, quiet: Hours, zone: ZoneInfo) -> datetime:
    """Return the end of the quiet hours on a day, the second one where the autumn has it twice."""
    ends = (_moment(day, quiet.end, zone, fold) for fold in (0, 1))
    return next(end for end in ends if end > moment)


def _moment(day: date, at: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.combine(day, at.replace(fold=fold), tzinfo=zone).astimezone(UTC)
