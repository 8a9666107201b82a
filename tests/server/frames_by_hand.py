"""The realtime socket byte by byte, and a server of it with other limits."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from scout_cli.server.application import create
from scout_cli.server.realtime.hub import LIMITS, Limits
from scout_cli.server.running import Place, listening
from tests.server.phoenix import PATH, key
from tests.server.serving import Server

TEXT, BINARY, CONTINUED = 1, 2, 0


@asynccontextmanager
async def limited(server, **limits):
    """Serve the same app a second time, with other limits."""
    application = create(server.app)
    application[LIMITS] = Limits(**limits)
    async with listening(application, Place(host="127.0.0.1", port=0)) as running:
        yield Server(running.place.url, server.client, server.app, application)


def frame(data: bytes, *, opcode=TEXT, fin=True, rsv=0, masked=True) -> bytes:
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
