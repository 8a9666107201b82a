"""What a hostile client may try on the realtime socket, and how it ends."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import WSServerHandshakeError

from tests.server.frames_by_hand import BINARY, CONTINUED, close_code, frame, raw
from tests.server.phoenix import (
    EXECUTIONS,
    PATH,
    SCOUTS,
    VERSIONS,
    address,
    filtered,
    key,
    page,
)
from tests.server.test_realtime import planted


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
    "binary": (frame(b"{}", opcode=BINARY), 1007),
    "bad UTF-8": (frame(b'{"topic":"\xff"}'), 1007),
    "65 KiB and one": (frame(b" " * (65 * 1024 + 1)), 1009),
    "64 KiB and one": (frame(b" " * (64 * 1024 + 1)), 1009),
    "ten thousand fragments": (
        frame(b"{", fin=False)
        + frame(b" " * 8, opcode=CONTINUED, fin=False) * 10_000
        + frame(b"}", opcode=CONTINUED),
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
    "a continuation of nothing": (frame(b"{}", opcode=CONTINUED), 1002),
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
        async with asyncio.timeout(15):
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
        ("a", (filtered(SCOUTS, "title=eq." + "x" * 9_000),)),
        ("a", (filtered(SCOUTS, "notify=eq.x"),)),
        ("a", (filtered(EXECUTIONS, "results_summary=not.is.null"),)),
        ("a", (filtered(EXECUTIONS, "fence=eq.1"),)),
        ("a", (filtered({"event": "*", "schema": "public"}, "id=not.is.null"),)),
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


async def test_the_api_key_is_not_in_the_log(server, caplog):
    """What is logged of a socket is its route, not its query."""
    with caplog.at_level("DEBUG"):
        async with page(server) as open_page:
            await open_page.joined("a", SCOUTS)
    assert key() not in caplog.text
