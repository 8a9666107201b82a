"""The HTTP sessions of one process: one for the open web, one for what the operator configured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import (
    ClientRequest,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from scout_cli.net.guard import Guard
from scout_cli.net.pace import Pace

Permit = Callable[[URL], Awaitable[None]]
"""Raises `FetchFailed` for a page that is not to be read."""
_IDLE = 5.0
"""Seconds for which a connection is kept for the next request to the same host."""


class _Connector(TCPConnector):
    """Uses a connection again only for the host that it was dialled for, and only if it is quiet.

    What a server sent without being asked would pass for the answer to the next request.
    """

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature; a set of bounds, not a time
    ) -> Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


class Sessions:
    """Opens sessions when they are first needed and closes them together.

    Args:
        guard: decides which addresses `guarded()` may dial.
        user_agent: how scout introduces itself, honestly.
        per_host: requests to one host at the same time, for `http.get`.
        spacing: seconds between the starts of two requests to one host, for `http.get`.
        connections: open at the same time in each session.
    """

    def __init__(
        self,
        guard: Guard,
        user_agent: str,
        *,
        per_host: int = 2,
        spacing: float = 0.1,
        connections: int = 32,
    ) -> None:
        self.guard = guard
        self.pace = Pace(per_host=per_host, spacing=spacing)
        self.permit: Permit | None = None
        """Asks whether a host lets programs read a page; see `robots.Robots`."""
        self.user_agent = user_agent
        """How scout introduces itself."""
        self._connections = connections
        self._guarded: ClientSession | None = None
        self._trusted: ClientSession | None = None

    def guarded(self) -> ClientSession:
        """Return the session for anything whose URL came from the web.

        It does not decompress: `http.get` does so within bounds.
        """
        if self._guarded is None:
            connector = _Connector(
                resolver=self.guard.resolver(),
                socket_factory=self.guard.open_socket,
                use_dns_cache=False,
                keepalive_timeout=_IDLE,
                limit=self._connections,
            )
            self._guarded = self._open(connector, decompress=False)
        return self._guarded

    def trusted(self) -> ClientSession:
        """Return the session for endpoints that the operator configured: no address rule."""
        if self._trusted is None:
            self._trusted = self._open(TCPConnector(limit=self._connections), decompress=True)
        return self._trusted

    async def close(self) -> None:
        """Close what was opened; the sessions open again when they are asked for."""
        opened = [one for one in (self._guarded, self._trusted) if one is not None]
        self._guarded = self._trusted = None
        for session in opened:
            await session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _open(self, connector: TCPConnector, *, decompress: bool) -> ClientSession:
        return ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": self.user_agent},
            timeout=ClientTimeout(total=300, sock_connect=10),
            trust_env=False,
            auto_decompress=decompress,
        )
