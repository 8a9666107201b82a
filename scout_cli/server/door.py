"""The door: how many connections come in, and how long one may take to say what it wants.

aiohttp closes no connection that never finishes its first header, so the protocol is watched here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage

from scout_cli.core.models import Record
from scout_cli.server.access import Network, is_loopback, within
from scout_cli.server.middleware import no_request

HEADER_SECONDS = 10.0
"""In which a new connection must have sent the whole header of its first request."""
KEEP_ALIVE_SECONDS = 30.0
"""For which a connection may wait between two requests, unfinished headers included."""
MAX_LINE = 8_190
"""Bytes of the first line of a request, and of one header."""
MAX_HEADERS = 100


class Limits(Record, frozen=True, kw_only=True):
    """How many may come in."""

    connections: int = 2_048
    per_address: int = 64
    """Connections from one address; this machine and trusted proxies aside."""
    header_seconds: float = HEADER_SECONDS
    trusted: tuple[Network, ...] = ()


class Door:
    """Makes the protocol of each connection, and counts them.

    Args:
        server: what answers requests.
        limits: how many may come in.
    """

    def __init__(self, server: web.Server, limits: Limits) -> None:
        self._server = server
        self.limits = limits
        self._here: Counter[str] = Counter()

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of one more connection."""
        return _Guest(
            self,
            self._server,
            loop=asyncio.get_running_loop(),
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            max_headers=MAX_HEADERS,
            lingering_time=0.0,
        )

    @property
    def connections(self) -> int:
        """Return how many are connected."""
        return self._here.total()

    def enter(self, address: str) -> Callable[[], None] | None:
        """Let a connection in; return what to call when it goes, None when there is no room."""
        free = is_loopback(address) or within(address, self.limits.trusted)
        crowded = not free and self._here[address] >= self.limits.per_address
        if crowded or self.connections >= self.limits.connections:
            return None
        self._here[address] += 1
        return lambda: self._leave(address)

    def _leave(self, address: str) -> None:
        self._here[address] -= 1
        if not self._here[address]:
            del self._here[address]


class _Guest(web.RequestHandler):
    """A connection that is shown out when it takes too long to say what it wants."""

    __slots__ = ("_door", "_gone", "_patience")

    def __init__(self, door: Door, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._door = door
        self._gone: Callable[[], None] | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, if there is room."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._gone = self._door.enter(peer[0] if isinstance(peer, tuple) else "")
        if self._gone is None:
            cast("asyncio.Transport", transport).abort()
            return
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(self._door.limits.header_seconds, self._show_out)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it."""
        if self._patience is not None:
            self._patience.cancel()
        if self._gone is not None:
            self._gone()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and tell whoever reads a body when they break it.

        aiohttp's parser in C keeps that to itself: its reader would wait for the rest in vain.
        """
        super().data_received(data)
        reading = self._current_request
        if reading is None or reading.content.is_eof() or not self._messages:
            return
        if not isinstance(self._messages[-1][0], RawRequestMessage):
            reading.content.set_exception(web.RequestPayloadError("no HTTP"))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, and nobody who has gone; aiohttp would log tracebacks of both.

        Raises:
            ConnectionError: whoever asked has gone; aiohttp ends the connection.
        """
        if isinstance(exc, HttpProcessingError):
            return no_request(request.remote or "", status)
        if isinstance(exc, ConnectionError) and self.transport is None:
            raise exc
        return super().handle_error(request, status, exc, message)

    def _show_out(self) -> None:
        # `_request_count` counts parsed headers; with one, aiohttp's own time limits hold.
        if not self._request_count and self.transport is not None:
            self.transport.abort()
