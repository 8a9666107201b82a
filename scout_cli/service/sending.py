"""One attempt to send one message: what goes, how it went, what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from scout_cli.core import redelivery
from scout_cli.core.models import Record
from scout_cli.core.news import Delivery, Notice
from scout_cli.core.ports import Channel, Promise
from scout_cli.core.report import clean
from scout_cli.errors import ScoutError
from scout_cli.service import news
from scout_cli.store import channels, outbox
from scout_cli.store.channels import ChannelRow
from scout_cli.store.database import Database
from scout_cli.store.outbox import DueRow, Progress

Doubt = Literal["resend", "hold"]

_IN_DOUBT = "a process was cut short while it was sending this: it may have arrived"


class Outgoing(Record, frozen=True, kw_only=True):
    """A message and the rows that it is made of."""

    rows: tuple[DueRow, ...]

    @property
    def notice(self) -> Notice:
        """Return what is sent."""
        return news.message(self.rows)

    @property
    def in_doubt(self) -> bool:
        """Return whether an earlier attempt was cut short when it may have arrived."""
        return any(row.state == "sending" for row in self.rows)

    @property
    def attempt(self) -> int:
        """Return the number of the next attempt, counting from 1."""
        return max(row.attempt for row in self.rows) + 1


class Tried(Record, frozen=True, kw_only=True):
    """How an attempt went."""

    delivery: Delivery
    committed: bool = False
    """Whether it went so far that the message may have arrived."""
    certain: bool = True
    """Whether the receiver said so, or at least was never reached."""


async def assemble(db: Database, held: ChannelRow, now: datetime) -> list[Outgoing]:
    """Return the messages of a channel that are due, in order.

    A batch is one message from its first attempt on: what joined it later becomes a message of its
    own, or a receiver that knows the batch would take it for a repeat.

    Raises:
        FenceLost: the channel is somebody else's.
    """
    batches: dict[str, list[DueRow]] = {}
    for row in await outbox.due(db, held.id, now):
        batches.setdefault(row.batch, []).append(row)
    found: list[Outgoing] = []
    for batch, rows in batches.items():
        late = [row for row in rows if row.attempt == 0 and row.state == "pending"]
        if late and batch != str(late[0].id) and await outbox.begun(db, held.id, batch):
            own = f"{batch}+{late[0].id}"
            await db.together(channels.held(db, held), outbox.moved(late, own))
            earlier = [row for row in rows if row not in late]
            found += [Outgoing(rows=tuple(earlier))] if earlier else []
            found.append(Outgoing(rows=tuple(replace(row, batch=own) for row in late)))
        else:
            found.append(Outgoing(rows=tuple(rows)))
    return found


async def attempt(
    channel: Channel, notice: Notice, commit: Callable[[], Awaitable[None]], seconds: float
) -> Tried:
    """Send a message once, within bounds.

    Args:
        channel: where to.
        notice: what.
        commit: notes that it may have arrived from now on; what it raises ends the attempt.
        seconds: the bound.

    Raises:
        ScoutError: what `commit` raised.
    """
    committed, stopped = False, False

    async def committing() -> None:
        nonlocal committed, stopped
        stopped = True
        await commit()
        committed, stopped = True, False

    try:
        async with asyncio.timeout(seconds):
            delivery = await channel.send(notice, committing)
    except TimeoutError:
        delivery = Delivery(outcome="retry", detail=f"no answer within {seconds:g} s")
    except Exception as error:
        if stopped:
            raise
        # A broken adapter must not keep the other channels from being served.
        said = error.message if isinstance(error, ScoutError) else type(error).__name__
        delivery = Delivery(outcome="retry", detail=f"unexpected: {said}")
    else:
        return Tried(delivery=delivery, committed=committed)
    return Tried(delivery=delivery, committed=committed, certain=not committed)


def progress(
    message: Outgoing, tried: Tried, *, hold: bool, now: datetime, chance: float
) -> Progress:
    """Return where an attempt leaves a message.

    Args:
        message: what was sent.
        tried: how that went.
        hold: whether a message that may have arrived is left to a person.
        now: the present.
        chance: 0 to 1, for the jitter.
    """
    delivery = tried.delivery
    # What was in doubt before stays so while nothing more has left the house.
    still = message.in_doubt and not tried.committed
    after = Progress(
        state="unknown" if still else "dead",
        attempt=message.attempt,
        next_attempt_at=now,
        provider_id=delivery.provider_id,
        last_error=clean(delivery.detail),
    )
    if delivery.outcome == "sent":
        return replace(after, state="sent", sent_at=now, last_error="")
    if delivery.outcome != "retry":
        return after
    if hold and tried.committed and (not tried.certain or delivery.retry_after is None):
        return replace(after, state="unknown")
    wait = redelivery.wait(message.attempt, delivery.retry_after, chance)
    if wait is None:
        return after
    return replace(after, state="sending" if still else "pending", next_attempt_at=now + wait)


def doubted(message: Outgoing, now: datetime) -> Progress:
    """Return where a message is left that may have arrived and is not sent again."""
    return Progress(
        state="unknown",
        attempt=message.attempt - 1,
        next_attempt_at=now,
        last_error=_IN_DOUBT,
    )


def holds(promise: Promise, doubt: Doubt) -> bool:
    """Return whether a message that may have arrived is left to a person.

    A receiver that keeps the ids it has seen takes a second one for what it is.
    """
    return promise == "at_least_once" and doubt == "hold"


class Unopened:
    """Stands in for a channel that could not be opened: every attempt fails before it begins.

    Args:
        error: why.
    """

    promise: Promise = "once"
    pause = 0.0
    name = "unopened"

    def __init__(self, error: ScoutError) -> None:
        self._error = error

    async def send(
        self,
        notice: Notice,  # noqa: ARG002 - the port's signature
        committing: Callable[[], Awaitable[None]],  # noqa: ARG002 - see above
    ) -> Delivery:
        """Say why it could not be opened."""
        return Delivery(outcome="retry", detail=self._error.message)

    async def close(self) -> None:
        """Have nothing to close."""
