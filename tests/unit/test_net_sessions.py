"""Connections: how many are open, and which are used again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from scout_cli.net import http
from scout_cli.net.failure import FetchFailed
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from tests.pages import PageServer, head

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\nhonest"
FORGED = ANSWER.replace(b"honest", b"forged")


class Lasting:
    """A server that keeps its connections open, and remembers which of them was asked for what."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []
        self.answers: dict[str, bytes] = {}
        """What is sent instead of the usual answer."""
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0

    async def run(self) -> AsyncIterator[Lasting]:
        """Serve until the generator is closed."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        for writer in self.writers:
            writer.close()
        await server.wait_closed()

    def url(self, path: str, host: str = "news.test") -> str:
        """Return the address of `path`."""
        return f"http://{host}:{self.port}{path}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.writers)
        self.writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                path = request.split()[1].decode()
                self.asked.append((number, path))
                writer.write(self.answers.get(path, ANSWER))
                await writer.drain()


@pytest.fixture
async def server() -> AsyncIterator[Lasting]:
    """Return a server that keeps connections open."""
    async for running in Lasting().run():
        yield running


@pytest.fixture
async def sessions(server: Lasting) -> AsyncIterator[Sessions]:
    """Return sessions that may reach it under two names."""
    guard = Guard(
        {f"127.0.0.1:{server.port}"}, {"news.test": "127.0.0.1", "other.test": "127.0.0.1"}
    )
    async with Sessions(guard, "t", spacing=0) as opened:
        yield opened


async def turns() -> None:
    """Let the loop take what has arrived."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_connection_serves_its_own_host_again(server, sessions):
    """The second page of a host needs no new connection; another name at the address does."""
    for host, path in (("news.test", "/a"), ("news.test", "/b"), ("other.test", "/c")):
        assert (await http.get(sessions, server.url(path, host))).body == b"honest"
    assert server.asked == [(0, "/a"), (0, "/b"), (1, "/c")]


async def test_an_answer_nobody_asked_for_is_not_the_next_page(server, sessions):
    """What comes along with an answer, as after response splitting, ends the connection."""
    server.answers["/a"] = ANSWER + FORGED
    await http.get(sessions, server.url("/a"))
    assert (await http.get(sessions, server.url("/b"))).body == b"honest"
    assert server.asked == [(0, "/a"), (1, "/b")]


async def test_an_answer_that_comes_unasked_is_not_the_next_page(server, sessions):
    """What arrives on an idle connection ends it when it is wanted again."""
    await http.get(sessions, server.url("/a"))
    server.writers[0].write(FORGED)
    await turns()
    assert (await http.get(sessions, server.url("/b"))).body == b"honest"
    assert server.asked == [(0, "/a"), (1, "/b")]


async def test_a_connection_with_an_unread_body_is_not_used_again(server, sessions):
    """The rest of a body that nobody wanted would be in the way."""
    server.answers["/a"] = ANSWER.replace(b": 6", b": 9999")
    await http.get(sessions, server.url("/a"), wanted=lambda kind: kind != "text/html")
    await http.get(sessions, server.url("/b"))
    assert server.asked == [(0, "/a"), (1, "/b")]


async def test_a_connection_that_the_server_gave_up_is_replaced(server, sessions):
    """A server may close an idle connection at any time; the page arrives all the same."""
    await http.get(sessions, server.url("/a"))
    server.writers[0].close()
    assert (await http.get(sessions, server.url("/b"))).body == b"honest"
    assert server.asked == [(0, "/a"), (1, "/b")]


async def test_every_new_connection_is_checked(server, sessions):
    """An open connection to a host opens no other port of it."""
    await http.get(sessions, server.url("/a"))
    with pytest.raises(FetchFailed) as failed:
        await http.get(sessions, server.url("/b").replace(str(server.port), "8443"))
    assert failed.value.kind == "refused"


@pytest.mark.parametrize("connections", [1, 2])
async def test_no_more_connections_than_allowed(connections):
    """Hosts that may each be asked five times at once share the connections of the process."""
    leave = asyncio.Event()

    async def answer(visit, writer):
        await leave.wait()
        writer.write(head("200 OK", {"Content-Length": "0"}))

    async with (
        PageServer() as server,
        Sessions(server.guard(), "t", per_host=5, spacing=0, connections=connections) as sessions,
        asyncio.TaskGroup() as group,
    ):
        server.handle("/", answer)
        for host in ("news.test", "news.test", "other.test"):
            group.create_task(http.get(sessions, server.url("/", host)))
        await server.visited(connections)
        await turns()
        assert len(server.visits) == connections
        leave.set()
        await server.visited(3)
