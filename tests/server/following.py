"""What a client of an event stream reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, ClientTimeout

from tests.server.serving import Server, Someone


@dataclass(frozen=True)
class Sent:
    """One server-sent event."""

    id: str
    event: str
    data: Any


class Listening:
    """Reads server-sent events as the standard says; comments are kept apart."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.comments: list[str] = []

    async def next(self, seconds: float = 15.0) -> Sent | None:
        """Return the next event, or None at the end."""
        found = {"id": "", "event": "message", "data": ""}
        async with asyncio.timeout(seconds):
            async for raw in self.response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith(":"):
                    self.comments.append(line)
                elif not line:
                    if found["data"]:
                        return Sent(found["id"], found["event"], json.loads(found["data"]))
                else:
                    name, _, value = line.partition(": ")
                    found[name] += value if name != "event" else ""
                    found[name] = value
        return None

    async def until(self, event: str, seconds: float = 30.0) -> list[Sent]:
        """Return everything up to and with the first event of this name."""
        found: list[Sent] = []
        async with asyncio.timeout(seconds):
            while not found or found[-1].event != event:
                sent = await self.next()
                assert sent is not None, f"no {event} after {[each.event for each in found]}"
                found.append(sent)
        return found

    async def rest(self) -> list[Sent]:
        """Return everything up to the end of the stream."""
        found = []
        while (sent := await self.next()) is not None:
            found.append(sent)
        return found


@asynccontextmanager
async def listening(
    server: Server, path: str, who: Someone | None = None, **headers: str
) -> AsyncIterator[Listening]:
    """Open a stream inside the block."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    if who is not None:
        told |= who.headers
    async with server.client.get(
        server.url + path, headers=told, timeout=ClientTimeout(total=None)
    ) as response:
        assert response.status == 200, await response.text()
        yield Listening(response)
