"""How much of the realtime socket one client may have, and what many of them cost."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack, ExitStack
from urllib.parse import urlsplit

import pytest

from scout_cli.core.models import ScoutPatch
from scout_cli.server.realtime.hub import Limits
from scout_cli.store import scouts
from tests.server.frames_by_hand import close_code, frame, limited, raw, read_frame
from tests.server.phoenix import EXECUTIONS, PATH, SCOUTS, STEPS, key, page
from tests.server.test_realtime import planted, run_of
from tests.server.test_vanishing import resident

PAGE_BYTES = 50_000
"""What one open page may cost."""


def idle_page(url: str) -> socket.socket:
    """Open a socket that has joined a channel, and return it; it costs next to nothing here."""
    where = urlsplit(url)
    opened = socket.create_connection((where.hostname, where.port), timeout=10)
    opened.sendall(
        f"GET {PATH}?apikey={key()}&vsn=1.0.0 HTTP/1.1\r\nHost: {where.netloc}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    join = {"topic": "realtime:a", "event": "phx_join", "ref": "1"}
    opened.sendall(frame(json.dumps(join | {"payload": {"config": {}}}).encode()))
    heard = b""
    while b"phx_reply" not in heard:
        heard += opened.recv(4_096)
    assert heard.startswith(b"HTTP/1.1 101")
    return opened


@pytest.mark.slow
async def test_a_thousand_idle_pages(server):
    """They cost little, nobody else waits for them, and nothing is left when they go."""
    ann = await server.sign_up()
    with ExitStack() as stack:

        def open_pages(many):
            for _ in range(many):
                stack.enter_context(idle_page(server.url))

        await asyncio.to_thread(open_pages, 50)
        before = resident()
        await asyncio.to_thread(open_pages, 1_000)
        assert (resident() - before) / 1_000 < PAGE_BYTES
        async with page(server, ann.token) as another, asyncio.timeout(15):
            await another.joined("all", SCOUTS)
            scout = await planted(server, ann)
            assert (await another.change()).data["record"]["id"] == str(scout.id)
    async with asyncio.timeout(10):
        theirs = [each for each in asyncio.all_tasks() if each.get_name() == "scout-socket"]
        await asyncio.gather(*theirs, return_exceptions=True)


async def test_churn_goes_on_for_ever(server):
    """Ten thousand leaves and joins of one topic leave one channel, which hears."""
    ann = await server.sign_up()
    async with limited(server, joins=100_000) as quick, page(quick, ann.token) as open_page:
        join_ref = await open_page.joined("a", SCOUTS)
        config = {"config": {"postgres_changes": [SCOUTS]}, "access_token": ann.token}
        for _ in range(100):
            for _ in range(100):
                await open_page.send("realtime:a", "phx_leave", {}, join_ref=join_ref)
                join_ref = await open_page.send("realtime:a", "phx_join", config)
            while (await open_page.hear()).ref != join_ref:
                pass
            assert (await open_page.until("system")).status == "ok"
        scout = await planted(server, ann)
        assert (await open_page.change()).data["record"]["id"] == str(scout.id)
        assert await open_page.quiet() == []


async def test_a_hundred_channels_and_no_more(server):
    """The 101st channel is refused; one that is left makes room."""
    ann = await server.sign_up()
    async with page(server, ann.token) as open_page:
        refs = [(await open_page.join(f"c{number}", STEPS)).ref for number in range(100)]
        assert (await open_page.join("c100", STEPS)).status == "error"
        await open_page.leave("c0", refs[0])
        assert (await open_page.join("c100", STEPS)).status == "ok"


async def test_more_joins_than_are_allowed_are_refused(server):
    """Beyond the joins of a second there are error replies, and the socket stays."""
    async with limited(server, joins=50) as strict, page(strict) as open_page:
        refs = [await open_page.send("realtime:a", "phx_join", {"config": {}}) for _ in range(400)]
        replies = [await open_page.until("phx_reply", ref) for ref in refs]
        refused = [each for each in replies if each.status == "error"]
        assert 0 < len(refused) <= 350
        assert {each.payload["response"]["reason"] for each in refused} == {
            "too many joins: wait a second"
        }
    assert Limits().joins == 200


async def test_a_flood_of_frames_is_cut_off(server):
    """Many times more frames than joins are allowed close the socket."""
    async with limited(server, joins=10) as strict, page(strict) as open_page:
        for _ in range(1_000):
            await open_page.socket.send_str(
                '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}'
            )
        assert await open_page.closed() == 1008


async def test_twenty_sockets_of_one_user(server):
    """A user's 21st socket is closed when it says who it is; another user's is not."""
    ann, bob = await server.sign_up(), await server.sign_up()
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page(server, ann.token)) for _ in range(21)]
        for each in pages[:20]:
            assert (await each.join("a", SCOUTS)).status == "ok"
        assert (await pages[20].join("a", SCOUTS)).status == "error"
        assert await pages[20].closed() == 1008
        other = await stack.enter_async_context(page(server, bob.token))
        assert (await other.join("a", SCOUTS)).status == "ok"
        await pages[0].socket.close()
        again = await stack.enter_async_context(page(server, ann.token))
        while (await again.join("a", SCOUTS)).status != "ok":
            again = await stack.enter_async_context(page(server, ann.token))


async def test_silence_closes_the_socket(server):
    """Without a sign of life it is closed; with heartbeats it stays."""
    async with limited(server, silence=1.5) as quick, page(quick) as silent, page(quick) as alive:
        closing = asyncio.create_task(silent.closed())
        while not closing.done():
            assert await alive.quiet() == []
            await asyncio.sleep(0.1)
        assert await closing == 1008
        assert await alive.quiet() == []


async def test_a_reader_that_never_reads_is_closed(server):
    """What waits for it is bounded; then it is closed with 1013, and others hear everything."""
    ann = await server.sign_up()
    scout = await planted(server, ann, goal="x" * 3_000)
    db = await server.app.database()
    join = (
        '{"topic":"realtime:a","event":"phx_join","ref":"1","payload":{"config":'
        '{"postgres_changes":[{"event":"*","schema":"public","table":"scouts"}]},'
        f'"access_token":"{ann.token}"}}}}'
    )
    async with raw(server, receive_buffer=4_096) as (reader, writer), page(server) as other:
        await other.joined("a", SCOUTS, token=ann.token)
        writer.write(frame(join.encode()))
        while b"Subscribed" not in (await read_frame(reader))[1]:
            pass
        async with asyncio.timeout(60):
            for number in range(2_000):
                await scouts.update(db, scout.id, ScoutPatch(description=f"{number}"))
                if number % 50 == 49:
                    while (await other.change()).data["record"]["description"] != f"{number}":
                        pass
        assert await close_code(reader, 20.0) == 1013


async def test_a_server_that_stops_says_so(server):
    """Every socket is closed with 1001, at once."""
    ann = await server.sign_up()
    async with AsyncExitStack() as stack:
        async with limited(server) as stopping:
            pages = [await stack.enter_async_context(page(stopping, ann.token)) for _ in range(3)]
            for each in pages[:2]:
                await each.joined("a", SCOUTS)
            closing = [asyncio.create_task(each.closed()) for each in pages]
            began = asyncio.get_running_loop().time()
        assert [await each for each in closing] == [1001] * 3
        assert asyncio.get_running_loop().time() - began < 2.0


async def test_nothing_stays_when_everybody_has_left(server):
    """With the last page the feed is let go, and the next page gets it back."""
    ann = await server.sign_up()
    for _ in range(3):
        async with page(server, ann.token) as open_page:
            await open_page.joined("a", EXECUTIONS)
            execution = await run_of(server, await planted(server, ann))
            assert (await open_page.change()).data["record"]["id"] == str(execution.id)
        async with asyncio.timeout(15):
            mine = [each for each in asyncio.all_tasks() if each.get_name() == "scout-realtime"]
            await asyncio.gather(*mine, return_exceptions=True)
