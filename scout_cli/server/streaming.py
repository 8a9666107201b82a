"""Answers that last: server-sent events or JSON Lines, for as long as somebody listens.

A client that vanishes or stops reading costs nothing for long: every write has a bound, and a
connection that is gone is seen at the next look.

Source: HTML Living Standard, 9.2 "Server-sent events"; JSON Lines, https://jsonlines.org
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.errors import DatabaseUnavailable, Unauthorized
from scout_cli.server.access import caller_of
from scout_cli.server.calls import RULES, STOPPING, Call
from scout_cli.server.middleware import dress_stream
from scout_cli.service.subscription import Item, Subscription

_AGAIN_SECONDS = 1.0
"""Until the next try while the database is away."""
_LINES = "application/x-ndjson"
_TCP = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 12_000}
"""A machine that went away without a word is noticed by the kernel; where it has these options."""

Work = Callable[[list[Item]], Awaitable[bool]]
"""Sends what is new; returns whether that was the last of it."""


class Pace(Record, frozen=True, kw_only=True):
    """The times of a stream, in seconds."""

    beat: float = 15.0
    """Of silence, after which it says that it is alive."""
    check: float = 5.0
    """Between two looks at whether the caller may still listen, and is still there."""
    write: float = 10.0
    """For which a client may leave its buffers full."""


class Audience:
    """Who listens to one server, so that all can be told when it stops.

    Args:
        pace: the times of their streams.
    """

    def __init__(self, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self._here: set[Subscription] = set()
        self._waiting: asyncio.Task[None] | None = None

    @property
    def many(self) -> int:
        """Return how many listen."""
        return len(self._here)

    def join(self, subscription: Subscription, stopping: asyncio.Event) -> None:
        """Wake `subscription` when the server stops."""
        self._here.add(subscription)
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._tell(stopping), name="scout-audience")

    def leave(self, subscription: Subscription) -> None:
        """Wake it no more."""
        self._here.discard(subscription)
        if not self._here and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def _tell(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        for each in self._here:
            each.wake()


AUDIENCE: web.AppKey[Audience] = web.AppKey("AUDIENCE", Audience)


class Stream:
    """One response that lasts.

    Args:
        request: what it answers; `Accept: application/x-ndjson` asks for JSON Lines.
        response: begun.
    """

    __slots__ = ("_lines", "_patience", "_request", "response")

    def __init__(self, request: web.Request, response: web.StreamResponse) -> None:
        self._request = request
        self.response = response
        self._lines = response.content_type == _LINES
        self._patience = request.app[AUDIENCE].pace.write

    @property
    def gone(self) -> bool:
        """Return whether nobody is connected any more."""
        transport = self._request.transport
        return transport is None or transport.is_closing()

    @property
    def bodiless(self) -> bool:
        """Return whether the headers are all that is asked for."""
        return self._request.method == "HEAD"

    async def send(self, event: str, data: bytes, id_: str = "") -> None:
        """Send one event.

        Args:
            event: its name.
            data: JSON.
            id_: from where a client goes on that was cut off; empty for none.

        Raises:
            ConnectionError: the client has gone.
            TimeoutError: it does not read.
        """
        if self._lines:
            name = shape.encode(id_ or None)
            await self._write(
                b'{"id":%b,"event":%b,"data":%b}\n' % (name, shape.encode(event), data)
            )
            return
        place = f"id: {id_}\n".encode() if id_ else b""
        # JSON has line breaks between its tokens at most.
        flat = data.replace(b"\r", b" ").replace(b"\n", b" ")
        await self._write(b"%bevent: %b\ndata: %b\n\n" % (place, event.encode(), flat))

    async def beat(self) -> None:
        """Say that the stream is alive; see `send`."""
        await self._write(
            b'{"id":null,"event":"beat","data":{}}\n' if self._lines else b": beat\n\n"
        )

    async def _write(self, data: bytes) -> None:
        if self.bodiless:
            return
        async with asyncio.timeout(self._patience):
            await self.response.write(data)

    def abort(self) -> None:
        """Cut a client off; what it has not read is dropped."""
        if self._request.transport is not None:
            self._request.transport.abort()


async def begun(call: Call[Any, Any]) -> Stream:
    """Begin to answer, as server-sent events or as JSON Lines."""
    request = call.request
    lines = _LINES in request.headers.get("Accept", "")
    response = web.StreamResponse(
        headers={
            "Content-Type": _LINES if lines else "text/event-stream",
            "X-Accel-Buffering": "no",
            "X-Request-Id": call.request_id,
        }
    )
    dress_stream(request, response, request.app[RULES].origins)
    response.force_close()  # a server that stops would wait for the next request on it
    _notice_silence(request)
    await response.prepare(request)
    return Stream(request, response)


async def follow(call: Call[Any, Any], stream: Stream, told: Subscription, work: Work) -> None:
    """Let `work` send what is new until that is over, nobody listens, or the server stops.

    Args:
        call: who listens; asked again every few seconds whether they still may.
        stream: where it goes.
        told: wakes when there may be something new.
        work: called with what `told` has, the first time with nothing; maybe again with the same.
    """
    if stream.bodiless:
        await stream.response.write_eof()
        return
    audience = call.request.app[AUDIENCE]
    audience.join(told, call.request.app[STOPPING])
    try:
        await _Following(call, stream, told, work).go()
        await stream.response.write_eof()
    except ConnectionError:
        pass  # whoever listened has gone
    except TimeoutError:
        stream.abort()
    finally:
        audience.leave(told)


class _Following:
    """One stream on its way."""

    __slots__ = (
        "_beat_at",
        "_call",
        "_check_at",
        "_loop",
        "_pace",
        "_stopping",
        "_stream",
        "_told",
        "_work",
    )

    def __init__(
        self, call: Call[Any, Any], stream: Stream, told: Subscription, work: Work
    ) -> None:
        self._call = call
        self._stream = stream
        self._told = told
        self._work = work
        self._stopping = call.request.app[STOPPING]
        self._loop = asyncio.get_running_loop()
        self._pace = call.request.app[AUDIENCE].pace
        self._check_at = self._loop.time() + self._pace.check
        self._beat_at = self._loop.time() + self._pace.beat

    async def go(self) -> None:
        """Work until it is over, nobody listens, nobody may, or the server stops."""
        if await self._do([]):
            return
        while not self._stream.gone:
            if self._ending:
                await self._stream.send("stopping", b"{}")
                return
            await self._told.wait(min(self._check_at, self._beat_at) - self._loop.time())
            if await self._do(self._told.fetch()) or not await self._look_after():
                return

    @property
    def _ending(self) -> bool:
        return self._stopping.is_set() or self._told.over

    async def _do(self, items: list[Item]) -> bool:
        """Send what is new; while the database is away, try again until it is back."""
        while not (self._stream.gone or self._ending):
            try:
                return await self._work(items)
            except DatabaseUnavailable:
                await asyncio.sleep(_AGAIN_SECONDS)
        return False

    async def _look_after(self) -> bool:
        """Ask from time to time whether they still may listen, and say that the stream is alive."""
        now = self._loop.time()
        if now >= self._check_at:
            self._check_at = now + self._pace.check
            if not await _may_listen(self._call):
                await self._stream.send("unauthorized", b"{}")
                return False
        if now >= self._beat_at:
            self._beat_at = now + self._pace.beat
            await self._stream.beat()
        return True


async def _may_listen(call: Call[Any, Any]) -> bool:
    """Return whether the caller's session or token still counts."""
    try:
        caller = await caller_of(call.request, call.app)
    except Unauthorized:
        return False
    except DatabaseUnavailable:
        return True  # not known: ask again at the next look
    return caller is not None and caller.user_id == call.user


def _notice_silence(request: web.Request) -> None:
    found = request.transport.get_extra_info("socket") if request.transport else None
    if found is None or found.family not in (socket.AF_INET, socket.AF_INET6):
        return
    for name, value in _TCP.items():
        if hasattr(socket, name):
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
