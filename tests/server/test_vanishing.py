"""F26: clients of streams that vanish, stop reading, or read too slowly."""

from __future__ import annotations

import asyncio
import resource
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession
from msgspec import Raw

from scout_cli.app import App
from scout_cli.core import shape
from scout_cli.server import application
from scout_cli.server.running import Place, listening
from scout_cli.server.streaming import AUDIENCE, Audience, Pace
from scout_cli.store import events, executions, scouts
from tests.contract import rows
from tests.server.serving import Server, settings

PAGE = 2**16
HASTY = Pace(beat=0.4, check=0.2, write=1.5)


@asynccontextmanager
async def watched(url, pace=None):
    """Serve inside the block; yield the server and who listens to it."""
    async with App.open(settings(url)) as app:
        await app.database()
        web = application.create(app)
        web[AUDIENCE] = Audience(pace)
        async with (
            listening(web, Place(host="127.0.0.1", port=0)) as running,
            ClientSession() as client,
        ):
            yield Server(running.place.url, client, app), web[AUDIENCE]


async def planted(server, who):
    """Store a run that is under way."""
    db = await server.app.database()
    scout = rows.scout(who.id)
    await scouts.add(db, scout)
    run = rows.execution(scout)
    await executions.add(db, run)
    return run


def said(run, number, size=PAGE):
    """Return a large event."""
    return events.StoredEvent(
        execution_id=run.id,
        fence=1,
        number=number,
        user_id=run.user_id,
        kind="trouble",
        data=Raw(shape.encode({"filler": "x" * size})),
        at=rows.AT,
    )


def connect(server, path, who, buffer=4096):
    """Ask for a stream on a bare socket with a small buffer."""
    port = int(server.url.rpartition(":")[2])
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.connect(("127.0.0.1", port))
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {who.token}\r\n\r\n"
    sock.sendall(head.encode())
    return sock


async def many(audience, wanted, seconds):
    """Wait until so many listen."""
    async with asyncio.timeout(seconds):
        while audience.many != wanted:  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.05)


def resident():
    """Return the memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_a_client_that_vanishes_is_gone_within_seconds(tmp_path, how):
    """Closed politely or reset: nothing of its streams is left after fifteen seconds at most."""
    async with watched(f"sqlite:///{tmp_path}/scout.db") as (server, audience):
        ann = await server.sign_up()
        run = await planted(server, ann)
        paths = ["/api/v1/events", f"/api/v1/executions/{run.id}/events"]
        socks = [connect(server, path, ann) for path in paths for _ in range(10)]
        await many(audience, 20, 10)
        for sock in socks:
            if how == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
        await many(audience, 0, 15)


async def test_a_client_that_never_reads_is_cut_off(tmp_path):
    """What it leaves unread is bounded, and it is gone soon after the buffers are full."""
    async with watched(f"sqlite:///{tmp_path}/scout.db", HASTY) as (server, audience):
        ann = await server.sign_up()
        run = await planted(server, ann)
        db = await server.app.database()
        sock = connect(server, f"/api/v1/executions/{run.id}/events", ann)
        await many(audience, 1, 10)
        before = resident()
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(1, 401):
            if number % 20 == 1:
                chunk = [said(run, at) for at in range(number, number + 20)]
                await db.together(*events.statements(chunk))
        stored = loop.time()
        await many(audience, 0, 15)
        grown = resident() - before
        sock.close()
    assert stored - began < 15
    assert grown < 24 * 2**20, f"{grown} bytes more"


async def test_a_client_that_never_reads_everything_is_bounded(tmp_path):
    """Changes that nobody fetches are dropped: the queue of a stream does not grow."""
    async with watched(f"sqlite:///{tmp_path}/scout.db", HASTY) as (server, audience):
        ann = await server.sign_up()
        await planted(server, ann)
        db = await server.app.database()
        sock = connect(server, "/api/v1/events", ann)
        await many(audience, 1, 10)
        (told,) = audience._here
        sizes = []
        for _ in range(60):
            scout_rows = [rows.scout(ann.id, title="x" * 200) for _ in range(100)]
            async with db.transaction() as tx:
                for scout in scout_rows:
                    await scouts.add(tx, scout)
            sizes.append(len(told._waiting))
        await many(audience, 0, 15)
        sock.close()
    assert max(sizes) <= 256


async def test_a_slow_reader_gets_everything(tmp_path):
    """Slow is not gone: who reads a little now and then is waited for."""
    async with watched(f"sqlite:///{tmp_path}/scout.db", HASTY) as (server, audience):
        ann = await server.sign_up()
        run = await planted(server, ann)
        db = await server.app.database()
        await db.together(*events.statements([said(run, at) for at in range(1, 16)]))
        sock = connect(server, f"/api/v1/executions/{run.id}/events", ann)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        read = bytearray()
        async with asyncio.timeout(30):
            while read.count(b"id: 1-") < 15:
                read += await loop.sock_recv(sock, PAGE)
                await asyncio.sleep(0.01)
        assert audience.many == 1
        sock.close()
        await many(audience, 0, 15)


async def test_a_silent_stream_says_that_it_is_alive(tmp_path):
    """Comments keep proxies from closing a stream on which nothing happens."""
    async with watched(f"sqlite:///{tmp_path}/scout.db", HASTY) as (server, _):
        ann = await server.sign_up()
        run = await planted(server, ann)
        lines = {"Accept": "application/x-ndjson", **ann.headers}
        url = f"{server.url}/api/v1/executions/{run.id}/events"
        async with server.client.get(url, headers=ann.headers) as events_:
            assert await events_.content.readline() == b": beat\n"
        async with server.client.get(url, headers=lines) as events_:
            assert (await events_.content.readline()).startswith(b'{"id":null,"event":"beat"')
