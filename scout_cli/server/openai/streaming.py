"""Server-sent events of the gateway: alive while a slow model thinks, over when nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from aiohttp import web

from scout_cli.core import shape
from scout_cli.server.calls import RULES, STOPPING
from scout_cli.server.dispatch import REQUEST_ID
from scout_cli.server.middleware import dress_stream
from scout_cli.server.telling import in_stream

_LOOK = 1.0
"""Seconds between two looks at whether somebody still listens."""
_BEAT = 15.0
"""Seconds of silence after which a stream says that it is alive."""


class EventStream:
    """A response of events, each a JSON object.

    Args:
        request: what it answers.
    """

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._number = 0
        self.response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "X-Accel-Buffering": "no",
                "X-Request-Id": request[REQUEST_ID],
            }
        )

    async def open(self) -> None:
        """Send the head."""
        dress_stream(self._request, self.response, self._request.app[RULES].origins)
        await self.response.prepare(self._request)

    async def write(self, event: dict[str, Any]) -> None:
        """Write one event."""
        self._number += 1
        await self.response.write(b"data: " + shape.encode(event) + b"\n\n")

    async def beat(self) -> None:
        """Write a comment, which readers skip."""
        async with asyncio.timeout(_BEAT):
            await self.response.write(b": alive\n\n")

    async def trouble(self, message: str) -> None:
        """Write why the answer ends here."""
        told = {"code": "server_error", "message": message, "param": None}
        error = {"type": "server_error", **told}
        await self.write({"type": "error", "sequence_number": self._number, **told, "error": error})

    async def end(self) -> None:
        """Write that nothing follows."""
        await self.response.write(b"data: [DONE]\n\n")
        await self.response.write_eof()


async def listened(
    request: web.Request, stream: EventStream, work: Coroutine[Any, Any, None]
) -> None:
    """Answer, until that is done, or nobody listens, or the server stops."""
    task = asyncio.create_task(in_stream(work, stream.trouble, "an answer of the gateway failed"))
    stopping = asyncio.create_task(request.app[STOPPING].wait())
    try:
        with suppress(ConnectionError, TimeoutError):  # whoever asked has gone, or reads no more
            if await _until_done(request, stream, task, stopping):
                await stream.end()
    finally:
        for each in (task, stopping):
            each.cancel()
        await asyncio.gather(task, stopping, return_exceptions=True)


async def _until_done(
    request: web.Request,
    stream: EventStream,
    task: asyncio.Task[None],
    stopping: asyncio.Task[Any],
) -> bool:
    """Return whether there is somebody to whom the end can be told."""
    since = 0.0
    while True:
        await asyncio.wait({task, stopping}, timeout=_LOOK, return_when="FIRST_COMPLETED")
        if task.done():
            await task
            return True
        if request.transport is None or request.transport.is_closing():
            return False
        if stopping.done():
            await stream.trouble("the server is stopping; say it again in a moment")
            return True
        since += _LOOK
        if since >= _BEAT:
            since = 0.0
            await stream.beat()
