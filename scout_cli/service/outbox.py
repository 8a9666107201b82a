"""Queues what people are to be told, inside the transaction that makes it true.

What is queued goes out later, by `deliveries`; a row that is there cannot be forgotten, and one
that is there already is not queued again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Literal, Protocol
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core import quiet
from scout_cli.core.job import Result
from scout_cli.core.models import Digest, Execution, Record, Scout
from scout_cli.core.news import MessageKind
from scout_cli.core.ports import Clock
from scout_cli.errors import ConfigError
from scout_cli.service import guests, heartbeat, news
from scout_cli.store import channels, marks, outbox
from scout_cli.store.channels import ChannelRow
from scout_cli.store.database import Connection, Database
from scout_cli.store.marks import Mark
from scout_cli.store.outbox import Content, OutboxRow

_HEARTBEAT = "heartbeat"


class ChannelTerms(Protocol):
    """What a channel URL says to scout itself."""

    @property
    def digest(self) -> Digest | None:
        """Return how its news is gathered."""
        ...

    @property
    def doubt(self) -> Literal["resend", "hold"]:
        """Return what to do when it is unknown whether a message arrived."""
        ...


class OutboxSettings(Record, frozen=True, kw_only=True):
    """How news goes out."""

    terms: Callable[[str], ChannelTerms]
    """Reads a channel URL; raises `ConfigError` for one that cannot be used."""
    describe: Callable[[str], str]
    """Returns what people may see of a channel URL."""
    notify: tuple[str, ...] = ()
    """Channels that hear of all scouts of the local owner."""
    digest: Digest | None = None
    digest_at: str = "08:00"
    quiet_hours: str = ""
    heartbeat: Literal["", "weekly"] = ""
    late: bool = True
    """Whether to tell that a scout missed its slot."""
    timezone: str = "UTC"
    """Of messages that are about no scout."""


class Outbox:
    """The messages of one database, on their way in.

    Args:
        db: where they wait.
        clock: identifiers.
        settings: who is told, and when.

    Raises:
        InvalidInput: times of day in the settings that are none.
    """

    def __init__(self, db: Database, clock: Clock, settings: OutboxSettings) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self._digest_at = quiet.time_of_day(settings.digest_at)
        self._quiet = quiet.hours(settings.quiet_hours)

    async def tell(self, tx: Connection, scout: Scout, execution: Execution, result: Result) -> int:
        """Queue the news of a run for every channel of its scout; silence when nothing is new.

        Args:
            tx: the transaction that completes the run.
            scout: whose run it was.
            execution: the run, ended.
            result: what it found.

        Returns:
            For how many channels.
        """
        if result.outcome != "new":
            return 0
        now = execution.completed_at or await tx.now()
        told = news.content(news.news_of(scout, execution, result, now))
        about = f"{execution.id} {execution.slot_at}"
        rows = []
        for channel in await self._hearing(tx, scout):
            row = self._row("news", about, channel, told, now, scout)
            rows.append(self._gathered(row, channel, scout, execution, now))
        return await outbox.add(tx, rows)

    async def tell_paused(self, tx: Connection, scout: Scout, reason: str) -> int:
        """Queue that scout paused a scout, and why; return for how many channels."""
        now = await tx.now()
        about = f"{scout.id} {scout.updated_at.isoformat()}"
        return await self._tell_all(tx, scout, "paused", about, news.paused(scout, reason, now))

    async def tell_late(self, tx: Connection, scout: Scout, slot: datetime, now: datetime) -> int:
        """Queue that a scout missed its slot by more than its own interval, once for the slot."""
        if not self._settings.late:
            return 0
        about = f"{scout.id} {slot.isoformat()}"
        return await self._tell_all(tx, scout, "late", about, news.late(scout, slot, now))

    async def tell_channel_lost(self, tx: Connection, lost: ChannelRow, reason: str) -> int:
        """Queue, for the owner's other channels, that one takes nothing any more.

        Args:
            tx: the transaction that disables it.
            lost: which one.
            reason: what happened.
        """
        now = await tx.now()
        name = self._settings.describe(lost.url)
        told = news.channel_lost(name, reason, lost.id, now)
        await channels.ensure(
            tx, lost.user_id, await guests.shared(tx, lost.user_id, self._settings.notify)
        )
        others = [each for each in await channels.active(tx, lost.user_id) if each.id != lost.id]
        about = f"{lost.id} {lost.fence}"
        rows = [self._row("channel_lost", about, each, told, now) for each in others]
        return await outbox.add(tx, rows)

    async def beat(self, now: datetime) -> int:
        """Queue signs of life for the week that has ended, once; return for how many channels."""
        if not self._settings.heartbeat:
            return 0
        week = quiet.last_digest("weekly", self._digest_at, self._settings.timezone, now)
        mark = await marks.get(self._db, _HEARTBEAT)
        if mark is not None and week <= mark.at <= now:
            return 0
        found = await heartbeat.silent_channels(self._db, self._settings.notify, week, now)
        for each in found:
            async with self._db.transaction() as tx:
                await channels.beat(tx, each.channel.id, now)
                if each.content is not None:
                    about = week.isoformat()
                    row = self._row("heartbeat", about, each.channel, each.content, now)
                    await outbox.add(tx, [row])
        await marks.put(self._db, Mark(name=_HEARTBEAT, at=now))
        return sum(each.content is not None for each in found)

    async def _tell_all(
        self, tx: Connection, scout: Scout, kind: MessageKind, about: str, told: Content
    ) -> int:
        now = await tx.now()
        hearing = await self._hearing(tx, scout)
        rows = [self._row(kind, about, channel, told, now, scout) for channel in hearing]
        return await outbox.add(tx, rows)

    async def _hearing(self, tx: Connection, scout: Scout) -> Sequence[ChannelRow]:
        """Return the channels that hear of a scout, its own and those for all; none disabled."""
        shared = await guests.shared(tx, scout.user_id, self._settings.notify)
        urls = [*scout.notify, *shared]
        known = await channels.ensure(tx, scout.user_id, urls)
        return [channel for channel in known if channel.state == "active"]

    def _row(
        self,
        kind: MessageKind,
        about: str,
        channel: ChannelRow,
        told: Content,
        now: datetime,
        scout: Scout | None = None,
    ) -> OutboxRow:
        """Return a message that goes out at once, or when the quiet hours end."""
        id_ = self._clock.uuid()
        return OutboxRow(
            id=id_,
            user_id=channel.user_id,
            channel_id=channel.id,
            scout_id=scout.id if scout else None,
            kind=kind,
            dedupe_key=dedupe_key(kind, about, channel.id),
            batch=str(id_),
            message=told,
            next_attempt_at=self._after_quiet(now, scout),
            created_at=now,
        )

    def _gathered(
        self, row: OutboxRow, channel: ChannelRow, scout: Scout, execution: Execution, now: datetime
    ) -> OutboxRow:
        """Return the row of a run, which waits for the digest of its scout or channel."""
        row = replace(row, execution_id=execution.id)
        kind = scout.digest or self._digest_of(channel.url) or self._settings.digest
        if kind is None:
            return row
        moment = quiet.next_digest(kind, self._digest_at, scout.timezone, now)
        batch = f"{kind}:{moment:%Y-%m-%dT%H:%MZ}"
        return replace(row, batch=batch, next_attempt_at=self._after_quiet(moment, scout))

    def _digest_of(self, url: str) -> Digest | None:
        try:
            return self._settings.terms(url).digest
        except ConfigError:
            # A run must not fail for it: whoever delivers says what is wrong with the URL.
            return None

    def _after_quiet(self, moment: datetime, scout: Scout | None) -> datetime:
        zone = scout.timezone if scout else self._settings.timezone
        return quiet.after_quiet(moment, self._quiet, zone)


def dedupe_key(kind: MessageKind, about: str, channel_id: UUID) -> str:
    """Return the key that is the same for the same message to the same channel.

    Args:
        kind: of the message.
        about: what it tells of, once.
        channel_id: whom it tells.
    """
    return sha256(f"{kind}|{about}|{channel_id}".encode()).hexdigest()
