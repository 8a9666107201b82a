"""A client of the realtime socket that hides nothing: it sends frames, and reads them one by one.

async with page(server, ann.token) as open_page:
    reply = await open_page.join("steps", {"event": "*", "schema": "public", "table": "scouts"})
    heard = await open_page.change()
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType

from scout_cli.service.accounts.api_keys import KeyRole, api_key
from tests.server.serving import JWT_SECRET, Server

PATH = "/realtime/v1/websocket"
VERSIONS = ("1.0.0", "2.0.0")
STEPS = {"event": "*", "schema": "public", "table": "scout_execution_steps"}
EXECUTIONS = {"event": "*", "schema": "public", "table": "scout_executions"}
SCOUTS = {"event": "*", "schema": "public", "table": "scouts"}


def key(role: KeyRole = "anon") -> str:
    """Return a key of the server under test."""
    return api_key(role, JWT_SECRET)


def filtered(binding: dict[str, str], text: str) -> dict[str, str]:
    """Return a binding with a filter."""
    return {**binding, "filter": text}


@dataclass(frozen=True)
class Heard:
    """One frame of the server."""

    topic: str
    event: str
    payload: Any
    ref: Any
    join_ref: Any = None

    @property
    def status(self) -> str:
        """Return how a reply or a system message ends."""
        return str(self.payload["status"])

    @property
    def data(self) -> Any:
        """Return what a change says."""
        return self.payload["data"]


@dataclass
class Page:
    """One socket."""

    socket: ClientWebSocketResponse
    version: str
    token: str | None
    refs: Any = field(default_factory=lambda: itertools.count(1))
    before: list[Heard] = field(default_factory=list)
    """Frames that were read while something else was awaited."""

    async def send(
        self, topic: str, event: str, payload: Any, *, join_ref: str | None = None
    ) -> str:
        """Send a frame, and return its ref."""
        ref = str(next(self.refs))
        join_ref = ref if event == "phx_join" else join_ref
        frame: Any = [join_ref, ref, topic, event, payload]
        if self.version == "1.0.0":
            names = ("join_ref", "ref", "topic", "event", "payload")
            frame = dict(zip(names, frame, strict=True))
        await self.socket.send_str(json.dumps(frame))
        return ref

    async def hear(self, seconds: float = 10.0) -> Heard:
        """Return the next frame."""
        if self.before:
            return self.before.pop(0)
        return await self._read(seconds)

    async def _read(self, seconds: float) -> Heard:
        message = await self.socket.receive(timeout=seconds)
        assert message.type is WSMsgType.TEXT, (message, self.socket.close_code)
        said = json.loads(message.data)
        if self.version == "2.0.0":
            join_ref, ref, topic, event, payload = said
            return Heard(topic, event, payload, ref, join_ref)
        return Heard(**said)

    async def until(self, event: str, ref: str | None = None, seconds: float = 10.0) -> Heard:
        """Return the next frame of this kind; those before it are kept."""
        passed = []
        async with asyncio.timeout(seconds):
            while True:
                heard = await self.hear(seconds)
                if heard.event == event and ref in (None, heard.ref):
                    break
                passed.append(heard)
        self.before = passed + self.before
        return heard

    async def change(self, seconds: float = 10.0) -> Heard:
        """Return the next change."""
        return await self.until("postgres_changes", seconds=seconds)

    async def ask(self, name: str, event: str, payload: Any, **more: Any) -> Heard:
        """Send a frame and return what is replied to it."""
        return await self.until(
            "phx_reply", await self.send(f"realtime:{name}", event, payload, **more)
        )

    async def join(self, name: str, *bindings: dict[str, str], **more: Any) -> Heard:
        """Join a channel, and return the reply; `token` and `private` say otherwise."""
        token = more.pop("token", self.token)
        config = {
            "broadcast": {"ack": False, "self": False},
            "presence": {"key": "", "enabled": False},
            "postgres_changes": list(bindings),
            "private": more.pop("private", False),
        }
        payload = {"config": config, **({} if token is None else {"access_token": token})}
        return await self.ask(name, "phx_join", payload)

    async def joined(self, name: str, *bindings: dict[str, str], **more: Any) -> str:
        """Join a channel that is let in, and return its join_ref."""
        reply = await self.join(name, *bindings, **more)
        assert reply.status == "ok", reply
        if bindings:
            assert (await self.until("system")).status == "ok"
        return str(reply.ref)

    async def leave(self, name: str, join_ref: str) -> Heard:
        """Leave a channel, and return the reply."""
        return await self.ask(name, "phx_leave", {}, join_ref=join_ref)

    async def quiet(self) -> list[Heard]:
        """Return what came before the answer to a heartbeat that is sent now."""
        ref = await self.send("phoenix", "heartbeat", {})
        await self.until("phx_reply", ref)
        found, self.before = self.before, []
        return found

    async def closed(self, seconds: float = 10.0) -> int | None:
        """Return the code that the server closes with; what it says before is passed over."""
        async with asyncio.timeout(seconds):
            while (await self.socket.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
                pass
        return self.socket.close_code


def address(server: Server, version: str = "1.0.0", apikey: str | None = None) -> str:
    """Return the address of the socket."""
    return f"{server.url}{PATH}?apikey={key() if apikey is None else apikey}&vsn={version}"


@asynccontextmanager
async def page(
    server: Server, token: str | None = None, version: str = "1.0.0", apikey: str | None = None
) -> AsyncIterator[Page]:
    """Open a socket inside the block."""
    async with server.client.ws_connect(address(server, version, apikey)) as socket:
        yield Page(socket, version, token)
