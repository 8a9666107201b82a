"""Requests byte by byte, as no client library would send them."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from tests.server.serving import Server


async def exchange(server: Server, sent: bytes, *, seconds: float = 5.0) -> bytes:
    """Send bytes on a connection of their own; return what comes back until it closes.

    Args:
        server: where to.
        sent: one request that asks for the connection to be closed, or that closes it.
        seconds: the bound.
    """
    where = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(sent)
        await writer.drain()
        async with asyncio.timeout(seconds):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


def status_of(answer: bytes) -> int:
    """Return the status of an answer; 0 for a connection that was closed without one."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0
