"""Connects the sockets of a server to the one feed of changes.

It listens only while somebody is connected: one subscription for all, rows read once, and each
change handed to the channels of its owner and to those of the service key.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from aiohttp import WSCloseCode, web

from scout_cli.app import App
from scout_cli.core.models import Record
from scout_cli.errors import Unavailable
from scout_cli.server.calls import APP, SECRETS, STOPPING
from scout_cli.server.realtime import changed
from scout_cli.server.realtime.channels import Channel, Client
from scout_cli.server.realtime.identities import Identities, Identity
from scout_cli.service.subscription import Item, Subscription, Told

LOG = logging.getLogger("scout.realtime")

_QUEUE = 20_000
"""Changes that may wait for the hub: it hands them on at once."""
_PORTION = 64
"""Changes that are handed on before the sockets have a turn."""
_CHECK_SECONDS = 3.0
"""Between two looks at whether those who listen still may."""
AGAIN_SECONDS = 1.0
"""After which the end of a run is told again: pages that were just reading miss the first time."""


class Limits(Record, frozen=True, kw_only=True):
    """What one client may do."""

    sockets: int = 20
    """Of one user."""
    channels: int = 100
    """Of one socket."""
    joins: int = 200
    """A second, of one socket."""
    silence: float = 60.0
    """Seconds without a sign of life."""


LIMITS: web.AppKey[Limits] = web.AppKey("REALTIME_LIMITS", Limits)


class Hub:
    """The sockets of one server.

    Args:
        server: has the app, the secrets, and the event that says that it stops.
    """

    def __init__(self, server: web.Application) -> None:
        self._app: App = server[APP]
        self._stopping = server[STOPPING]
        self.limits = server.get(LIMITS, Limits())
        self.identities = Identities(self._app, server[SECRETS])
        self._clients: set[Client] = set()
        self._by_user: defaultdict[UUID, set[Client]] = defaultdict(set)
        self._listening: defaultdict[UUID | None, set[Channel]] = defaultdict(set)
        self._again: dict[str, asyncio.TimerHandle] = {}
        self._work: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] | None = None

    async def enter(self, client: Client) -> None:
        """Add a socket; from now on changes are heard of.

        Raises:
            Unavailable: the database does not answer, or the server stops.
        """
        if self._stopping.is_set():
            raise Unavailable("the server is stopping")
        self._clients.add(client)
        if self._work is None:
            self._ready = asyncio.get_running_loop().create_future()
            self._work = asyncio.create_task(self._run(self._ready), name="scout-realtime")
        assert self._ready is not None
        await asyncio.shield(self._ready)

    def leave(self, client: Client) -> None:
        """Forget a socket, whose channels were removed."""
        self._clients.discard(client)
        for user_id in [who for who, theirs in self._by_user.items() if client in theirs]:
            self._by_user[user_id].discard(client)
            if not self._by_user[user_id]:
                del self._by_user[user_id]
        if not self._clients and self._work is not None:
            self._work.cancel()
            self._work = None

    def admits(self, client: Client, user_id: UUID | None) -> bool:
        """Count a socket as one of a user's, and return whether they may have it."""
        if user_id is None:
            return True
        theirs = self._by_user[user_id]
        if client not in theirs and len(theirs) >= self.limits.sockets:
            return False
        theirs.add(client)
        return True

    def add(self, channel: Channel) -> None:
        """Let a channel hear of changes."""
        viewer = channel.identity.viewer
        if viewer.role != "anon":
            self._listening[viewer.user_id].add(channel)

    def remove(self, channel: Channel) -> None:
        """Let it hear of no more."""
        owner = channel.identity.viewer.user_id
        if (those := self._listening.get(owner)) is not None:
            those.discard(channel)
            if not those:
                del self._listening[owner]

    async def _run(self, ready: asyncio.Future[None]) -> None:
        """Hand changes on until nobody is connected or the server stops."""
        code, why = WSCloseCode.GOING_AWAY, "the server stops"
        try:
            feed = await self._app.feed()
            async with feed.subscribe(tables=[*changed.COLUMNS], records=True, most=_QUEUE) as told:
                ready.set_result(None)
                async with asyncio.TaskGroup() as group:
                    beside = [
                        group.create_task(self._await_stop(told)),
                        group.create_task(self._check()),
                    ]
                    await self._listen(told)
                    for each in beside:
                        each.cancel()
        except Unavailable as error:
            code, why = WSCloseCode.TRY_AGAIN_LATER, error.message
        except Exception:  # those who listen are told, then it goes on its way
            code, why = WSCloseCode.INTERNAL_ERROR, "something went wrong"
            raise
        finally:
            self._finish(ready, code, why)

    def _finish(self, ready: asyncio.Future[None], code: int, why: str) -> None:
        if not ready.done():
            ready.set_exception(Unavailable(why))
            ready.exception()  # perhaps nobody waits for it any more
        for timer in self._again.values():
            timer.cancel()
        self._again.clear()
        if self._ready is ready:
            self._work = None
            for client in [*self._clients]:
                client.end(code, why)

    async def _await_stop(self, told: Subscription) -> None:
        await self._stopping.wait()
        told.end()

    async def _listen(self, told: Subscription) -> None:
        while not told.over:
            await told.wait(_CHECK_SECONDS)
            items = told.fetch()
            for at in range(0, len(items), _PORTION):
                for item in items[at : at + _PORTION]:
                    self._take(item)
                await asyncio.sleep(0)  # the sockets send what they have

    def _take(self, item: Item) -> None:
        if isinstance(item, Told):
            self._tell(item)
            self._tell_end_again(item)
            return
        LOG.warning("changes were missed: %s", item.why)
        for client in [*self._clients]:
            client.end(WSCloseCode.TRY_AGAIN_LATER, "changes were missed: read again")

    def _tell(self, told: Told) -> None:
        near = (self._listening.get(each, ()) for each in (told.change.user_id, None))
        takers = [channel for some in near for channel in some]
        if takers and (what := changed.of(told)) is not None:
            for channel in takers:
                channel.hear(what)

    def _tell_end_again(self, told: Told) -> None:
        change = told.change
        if change.table_name != "scout_executions":
            return
        if (before := self._again.pop(change.row_id, None)) is not None:
            before.cancel()
        if change.kind == "UPDATE" and getattr(told.record, "completed_at", None) is not None:
            loop = asyncio.get_running_loop()
            self._again[change.row_id] = loop.call_later(AGAIN_SECONDS, self._once_more, told)

    def _once_more(self, told: Told) -> None:
        del self._again[told.change.row_id]
        self._tell(told)

    async def _check(self) -> None:
        """Close channels whose listener may not listen any more."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            channels = [each for some in self._listening.values() for each in some]
            by_token = {each.identity.token: each.identity for each in channels}
            try:
                ended = await self.identities.ended([*by_token.values()])
            except Unavailable:
                continue  # not known: ask again at the next look
            self._expel(channels, ended)

    def _expel(self, channels: Sequence[Channel], ended: Sequence[Identity]) -> None:
        over = {each.token for each in ended}
        for channel in channels:
            if channel.identity.token in over:
                channel.socket.expel(channel, "Token has expired or was signed out")
