"""Stands between any client and a server, and notes what they say to each other.

    async with Recorder("http://127.0.0.1:54322", port=54321) as recorder:
        recorder.scene("sign up")
        ...                       # browsers and programs talk with port 54321
    recorder.said                 # a list of `Said`, in the order in which it began

It passes on everything as it comes, streams and WebSockets too. As a program
(`python -m tests.clients.recorder http://127.0.0.1:54322 --port 54321 > said.jsonl`) it writes one
JSON line for each thing said, and takes the lines of its input as the names of scenes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, WSMsgType, web
from yarl import URL

_HOP = ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
_OURS = (*_HOP, "accept-encoding", "content-length")
"""Not passed on: bodies are noted as they are read, so nothing may compress them on the way."""


@dataclass
class Said:
    """A request with its answer, the opening of a socket, or one frame."""

    scene: str
    kind: Literal["request", "socket", "sent", "received"]
    method: str = ""
    path: str = ""
    """As it stood on the wire, with its query."""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    """Of the request, or the frame."""
    status: int = 0
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: str = ""
    socket: int = 0
    """Which one, counted from 1."""


class Recorder:
    """A proxy that remembers.

    Args:
        target: the server's root.
        port: to listen on, on loopback; 0 takes a free one.
    """

    def __init__(self, target: str, *, port: int = 0) -> None:
        self.said: list[Said] = []
        self._target = URL(target)
        self._port = port
        self._scene = ""
        self._sockets = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._client = ClientSession(
            timeout=ClientTimeout(total=None), auto_decompress=False, cookie_jar=None
        )
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._client.close()

    @property
    def url(self) -> str:
        """Return the root under which clients reach the server."""
        return f"http://127.0.0.1:{self._port}"

    def scene(self, name: str) -> None:
        """Name what is said from now on."""
        self._scene = name

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        upgrade = request.headers.get("Upgrade", "").lower()
        try:
            return await (self._socket if upgrade == "websocket" else self._request)(request)
        except ClientError as error:
            # The server is away, perhaps because it is being started again.
            return web.Response(status=502, text=str(error))

    async def _request(self, request: web.Request) -> web.StreamResponse:
        said = self._note(request, kind="request")
        body = await request.read()
        said.body = body.decode(errors="replace")
        async with self._client.request(
            request.method,
            self._at(request),
            headers=_kept(request.headers),
            data=body,
            allow_redirects=False,
        ) as answer:
            said.status, said.answer_headers = answer.status, _lower(answer.headers)
            response = web.StreamResponse(status=answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                said.answer += piece.decode(errors="replace")
                await response.write(piece)
        return response

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self._sockets += 1
        number = self._sockets
        self._note(request, kind="socket", socket=number)
        headers = {"Origin": request.headers.get("Origin", "")}
        async with self._client.ws_connect(self._at(request), headers=headers) as there:
            here = web.WebSocketResponse()
            await here.prepare(request)
            back = asyncio.create_task(self._relay(there, here, "received", number))
            try:
                await self._relay(here, there, "sent", number)
            finally:
                back.cancel()
        return here

    async def _relay(self, one: Any, other: Any, kind: Any, number: int) -> None:
        async for message in one:
            if message.type is not WSMsgType.TEXT:
                break
            self.said.append(Said(self._scene, kind, socket=number, body=message.data))
            await other.send_str(message.data)
        await other.close()

    def _note(self, request: web.Request, **more: Any) -> Said:
        headers = _lower(request.headers)
        path, method = request.raw_path, request.method
        said = Said(self._scene, method=method, path=path, headers=headers, **more)
        self.said.append(said)
        return said

    def _at(self, request: web.Request) -> URL:
        return URL(f"{self._target.origin()}{request.raw_path}", encoded=True)


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _kept(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OURS}


async def main() -> None:
    """Record until the input ends."""
    parser = argparse.ArgumentParser(description="Notes what a client and a server say.")
    parser.add_argument("target")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    async with Recorder(given.target, port=given.port) as recorder:
        sys.stderr.write(f"ready {recorder.url}\n")
        while name := await asyncio.to_thread(sys.stdin.readline):
            recorder.scene(name.strip())
    for said in recorder.said:
        sys.stdout.write(json.dumps(asdict(said)) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
