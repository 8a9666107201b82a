"""The door of the server: who says nothing is shown out, and there is room for so many."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from scout_cli.app import App
from scout_cli.server.access import networks
from scout_cli.server.application import create
from scout_cli.server.door import Door, Limits
from scout_cli.server.running import Place, listening
from tests.contract.databases import sqlite_url
from tests.server.serving import settings


@asynccontextmanager
async def opened(tmp_path, **limits):
    """Serve with these limits, and yield the place and the door."""
    async with App.open(settings(sqlite_url(tmp_path / "scout.db"))) as app:
        await app.database()
        place = Place(host="127.0.0.1", port=0)
        async with listening(create(app), place, Limits(**limits)) as running:
            yield running.place, running.door


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HT", id="half-a-line"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A", id="half-a-header"),
    ],
)
async def test_who_does_not_finish_its_header_is_shown_out(tmp_path, said):
    """A connection that never finishes its first header is closed when its time is over."""
    async with opened(tmp_path, header_seconds=0.3) as (place, door):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(said)
        assert await _is_closed(reader)
        writer.close()
        assert door.connections == 0


async def test_who_drips_its_header_is_shown_out_too(tmp_path):
    """A byte now and then wins no time."""
    async with opened(tmp_path, header_seconds=0.4) as (place, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ")

        async def drip():
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert await _is_closed(reader)
        dripping.cancel()
        writer.close()


async def test_who_has_asked_once_may_stay(tmp_path):
    """A connection that has made a request is kept for the next one."""
    async with opened(tmp_path, header_seconds=1.0) as (place, door):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        request = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(2):
            writer.write(request)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
            assert head.startswith(b"HTTP/1.1 404")
            length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            await asyncio.sleep(1.3)
        assert door.connections == 1
        writer.close()


async def test_who_waits_between_two_requests_does_not_hold_a_stop_up(tmp_path):
    """A connection that is kept for the next request is closed when the server stops, at once."""
    async with asyncio.timeout(20), opened(tmp_path) as (place, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def test_there_is_room_for_so_many_in_all(tmp_path):
    """One connection too many is closed at once; when another goes, there is room again."""
    async with opened(tmp_path, connections=2) as (place, door):
        here = [await asyncio.open_connection("127.0.0.1", place.port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        assert await _is_closed(reader)
        writer.close()
        here[0][1].close()
        await here[0][1].wait_closed()
        async with asyncio.timeout(20):
            while door.connections > 1:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 404")
        writer.close()
        here[1][1].close()


async def _is_closed(reader):
    try:
        return await asyncio.wait_for(reader.read(1), 20) == b""
    except ConnectionResetError:
        return True


def test_one_address_has_its_share():
    """Another machine gets so many connections; this one and trusted proxies are not counted."""
    door = Door(None, Limits(per_address=2, trusted=networks(["10.0.0.0/8"])))
    leave = [door.enter("192.0.2.7"), door.enter("192.0.2.7")]
    assert all(leave)
    assert door.enter("192.0.2.7") is None
    assert door.enter("192.0.2.8")
    assert all(door.enter("127.0.0.1") for _ in range(20))
    assert all(door.enter("10.1.2.3") for _ in range(20))
    leave[0]()
    assert door.enter("192.0.2.7")
