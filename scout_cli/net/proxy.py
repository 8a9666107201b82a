"""The only way out for programs that dial by themselves: a proxy on loopback that asks the guard.

A browser looks up names, follows redirects and opens connections as it likes, and so does the HTTP
client that the search package brings, so the guard has to stand where their connections end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeAlias

from yarl import URL

from scout_cli.core.models import Record
from scout_cli.errors import Refused
from scout_cli.net import dialling, proxy_heads
from scout_cli.net.guard import Guard
from scout_cli.net.proxy_heads import Malformed, Request
from scout_cli.net.traffic import Spent, Traffic

Stream: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Count: TypeAlias = Callable[[int], None]

_PIECE = 64 * 1024
_UPLOAD = 1024 * 1024
"""Bytes that one request may send along."""

_CHROMIUMS_OWN = frozenset(
    "accounts.google.com clients1.google.com clients2.google.com clients4.google.com "
    "update.googleapis.com optimizationguide-pa.googleapis.com safebrowsing.googleapis.com "
    "mtalk.google.com content-autofill.googleapis.com edgedl.me.gvt1.com redirector.gvt1.com "
    "android.clients.google.com".split()
)
"""Where Chromium calls home: updates, phishing lists, suggestions. No page needs them, and none is
charged for them."""


class Patience(Record, frozen=True, kw_only=True):
    """Seconds for which the proxy waits."""

    request: float = 10.0
    """For the whole head of a request."""
    connect: float = 5.0
    """For a name look-up, and again for one connection."""
    idle: float = 30.0
    """For the next byte of an answer. What is held open longer than its page is cut with it."""


class FilteringProxy:
    """An HTTP proxy on 127.0.0.1 for one browser; use as `async with`.

    It serves while a page is open (`begin` to `end`) and refuses everything in between, so that
    what a browser does for itself reaches nobody. Plain HTTP gets one request per connection:
    a second one on the same connection would be sent where nobody checked it.

    Source: RFC 9112 (absolute-form, section 3.2.2), RFC 9110 (CONNECT, section 9.3.6).

    Args:
        guard: decides which addresses may be dialled.
        patience: how long it waits.
    """

    def __init__(self, guard: Guard, patience: Patience | None = None) -> None:
        self._guard = guard
        self._patience = patience or Patience()
        self._server: asyncio.Server | None = None
        self._traffic: Traffic | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Return the address to give to a browser."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def begin(self, traffic: Traffic) -> None:
        """Serve a page; what it asks for is counted in `traffic`."""
        self._traffic = traffic

    def end(self) -> None:
        """Cut what the page still holds open and serve nothing until the next one."""
        self._traffic = None
        for task in self._open:
            task.cancel()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, limit=proxy_heads.LONGEST
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.end()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the page is over, and nobody waits for this connection
        except (OSError, EOFError, TimeoutError, Spent):
            pass  # one of the two sides went away or fell silent, or the page has had enough
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._patience.request):
                request = proxy_heads.parse(await reader.readuntil(b"\r\n\r\n"))
        except (Malformed, asyncio.LimitOverrunError):
            await _answer(writer, "400 Bad Request")
            return
        traffic = self._traffic
        if traffic is None or request.host.rstrip(".") in _CHROMIUMS_OWN:
            await _answer(writer, "403 Forbidden")
            return
        traffic.count_request()
        far = await self._reach(request, writer, traffic)
        if far is None:
            return
        serve = self._tunnel if request.method == "CONNECT" else self._forward
        try:
            await serve(request, (reader, writer), far, traffic)
        finally:
            far[1].transport.abort()

    async def _reach(
        self, request: Request, writer: asyncio.StreamWriter, traffic: Traffic
    ) -> Stream | None:
        """Connect to where the request wants to; None after the browser was told why not."""
        try:
            return await self._dial(self._guard.check(request.url))
        except Refused as refused:
            traffic.refuse(request.host, refused.message)
            await _answer(writer, "403 Forbidden")
        except (OSError, TimeoutError):
            traffic.fail(request.host, f"{request.host} cannot be connected to")
            await _answer(writer, "502 Bad Gateway")
        return None

    async def _dial(self, target: URL) -> Stream:
        host, port = target.raw_host or "", target.port or 0
        opened = await dialling.dial(self._guard, host, port, patience=self._patience.connect)
        return await asyncio.open_connection(sock=opened, limit=proxy_heads.LONGEST)

    async def _tunnel(self, _: Request, near: Stream, far: Stream, traffic: Traffic) -> None:
        near[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await self._first_of(
            self._pump(near[0], far[1], traffic.count_sent),
            self._pump(far[0], near[1], traffic.count_received),
        )

    async def _forward(self, request: Request, near: Stream, far: Stream, traffic: Traffic) -> None:
        far[1].write(proxy_heads.request_head(request))
        if request.length:
            if request.length > _UPLOAD:
                traffic.refuse(request.host, f"{request.host}: the page sends too much")
                return
            far[1].write(await near[0].readexactly(request.length))
        await far[1].drain()
        await self._first_of(self._reply(near, far, traffic), _until_spoken(near[0]))

    async def _reply(self, near: Stream, far: Stream, traffic: Traffic) -> None:
        head = b""
        while not proxy_heads.is_final(head):
            async with asyncio.timeout(self._patience.idle):
                head = await far[0].readuntil(b"\r\n\r\n")
            traffic.count_received(len(head))
        near[1].write(proxy_heads.reply_head(head))
        await self._pump(far[0], near[1], traffic.count_received)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, count: Count
    ) -> None:
        while True:
            async with asyncio.timeout(self._patience.idle):
                piece = await source.read(_PIECE)
            if not piece:
                break
            count(len(piece))
            sink.write(piece)
            await sink.drain()
        with suppress(OSError):
            sink.write_eof()
            await sink.drain()

    async def _first_of(self, *ways: Coroutine[Any, Any, None]) -> None:
        """Run both directions until the first of them is over, and end the other.

        A reader that half-closes waits for the rest; browsers and web servers do not half-close.
        """
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()


async def _until_spoken(reader: asyncio.StreamReader) -> None:
    """Wait until the browser hangs up, or breaks the rule of one request a connection."""
    await reader.read(1)


async def _answer(writer: asyncio.StreamWriter, status: str) -> None:
    """Say no without a body, so that the browser shows an error and not a page of ours."""
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    writer.write_eof()
