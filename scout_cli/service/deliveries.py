"""Sends what waits in the outbox: channels side by side, the messages of one in their order.

Whoever delivers holds the channel by a lease. A message is marked before its first byte leaves, so
that a crash leaves no doubt but the honest one: it may have arrived. Then it is sent again under
the same id, or left to a person where the channel's URL asks for that.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.core.news import Delivery
from scout_cli.core.ports import Channel, Clock, Promise
from scout_cli.errors import ConfigError, FenceLost, ScoutError
from scout_cli.service import guests, news, sending
from scout_cli.service.outbox import ChannelTerms
from scout_cli.service.pulse import while_held
from scout_cli.service.sending import Doubt, Unopened
from scout_cli.service.turn import Rules, TellLost, Turn
from scout_cli.store import channels, outbox, users
from scout_cli.store.channels import ChannelRow
from scout_cli.store.database import Database
from scout_cli.store.finishing import to_the_end

_FIRST = asyncio.FIRST_COMPLETED


class Delivered(Record, frozen=True, kw_only=True):
    """How many messages went which way."""

    sent: int = 0
    retried: int = 0
    """Failed for now."""
    dead: int = 0
    unknown: int = 0
    """May have arrived, and are left to a person."""
    lost: int = 0
    """Channels that another process took over meanwhile."""


class Tested(Record, frozen=True, kw_only=True):
    """What became of a test message."""

    name: str
    promise: Promise
    delivery: Delivery


class Deliveries:
    """The messages of one database, on their way out.

    Args:
        db: where they wait.
        clock: measures, and makes the ids of tests.
        open_channel: opens the channel of a URL; raises `ScoutError` when it cannot be used.
        terms: reads what a channel URL says to scout itself.
        tell_lost: queues, inside the transaction that disables a channel, that it is lost.
        open_guest: opens the channels of those who do not own this machine, within bounds; None
            opens all alike.
        rules: how messages are sent.
        chance: gives numbers from 0 to 1, for the jitter.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        open_channel: Callable[[str], Awaitable[Channel]],
        *,
        terms: Callable[[str], ChannelTerms],
        tell_lost: TellLost,
        open_guest: Callable[[str], Awaitable[Channel]] | None = None,
        rules: Rules = Rules(),  # noqa: B008 - frozen
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._db = db
        self._clock = clock
        self._open_channel = open_channel
        self._open_guest = open_guest or open_channel
        self._terms = terms
        self._tell_lost = tell_lost
        self._rules = rules
        self._chance = chance

    async def deliver_due(self, *, until: datetime | None = None) -> Delivered:
        """Send what is due, and return when nothing is.

        Args:
            until: no message is begun at or after this moment.

        Raises:
            DatabaseUnavailable: nothing is lost; call it again.
        """
        tally: Counter[str] = Counter()
        running: set[asyncio.Task[None]] = set()
        ended: set[asyncio.Task[None]] = set()
        try:
            while True:
                free = len(running) < self._rules.concurrency and not _failed(ended)
                held = await self._claim(until) if free else None
                if held is not None:
                    running.add(asyncio.create_task(self._serve(held, until, tally)))
                elif running:
                    done, running = await asyncio.wait(running, return_when=_FIRST)
                    ended |= done
                else:
                    break
        finally:
            for task in running:
                task.cancel()
            # The first failure is raised; what else failed with it, as a lost database, is known.
            await asyncio.gather(*running, *ended, return_exceptions=True)
        for task in ended:
            task.result()
        return Delivered(**tally)

    async def next_due(self) -> datetime | None:
        """Return when there is next something to send: None for nothing, the past for at once."""
        return await outbox.next_due(self._db)

    async def test(self, url: str, user_id: UUID | None = None) -> Tested:
        """Send a test message now, past the outbox and the quiet hours.

        Args:
            url: of the channel.
            user_id: whose it is; None for the local owner's.

        Raises:
            ScoutError: the channel cannot be opened, or is not one that this user may name.
        """
        channel = await self._open(url, user_id)
        try:
            notice = news.trial(self._clock.uuid().hex, self._clock.now())
            tried = await sending.attempt(channel, notice, _nothing, self._rules.seconds)
            return Tested(name=channel.name, promise=channel.promise, delivery=tried.delivery)
        finally:
            await channel.close()

    async def _claim(self, until: datetime | None) -> ChannelRow | None:
        now = await self._db.now()
        if (until is not None and now >= until) or not await channels.any_due(self._db, now):
            return None
        return await channels.claim(self._db, now, now + self._rules.lease)

    async def _serve(self, held: ChannelRow, until: datetime | None, tally: Counter[str]) -> None:
        """Deliver for a channel while it is ours, and let it go."""

        async def renew() -> bool:
            await channels.renew(self._db, held, await self._db.now() + self._rules.lease)
            return True

        work = self._round(held, until, tally)
        try:
            await while_held(work, renew, self._clock, self._rules.lease, f"channel {held.id}")
        except FenceLost:
            tally["lost"] += 1
        finally:
            await to_the_end(channels.release(self._db, held, await self._db.now()))

    async def _round(self, held: ChannelRow, until: datetime | None, tally: Counter[str]) -> None:
        channel = await self._opened(held)
        turn = Turn(
            self._db,
            self._clock,
            held,
            channel,
            self._doubt(held.url),
            rules=self._rules,
            tell_lost=self._tell_lost,
            chance=self._chance,
            tally=tally,
        )
        try:
            await turn.serve(until)
        finally:
            await channel.close()

    async def _opened(self, held: ChannelRow) -> Channel:
        try:
            return await self._open(held.url, held.user_id)
        except ScoutError as error:
            return Unopened(error)

    async def _open(self, url: str, user_id: UUID | None) -> Channel:
        """Open a channel by the rules for its owner; they are asked again each time."""
        await guests.refuse(self._db, user_id, [url])
        user = await users.get(self._db, user_id) if user_id else None
        if user is None or user.is_local:
            return await self._open_channel(url)
        return await self._open_guest(url)

    def _doubt(self, url: str) -> Doubt:
        try:
            return self._terms(url).doubt
        except ConfigError:
            return "resend"


def _failed(ended: set[asyncio.Task[None]]) -> bool:
    """Return whether one of these tasks ended with an error; the others may finish."""
    return any(task.exception() is not None for task in ended)


async def _nothing() -> None:
    """Commit to nothing: a test is not stored."""
