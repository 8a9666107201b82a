"""One client: its frames are taken strictly in their order, and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from aiohttp import WSCloseCode, WSMsgType, web

from scout_cli.errors import InvalidInput, ScoutError, Unauthorized, Unavailable
from scout_cli.server.dispatch import WHO
from scout_cli.server.realtime import frames
from scout_cli.server.realtime.bindings import Binding
from scout_cli.server.realtime.channels import Channel, asked_of
from scout_cli.server.realtime.frames import Frame, Ref, Version
from scout_cli.server.realtime.hub import Hub
from scout_cli.server.realtime.identities import ANON, Identity
from scout_cli.server.realtime.outgoing import Outgoing
from scout_cli.server.realtime.pace import Pace
from scout_cli.server.realtime.speaking import Voice

_PHOENIX = "phoenix"
_CLOSING_SECONDS = 3.0
"""For which a client may take what it is still sent when it is closed."""
_FRAMES = 5
"""Frames in a second for each join that is allowed in one; with more a client is cut off."""


class TooManySockets(InvalidInput):
    """A user has as many sockets as one may have."""


class Socket:
    """A client.

    Args:
        hub: tells of changes.
        request: the upgrade.
        response: prepared.
        version: how it spells frames.
        key: who it is without a token.
    """

    def __init__(
        self,
        hub: Hub,
        request: web.Request,
        response: web.WebSocketResponse,
        version: Version,
        key: Identity,
    ) -> None:
        self._hub = hub
        self._request = request
        self._response = response
        self._version = version
        self._key = key
        self._channels: dict[str, Channel] = {}
        self._outgoing = Outgoing(response, self._cut_off)
        self._voice = Voice(version, self._outgoing)
        limit = hub.limits.joins
        self._joins = Pace(limit, limit)
        self._frames = Pace(limit * _FRAMES, limit * _FRAMES * 2)
        self._closing: asyncio.Task[None] | None = None
        self._events: dict[str, Callable[[Frame], Awaitable[None]]] = {
            "phx_join": self._join,
            "phx_leave": self._leave,
            "access_token": self._switch,
            "heartbeat": self._beat,
        }

    async def serve(self) -> None:
        """Talk to the client until either side ends it."""
        sending = asyncio.create_task(self._outgoing.send(), name="scout-socket")
        sending.add_done_callback(lambda _: self._outgoing.close())
        try:
            await self._read()
        finally:
            for channel in [*self._channels.values()]:
                self._drop(channel)
            self._hub.leave(self)
            sending.cancel()
            await asyncio.wait({sending, *([self._closing] if self._closing else [])})
            with suppress(asyncio.CancelledError, ConnectionError):
                sending.result()

    def tell(self, topic: str, payload: bytes, owner: UUID) -> None:
        """Send a change of a row."""
        self._voice.change(topic, payload, owner)

    def expel(self, channel: Channel, why: str) -> None:
        """Close one channel."""
        if self._channels.get(channel.topic) is not channel:
            return
        self._drop(channel)
        self._outgoing.drop(channel.topic)
        self._voice.system(channel, why, "error")
        self._voice.closed(channel)

    def end(self, code: int, why: str) -> None:
        """Close the socket, once."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code, why), name="scout-closing")

    def _cut_off(self) -> None:
        self.end(WSCloseCode.TRY_AGAIN_LATER, "too much was not read")

    async def _close(self, code: int, why: str) -> None:
        """Send what waits and say goodbye, as far as the client takes it."""
        transport = self._request.transport
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._outgoing.flush()
                self._outgoing.close()
                await self._response.close(code=code, message=why.encode()[:120])
        if transport is not None:
            # What the system still holds for a client that does not read is dropped then.
            asyncio.get_running_loop().call_later(_CLOSING_SECONDS, transport.abort)

    async def _read(self) -> None:
        while True:
            await self._outgoing.room()
            try:
                message = await self._response.receive(timeout=self._hub.limits.silence)
            except TimeoutError:
                self.end(WSCloseCode.POLICY_VIOLATION, "no sign of life")
                return
            if message.type is WSMsgType.BINARY:
                self.end(WSCloseCode.INVALID_TEXT, "frames are text")
                return
            if message.type is not WSMsgType.TEXT:
                return
            if not await self._took(str(message.data)):
                return

    async def _took(self, text: str) -> bool:
        """Act on one frame; return whether there may be another."""
        if not self._frames.allows():
            self.end(WSCloseCode.POLICY_VIOLATION, "too many frames")
            return False
        try:
            frame = frames.read(text, self._version)
        except InvalidInput as error:
            self.end(WSCloseCode.INVALID_TEXT, error.message)
            return False
        await self._events.get(frame.event, self._refuse)(frame)
        return self._closing is None

    async def _beat(self, frame: Frame) -> None:
        if frame.topic == _PHOENIX:
            self._voice.reply(frame, {})
        else:
            await self._refuse(frame)

    async def _refuse(self, frame: Frame) -> None:
        known = frame.topic in self._channels
        self._voice.fail(frame, "this event is not offered" if known else "unmatched topic")

    async def _join(self, frame: Frame) -> None:
        before = self._channels.get(frame.topic)
        if before is not None:
            self._drop(before)
            self._voice.closed(before)
        try:
            channel = await self._joined(frame)
        except Unauthorized as error:
            self._voice.fail(frame, f"InvalidJWTToken: {error.message}")
        except TooManySockets as error:
            self._voice.fail(frame, error.message)
            self.end(WSCloseCode.POLICY_VIOLATION, error.message)
        except (InvalidInput, Unavailable) as error:
            self._voice.fail(frame, error.message)
        else:
            self._voice.reply(
                frame, {"postgres_changes": [each.given for each in channel.bindings]}
            )
            if channel.bindings:
                self._voice.system(channel, "Subscribed to PostgreSQL", "ok")

    async def _joined(self, frame: Frame) -> Channel:
        """Return the channel that a join makes.

        Raises:
            ScoutError: it cannot be joined.
        """
        if not self._joins.allows():
            raise InvalidInput("too many joins: wait a second")
        if len(self._channels) >= self._hub.limits.channels:
            raise InvalidInput(f"more than {self._hub.limits.channels} channels on one socket")
        join, bindings = asked_of(frame)
        identity = await self._identity(join.access_token)
        ref = frame.ref if frame.join_ref is None else frame.join_ref
        return self._opened(frame.topic, ref, bindings, identity)

    def _opened(
        self, topic: str, ref: Ref, bindings: tuple[Binding, ...], identity: Identity
    ) -> Channel:
        channel = Channel(self, topic, ref, bindings, identity)
        self._channels[topic] = channel
        self._take_up(channel)
        return channel

    def _take_up(self, channel: Channel) -> None:
        """Let a channel hear, and nothing wait for it that is another's."""
        viewer = channel.identity.viewer
        if viewer.role != "service":
            self._outgoing.drop(channel.topic, unless=viewer.user_id)
        self._hub.add(channel)

    async def _identity(self, token: str | None) -> Identity:
        """Return who a client says it is.

        Raises:
            Unauthorized: the token is not good.
            Unavailable: the database does not answer.
            TooManySockets: the user has no room for another one.
        """
        if token is None:
            return self._key
        identity = await self._hub.identities.of(token)
        viewer = identity.viewer
        if not self._hub.admits(self, viewer.user_id):
            raise TooManySockets("this user has too many sockets")
        self._request[WHO] = str(viewer.user_id or viewer.role)
        return identity

    async def _switch(self, frame: Frame) -> None:
        """Let a channel go on with another token."""
        channel = self._channels.get(frame.topic)
        if channel is None or frame.join_ref not in (None, channel.join_ref):
            return
        token = (frame.payload or {}).get("access_token")
        if token == channel.identity.token:
            return
        try:
            found = await self._identity(token) if isinstance(token, str) else ANON
        except Unavailable:
            return  # the old one still counts
        except ScoutError as error:
            self.expel(channel, error.message)
            return
        self._hub.remove(channel)
        channel.identity = found
        self._take_up(channel)

    async def _leave(self, frame: Frame) -> None:
        channel = self._channels.get(frame.topic)
        self._voice.reply(frame, {})
        # A leave that comes late is of a channel that another join has replaced.
        if channel is not None and frame.join_ref in (None, channel.join_ref):
            self._drop(channel)
            self._voice.closed(channel)

    def _drop(self, channel: Channel) -> None:
        del self._channels[channel.topic]
        self._hub.remove(channel)
