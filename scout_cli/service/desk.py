"""What a person sees of messages and channels, and may do about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from scout_cli.core.models import Record, Scout
from scout_cli.core.news import OutboxState
from scout_cli.errors import Conflict, InvalidInput, NotFound, TooMany
from scout_cli.service.views import ChannelView
from scout_cli.store import allowances, channels, outbox, users
from scout_cli.store.allowances import Allowance
from scout_cli.store.channels import ChannelGlance, ChannelRow
from scout_cli.store.database import Database
from scout_cli.store.outbox import OutboxRow

T = TypeVar("T")

_RETRIED: tuple[OutboxState, ...] = ("dead", "unknown", "held", "pending")


class Posted(Record, frozen=True, kw_only=True):
    """A message of the outbox and the name of its channel, without secrets."""

    row: OutboxRow
    channel: str


class Desk:
    """The outbox and the channels of one user.

    Args:
        db: where they are.
        describe: returns what people may see of a channel URL.
        user: whose; None for the local owner's.
    """

    def __init__(
        self, db: Database, describe: Callable[[str], str], user: UUID | None = None
    ) -> None:
        self._db = db
        self._describe = describe
        self._user = user

    async def messages(
        self, *, states: Sequence[OutboxState] = (), of: Sequence[Scout] = (), limit: int
    ) -> list[Posted]:
        """Return messages, newest first.

        Args:
            states: only in these; empty for all.
            of: only of these scouts; empty for all.
            limit: at most so many.
        """
        owner = await self._owner()
        ids = [scout.id for scout in of]
        rows = await outbox.listing(self._db, owner, states=states, scout_ids=ids, limit=limit)
        return await self._named(rows)

    async def retry(self, names: Sequence[str]) -> list[Posted]:
        """Send messages again, all or none: those given up, in doubt, held, or waiting.

        Args:
            names: ids, or their beginnings.

        Raises:
            NotFound: there is no such message.
            InvalidInput: a beginning may mean several.
            Conflict: it was sent, is being sent, or its channel is disabled.
        """
        return await self._turned(names, _RETRIED, "pending")

    async def hold(self, names: Sequence[str]) -> list[Posted]:
        """Keep waiting messages from being sent, all or none; see `retry`."""
        return await self._turned(names, ("pending",), "held")

    async def channels(self) -> list[ChannelGlance]:
        """Return the channels that were used so far, oldest first."""
        return await channels.glances(self._db, await self._owner())

    async def channel(self, name: str) -> ChannelRow:
        """Return a channel.

        Args:
            name: its id, or the beginning.

        Raises:
            NotFound: there is no such channel.
            InvalidInput: the beginning may mean several.
        """
        found = await channels.by_prefix(self._db, await self._owner(), name)
        return _only(found, name, "channel", "scout notify list")

    async def enable(self, name: str) -> ChannelRow:
        """Use a channel again that was disabled; see `channel`."""
        channel = await self.channel(name)
        await channels.enable(self._db, channel.id)
        return channel

    async def shown_channels(self) -> list[ChannelView]:
        """Return what programs see of the channels, oldest first."""
        return [self._view(each) for each in await self.channels()]

    async def shown_channel(self, channel_id: UUID) -> ChannelView:
        """Return what programs see of one channel.

        Raises:
            NotFound: there is no such channel.
        """
        found = [each for each in await self.channels() if each.id == channel_id]
        return self._view(_only(found, str(channel_id), "channel", "scout notify list"))

    async def allow_trial(self) -> None:
        """Count a test message, which goes where its sender says.

        Raises:
            TooMany: there were enough for now.
        """
        allowance = Allowance(name=f"trial {await self._owner()}", most=10, seconds=600.0)
        async with self._db.transaction() as tx:
            wait = await allowances.take(tx, [allowance])
        if wait:
            raise TooMany("enough test messages for now", hint="wait a little", retry_after=wait)

    def _view(self, row: ChannelGlance) -> ChannelView:
        names = (name for name in ChannelView.__struct_fields__ if name != "name")
        given = {name: getattr(row, name) for name in names}
        return ChannelView(name=self._describe(row.url), **given)

    async def _turned(
        self, names: Sequence[str], states: tuple[OutboxState, ...], to: OutboxState
    ) -> list[Posted]:
        owner = await self._owner()
        disabled = {each.id: each for each in await self.channels() if each.state == "disabled"}
        async with self._db.transaction() as tx:
            now, turned = await tx.now(), []
            for name in names:
                found = await outbox.by_prefix(tx, owner, name)
                row = _only(found, name, "message", "scout outbox")
                if to == "pending" and row.channel_id in disabled:
                    raise self._disabled(disabled[row.channel_id])
                if not await outbox.turn(tx, row, states=states, to=to, now=now):
                    raise _settled(row)
                turned += await outbox.by_prefix(tx, owner, str(row.id))
        return await self._named(turned)

    def _disabled(self, channel: ChannelRow) -> Conflict:
        return Conflict(
            f"{self._describe(channel.url)} is disabled: {channel.reason}",
            hint=f"scout notify enable {str(channel.id)[:8]}",
        )

    async def _named(self, rows: Sequence[OutboxRow]) -> list[Posted]:
        known = {each.id: self._describe(each.url) for each in await self.channels()}
        return [Posted(row=row, channel=known.get(row.channel_id, "-")) for row in rows]

    async def _owner(self) -> UUID:
        return self._user or (await users.local_owner(self._db)).id


def _only(found: Sequence[T], name: str, kind: str, listing: str) -> T:
    if not found:
        raise NotFound(f"no {kind} {name!r}", hint=f"{listing} shows them")
    if len(found) > 1:
        raise InvalidInput(f"{name!r} may be {len(found)} {kind}s", hint="give more of its id")
    return found[0]


def _settled(row: OutboxRow) -> Conflict:
    told = {"sent": "was sent", "sending": "is being sent just now", "held": "is held already"}
    what = told.get(row.state, f"is {row.state}")
    return Conflict(f"message {str(row.id)[:8]} {what}", hint="scout outbox shows where it stands")
