"""What a hostile client may try on the realtime socket, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from aiohttp import WSServerHandshakeError

from scout_cli.core.models import ScoutPatch
from scout_cli.server.application import create
from scout_cli.server.realtime.hub import LIMITS, Limits
from scout_cli.server.running import Place, listening
from scout_cli.store import scouts
from tests.server.phoenix import (
    EXECUTIONS,
    PATH,
    SCOUTS,
    STEPS,
    VERSIONS,
    address,
    filtered,
    key,
    page,
)
from tests.server.serving import Server
from tests.server.test_realtime import planted, run_of

_TEXT, _BINARY, _CONTINUED = 1, 2, 0


@asynccontextmanager
async def limited(server, **limits):
    """Serve the same app a second time, with other limits."""
    application = create(server.app)
    application[LIMITS] = Limits(**limits)
    async with listening(application, Place(host="127.0.0.1", port=0)) as running:
        yield Server(running.place.url, server.client, server.app, application)


def frame(data: bytes, *, opcode=_TEXT, fin=True, rsv=0, masked=True) -> bytes:
    """Return a frame, or what a client should not send."""
    first = (0x80 if fin else 0) | rsv | opcode
    length = len(data)
    mask_bit = 0x80 if masked else 0
    if length < 126:
        head = struct.pack("!BB", first, length | mask_bit)
    elif length < 65_536:
        head = struct.pack("!BBH", first, 126 | mask_bit, length)
    else:
        head = struct.pack("!BBQ", first, 127 | mask_bit, length)
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


@asynccontextmanager
async def raw(server, *, receive_buffer: int | None = None):
    """Open a socket by hand inside the block; yield what reads and what writes."""
    where = urlsplit(server.url)
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (where.hostname, where.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=2_048)
    nonce = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET {PATH}?apikey={key()}&vsn=1.0.0 HTTP/1.1\r\nHost: {where.netloc}\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {nonce}\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n".encode()
    )
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101"), answer
        assert b"deflate" not in answer
        yield reader, writer
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def read_frame(reader) -> tuple[int, bytes]:
    """Return opcode and data of the next frame."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2))
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8))
    return first & 0x0F, await reader.readexactly(length)


async def close_code(reader, seconds=8.0) -> int:
    """Return the code of the close frame; other frames are passed over."""
    async with asyncio.timeout(seconds):
        opcode, data = await read_frame(reader)
        while opcode != 8:
            opcode, data = await read_frame(reader)
    return int.from_bytes(data[:2])


@pytest.mark.parametrize("given", ["", "nonsense", "anon", "é", "x" * 5_000])
@pytest.mark.parametrize("version", VERSIONS)
async def test_without_the_api_key_there_is_no_socket(server, given, version):
    """No key, and one that is none of the server's, is 401 before the upgrade."""
    with pytest.raises(WSServerHandshakeError) as refused:
        await server.client.ws_connect(address(server, version, apikey=given))
    assert refused.value.status == 401


async def test_a_users_token_is_no_api_key(server):
    """Only the two keys open a socket."""
    ann = await server.sign_up()
    with pytest.raises(WSServerHandshakeError) as refused:
        await server.client.ws_connect(address(server, apikey=ann.token))
    assert refused.value.status == 401


async def test_strange_pages_and_versions_are_refused(server):
    """A page of another site is 403, another version of the protocol and a plain GET are 400."""
    for headers, url, status in (
        ({"Origin": "https://evil.example"}, address(server), 403),
        ({"Origin": "null"}, address(server), 403),
        ({}, address(server, "3.0.0"), 400),
    ):
        with pytest.raises(WSServerHandshakeError) as refused:
            await server.client.ws_connect(url, headers=headers)
        assert refused.value.status == status
    assert (await server.get(f"{PATH}?apikey={key()}")).status == 400
    async with server.client.ws_connect(
        address(server), headers={"Origin": "http://localhost:3000"}
    ) as allowed:
        assert not allowed.closed


_FRAMES = {
    "not JSON": (frame(b"{nope"), 1007),
    "a number": (frame(b"7"), 1007),
    "an array where objects are spoken": (frame(b'["1","1","phoenix","heartbeat",{}]'), 1007),
    "no topic": (frame(b'{"event":"heartbeat","payload":{}}'), 1007),
    "a payload that is no object": (
        frame(b'{"topic":"phoenix","event":"heartbeat","payload":[1]}'),
        1007,
    ),
    "deep": (frame(b"[" * 60_000), 1007),
    "binary": (frame(b"{}", opcode=_BINARY), 1007),
    "bad UTF-8": (frame(b'{"topic":"\xff"}'), 1007),
    "65 KiB and one": (frame(b" " * (65 * 1024 + 1)), 1009),
    "64 KiB and one": (frame(b" " * (64 * 1024 + 1)), 1009),
    "ten thousand fragments": (
        frame(b"{", fin=False)
        + frame(b" " * 8, opcode=_CONTINUED, fin=False) * 10_000
        + frame(b"}", opcode=_CONTINUED),
        1009,
    ),
    "unmasked": (frame(b'{"topic":"phoenix","event":"heartbeat"}', masked=False), 1002),
    "unmasked after one that is": (
        frame(b'{"topic":"phoenix","event":"heartbeat"}') + frame(b"{}", masked=False),
        1002,
    ),
    "reserved bits": (frame(b"{}", rsv=0x20), 1002),
    "compressed though it was not offered": (frame(b"\x00" * 1_000, rsv=0x40), 1002),
    "a reserved opcode": (frame(b"{}", opcode=3), 1002),
    "a continuation of nothing": (frame(b"{}", opcode=_CONTINUED), 1002),
}


@pytest.mark.parametrize("name", _FRAMES)
async def test_a_bad_frame_ends_the_socket(server, name):
    """Each kind of bad frame is answered by the close code that fits, and nothing else breaks."""
    sent, code = _FRAMES[name]
    async with raw(server) as (reader, writer):
        writer.write(sent)
        assert await close_code(reader) == code
    async with page(server) as open_page:
        assert await open_page.quiet() == []


async def test_the_largest_frame_is_taken(server):
    """64 KiB are read."""
    beat = b'{"topic":"phoenix","event":"heartbeat","ref":"1","payload":{}}'
    async with raw(server) as (reader, writer):
        writer.write(frame(beat + b" " * (64 * 1024 - len(beat))))
        async with asyncio.timeout(5):
            await reader.readuntil(b'"phx_reply"')


@pytest.mark.parametrize(
    ("name", "bindings"),
    [
        ("*", ()),
        ("", ()),
        ("x" * 300, ()),
        ("nul\0", ()),
        ("public:auth_users", ()),
        ("public:users", ()),
        ("auth:users", ()),
        ("pg_catalog:pg_class", ()),
        ("a", ({**SCOUTS, "schema": "auth"},)),
        ("a", ({"event": "*", "schema": "public", "table": "users"},)),
        ("a", ({"event": "*", "schema": "public", "table": "scouts; DROP TABLE scouts"},)),
        ("a", ({**SCOUTS, "event": "TRUNCATE"},)),
        ("a", ({"event": "*"},)),
        ("a", (7,)),
        ("a", (SCOUTS,) * 21),
        ("a", (filtered(SCOUTS, "id=in.(1,2)"),)),
        ("a", (filtered(SCOUTS, "id=eq.1);--"),)),
        ("a", (filtered(SCOUTS, f"id=neq.{uuid4()}"),)),
        ("a", (filtered(SCOUTS, f"id=eq.{uuid4().hex}"),)),
        ("a", (filtered(SCOUTS, f"id=eq.{{{uuid4()}}}"),)),
        ("a", (filtered(SCOUTS, "title=like.*a*"),)),
        ("a", (filtered(SCOUTS, "title=eq.\0"),)),
        ("a", (filtered(SCOUTS, "title=eq." + "x" * 2_000),)),
        ("a", (filtered(SCOUTS, "title=is.null"),)),
        ("a", (filtered(SCOUTS, "title=eq.a,frequency=eq.daily"),)),
        ("a", (filtered(SCOUTS, "is_active=eq.perhaps"),)),
        ("a", (filtered(SCOUTS, "notify=eq.x"),)),
        ("a", (filtered(SCOUTS, "location=eq.{}"),)),
        ("a", (filtered(EXECUTIONS, "results_summary=not.is.null"),)),
        ("a", (filtered(EXECUTIONS, "fence=eq.1"),)),
        ("a", (filtered({"event": "*", "schema": "public"}, "id=not.is.null"),)),
        ("a", (filtered(SCOUTS, "id"),)),
    ],
)
async def test_what_is_not_offered_is_refused_at_the_join(server, name, bindings):
    """Topics, schemas, tables, columns and filters beyond the list get an error reply."""
    ann = await server.sign_up()
    async with page(server, ann.token) as open_page:
        reply = await open_page.join(name, *bindings)
        assert reply.status == "error"
        assert reply.payload["response"]["reason"]
        assert (await open_page.join("fine", SCOUTS)).status == "ok"


async def test_joins_that_cannot_be_read_are_refused(server):
    """Whatever stands in the payload of a join, the answer is an error and the socket stays."""
    async with page(server) as open_page:
        for payload in (
            {"config": 7},
            {"config": {"postgres_changes": {}}},
            {"config": {}, "access_token": 7},
            {"config": {}, "access_token": ""},
            {"config": {}, "access_token": "é"},
            {"config": {}, "access_token": "x" * 60_000},
            {"config": {"private": True}},
        ):
            assert (await open_page.ask("a", "phx_join", payload)).status == "error", payload
        for payload in ({}, {"config": None}, {"config": {"broadcast": [], "new": 1}}):
            assert (await open_page.ask("a", "phx_join", payload)).status == "ok", payload


@pytest.mark.parametrize("event", ["broadcast", "presence", "presence_diff", "phx_error", "x", ""])
async def test_what_is_not_offered_on_a_channel_is_refused(server, event):
    """Broadcast, presence and anything unknown get an error reply; the channel stays."""
    ann = await server.sign_up()
    async with page(server, ann.token) as open_page:
        join_ref = await open_page.joined("a", SCOUTS)
        reply = await open_page.ask("a", event, {"type": "broadcast"}, join_ref=join_ref)
        assert reply.status == "error"
        assert (await open_page.ask("nowhere", event, {})).status == "error"
        scout = await planted(server, ann)
        assert (await open_page.change()).data["record"]["id"] == str(scout.id)


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


async def test_churn_goes_on_for_ever(server):
    """Five thousand leaves and joins of one topic leave one channel, which hears."""
    ann = await server.sign_up()
    async with limited(server, joins=100_000) as quick, page(quick, ann.token) as open_page:
        join_ref = await open_page.joined("a", SCOUTS)
        config = {"config": {"postgres_changes": [SCOUTS]}, "access_token": ann.token}
        for _ in range(5_000):
            await open_page.send("realtime:a", "phx_leave", {}, join_ref=join_ref)
            join_ref = await open_page.send("realtime:a", "phx_join", config)
            for _ in range(4):
                await open_page.hear()
        scout = await planted(server, ann)
        assert (await open_page.change()).data["record"]["id"] == str(scout.id)
        assert await open_page.quiet() == []


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


async def test_the_api_key_is_not_in_the_log(server, caplog):
    """What is logged of a socket is its route, not its query."""
    with caplog.at_level("DEBUG"):
        async with page(server) as open_page:
            await open_page.joined("a", SCOUTS)
    assert key() not in caplog.text


async def test_nothing_stays_when_everybody_has_left(server):
    """With the last page the feed is let go, and the next page gets it back."""
    ann = await server.sign_up()
    for _ in range(3):
        async with page(server, ann.token) as open_page:
            await open_page.joined("a", EXECUTIONS)
            execution = await run_of(server, await planted(server, ann))
            assert (await open_page.change()).data["record"]["id"] == str(execution.id)
        async with asyncio.timeout(5):
            mine = [each for each in asyncio.all_tasks() if each.get_name() == "scout-realtime"]
            await asyncio.gather(*mine, return_exceptions=True)
