"""What waits to be sent to one client: bounded, and never what is not theirs any more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from aiohttp import WSMsgType, web

MESSAGES = 256
BYTES = 1024 * 1024
_ROOM = 64
"""Messages that may wait while more is read from the client."""


class _Waiting(NamedTuple):
    data: bytes
    topic: str
    owner: UUID | None


class Outgoing:
    """The queue of one socket.

    Args:
        response: the socket.
        full: called when a client does not read, once.
    """

    def __init__(self, response: web.WebSocketResponse, full: Callable[[], None]) -> None:
        self._response = response
        self._full = full
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    def put(self, data: bytes, topic: str = "", owner: UUID | None = None) -> None:
        """Add a message.

        Args:
            data: the frame.
            topic: of the channel that is told of a row; empty for anything else.
            owner: whose row it is.
        """
        if self._closed:
            return
        if len(self._waiting) >= MESSAGES or self._bytes + len(data) > BYTES:
            self.close()
            self._full()
            return
        self._waiting.append(_Waiting(data, topic, owner))
        self._bytes += len(data)
        self._some.set()
        if len(self._waiting) >= _ROOM:
            self._room.clear()

    def drop(self, topic: str, unless: UUID | None = None) -> None:
        """Drop what a channel would be told of rows, but for those of one owner."""
        if not self._waiting:
            return
        stays = [each for each in self._waiting if each.topic != topic or each.owner == unless]
        if len(stays) < len(self._waiting):
            self._waiting = deque(stays)
            self._bytes = sum(len(each.data) for each in stays)

    async def room(self) -> None:
        """Wait until the client has read most of what waits, or nothing is taken any more."""
        if not self._room.is_set():
            await self._room.wait()

    def close(self) -> None:
        """Drop everything, and take nothing more."""
        self._closed = True
        self._waiting.clear()
        self._bytes = 0
        self._room.set()

    async def send(self) -> None:
        """Send what comes, until cancelled.

        Raises:
            ConnectionError: the client has gone.
        """
        while True:
            await self._some.wait()
            self._some.clear()
            await self.flush()

    async def flush(self) -> None:
        """Send what waits; see `send`."""
        while self._waiting:
            first = self._waiting.popleft()
            self._bytes -= len(first.data)
            await self._response.send_frame(first.data, WSMsgType.TEXT)
            if len(self._waiting) < _ROOM:
                self._room.set()
