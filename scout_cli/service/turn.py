"""One process's turn at a channel that it holds: its messages in order, each settled at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from scout_cli.core import quiet
from scout_cli.core.models import Record
from scout_cli.core.news import Delivery
from scout_cli.core.ports import Channel, Clock
from scout_cli.core.redelivery import GIVE_UP_AFTER
from scout_cli.errors import Conflict, DatabaseUnavailable, FenceLost
from scout_cli.service import sending
from scout_cli.service.sending import Doubt, Outgoing, Tried
from scout_cli.store import channels, outbox
from scout_cli.store.channels import ChannelRow
from scout_cli.store.database import Connection, Database
from scout_cli.store.finishing import to_the_end
from scout_cli.store.outbox import Progress

TellLost = Callable[[Connection, ChannelRow, str], Awaitable[int]]
"""Queues, inside the transaction that disables a channel, that it is lost."""

_ROUND = 20
"""Messages of one channel before another one has its turn."""
_PATIENCE = 3
"""Failures in a row after which the rest of a channel waits as long as they do."""
_OUTAGE = 30.0
"""Seconds for which what became of a message waits for its database to come back."""
_COUNTED: dict[str, str] = {
    "sent": "sent",
    "pending": "retried",
    "sending": "retried",
    "dead": "dead",
    "unknown": "unknown",
}


class Rules(Record, frozen=True, kw_only=True):
    """How messages are sent."""

    lease: timedelta = timedelta(seconds=60)
    """How long a channel stays somebody's without a sign of life."""
    seconds: float = 60.0
    """The bound of one attempt."""
    concurrency: int = 4
    """Channels at the same time."""
    quiet_hours: str = ""
    timezone: str = "UTC"
    """Of messages that are about no scout."""


class Turn:
    """Serves one channel for a while.

    Args:
        db: where its messages wait.
        clock: measures outages of the database.
        held: the channel, claimed.
        channel: the same, opened.
        doubt: what its URL says about messages that may have arrived.
        rules: how messages are sent.
        tell_lost: called when it turns out to be gone.
        chance: gives numbers from 0 to 1, for the jitter.
        tally: counts what became of messages.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        held: ChannelRow,
        channel: Channel,
        doubt: Doubt,
        *,
        rules: Rules,
        tell_lost: TellLost,
        chance: Callable[[], float],
        tally: Counter[str],
    ) -> None:
        self._db = db
        self._clock = clock
        self._held = held
        self._channel = channel
        self._hold = sending.holds(channel.promise, doubt)
        self._rules = rules
        self._quiet = quiet.hours(rules.quiet_hours)
        self._tell_lost = tell_lost
        self._chance = chance
        self._tally = tally
        self._sent = 0
        self._failures = 0
        self._failing_since = held.failing_since
        self._resume_at = held.created_at
        self._gone = False

    async def serve(self, until: datetime | None) -> None:
        """Send what is due, up to a round.

        Args:
            until: no message is begun at or after this moment.

        Raises:
            FenceLost: somebody else has the channel.
        """
        waiting = await sending.assemble(self._db, self._held, await self._db.now())
        while waiting and self._sent < _ROUND and not self._gone:
            if until is not None and await self._db.now() >= until:
                return
            if self._failures >= _PATIENCE:
                await self._put_off(waiting, self._resume_at)
                return
            await self._next(waiting.pop(0))

    async def _next(self, message: Outgoing) -> None:
        """Send one message, or let it wait for the end of the quiet hours."""
        now = await self._db.now()
        loud = max(self._loud_at(row.timezone, now) for row in message.rows)
        if loud > now:
            await self._put_off([message], loud)
            return
        if message.in_doubt and self._hold:
            await self._settle(message, sending.doubted(message, now), None)
            self._tally["unknown"] += 1
            return
        if self._channel.pause and (self._sent or self._held.served_at):
            await asyncio.sleep(self._channel.pause)
        self._sent += 1
        try:
            tried = await self._try(message)
        except Conflict as changed:
            if isinstance(changed, FenceLost):
                raise
            return
        now, chance = await self._db.now(), self._chance()
        after = sending.progress(message, tried, hold=self._hold, now=now, chance=chance)
        lost = self._why_lost(tried.delivery, after, now)
        await to_the_end(self._settle(message, after, lost))
        self._note(after)

    async def _try(self, message: Outgoing) -> Tried:
        async def commit() -> None:
            rows = (outbox.sending(row, message.attempt) for row in message.rows)
            await self._db.together(channels.held(self._db, self._held), *rows)

        return await sending.attempt(self._channel, message.notice, commit, self._rules.seconds)

    async def _settle(self, message: Outgoing, after: Progress, lost: str | None) -> None:
        """Store what became of a message, waiting for a database that went away."""
        until = self._clock.monotonic() + _OUTAGE
        while True:
            try:
                await self._store(message, after, lost)
            except DatabaseUnavailable as error:
                # To store it twice changes nothing, so a commit in doubt does not matter.
                if not error.retryable or self._clock.monotonic() > until:
                    raise
                await asyncio.sleep(0.25)
            else:
                return

    async def _store(self, message: Outgoing, after: Progress, lost: str | None) -> None:
        statements = [channels.held(self._db, self._held)]
        statements += [outbox.settled(row, after) for row in message.rows]
        if after.state == "sent":
            statements.append(channels.worked(self._held))
        if after.state == "dead":
            statements.append(channels.failed(self._held, after.next_attempt_at))
        if lost is None:
            await self._db.together(*statements)
            return
        async with self._db.transaction() as tx:
            await tx.together(*statements)
            await channels.disable(tx, self._held, lost)
            await outbox.give_up(tx, self._held.id, lost)
            await self._tell_lost(tx, self._held, lost)
        self._gone = True

    def _why_lost(self, delivery: Delivery, after: Progress, now: datetime) -> str | None:
        """Return why the channel is to be disabled; None when it is not."""
        if delivery.outcome == "gone":
            return after.last_error or "it is gone"
        since = self._failing_since
        if after.state != "dead" or since is None or now - since < GIVE_UP_AFTER:
            return None
        return f"nothing got through since {since:%Y-%m-%d}: {after.last_error}"

    async def _put_off(self, messages: list[Outgoing], to: datetime) -> None:
        rows = [outbox.postponed(row, to) for message in messages for row in message.rows]
        await self._db.together(channels.held(self._db, self._held), *rows)

    def _loud_at(self, timezone: str | None, now: datetime) -> datetime:
        return quiet.after_quiet(now, self._quiet, timezone or self._rules.timezone)

    def _note(self, after: Progress) -> None:
        """Note how a message was left."""
        self._tally[_COUNTED[after.state]] += 1
        if after.state == "sent":
            self._failures, self._failing_since = 0, None
        elif after.state == "dead" and self._failing_since is None:
            self._failing_since = after.next_attempt_at
        elif after.state in ("pending", "sending"):
            self._failures += 1
            self._resume_at = max(self._resume_at, after.next_attempt_at)
