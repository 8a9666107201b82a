"""The sign of life: one line a week for a channel that had no news in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.service import news
from scout_cli.store import channels, signs, users
from scout_cli.store.channels import ChannelRow
from scout_cli.store.database import Database
from scout_cli.store.outbox import Content
from scout_cli.store.signs import Looks

_WEEK = timedelta(days=7)
_PAGE = 500

Hearing = dict[str, set[UUID]]
"""URL of a channel -> the scouts it hears of."""


class Silent(Record, frozen=True, kw_only=True):
    """A channel whose week is over, and what it is told."""

    channel: ChannelRow
    content: Content | None
    """None when it had news in the last seven days."""


async def silent_channels(
    db: Database, shared: Sequence[str], week: datetime, now: datetime
) -> list[Silent]:
    """Return the channels whose week has not been considered yet.

    Args:
        db: the database.
        shared: URLs of channels that hear of all scouts of the local owner.
        week: when the week ended.
        now: the present.
    """
    found = []
    for user_id, hearing in (await _hearing(db, shared)).items():
        async with db.transaction() as tx:
            rows = await channels.ensure(tx, user_id, list(hearing))
        due = [row for row in rows if _is_due(row, week)]
        if not due:
            continue
        told = await signs.told(db, user_id, now - _WEEK)
        looks = await signs.looks(db, user_id, now - _WEEK)
        for row in due:
            line = None if row.id in told else _line(looks, hearing[row.url], now)
            found.append(Silent(channel=row, content=line))
    return found


async def _hearing(db: Database, shared: Sequence[str]) -> dict[UUID, Hearing]:
    """Return, by user, which channel hears of which active scouts."""
    found: dict[UUID, Hearing] = defaultdict(lambda: defaultdict(set))
    last: UUID | None = None
    while True:
        page = await signs.watching(db, last, _PAGE)
        owner = await users.local(db) if shared else None
        for scout in page:
            theirs = () if owner is not None and owner.id != scout.user_id else shared
            for url in (*scout.notify, *theirs):
                found[scout.user_id][url].add(scout.id)
        if len(page) < _PAGE:
            return found
        last = page[-1].id


def _is_due(channel: ChannelRow, week: datetime) -> bool:
    known_long_enough = channel.created_at <= week - _WEEK
    beaten = channel.beat_at is not None and channel.beat_at >= week
    return channel.state == "active" and known_long_enough and not beaten


def _line(looks: Sequence[Looks], scouts: Collection[UUID], now: datetime) -> Content:
    ended: dict[str, int] = defaultdict(int)
    for each in looks:
        if each.scout_id in scouts:
            ended[each.outcome] += each.times
    return news.quiet_week(
        looked=ended["new"] + ended["nothing_new"] + ended["degraded"],
        silent=ended["nothing_new"],
        blind=ended["could_not_look"] + ended["failed"],
        now=now,
    )
