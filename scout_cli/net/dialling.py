"""Connections that are not aiohttp's: each address of a host passes the guard before it is dialled.

Names are looked up here and the checked address is the one that is dialled: a name server that
changes its mind between the two finds no gap.
"""

from __future__ import annotations

import asyncio
import socket

from scout_cli.net import addresses
from scout_cli.net.guard import AddrInfo, Barred, Guard


async def dial(guard: Guard, host: str, port: int, *, patience: float) -> socket.socket:
    """Return a connected socket that does not block: to the first address that answers.

    Args:
        guard: decides which addresses may be dialled.
        host: a name, or an address without brackets.
        port: of TCP.
        patience: seconds for the look-up of the name, and again for each connection.

    Raises:
        Barred: an address of the host is forbidden.
        OSError: no name server knows the host, or nobody answers; `TimeoutError` is one.
    """
    problem = OSError("no address is known")
    for info in await _found(guard, host, port, patience):
        try:
            return await _connected(guard.open_socket(info), info, patience)
        except Barred:
            raise
        except OSError as error:
            problem = error
    raise problem


async def _found(guard: Guard, host: str, port: int, patience: float) -> list[AddrInfo]:
    literal = addresses.parse(host)
    if literal is not None:
        family = socket.AF_INET6 if literal.version == 6 else socket.AF_INET
        return [_info(family, str(literal), port)]
    async with asyncio.timeout(patience):
        found = await guard.resolver().resolve(host, port, socket.AF_UNSPEC)
    return [_info(socket.AddressFamily(one["family"]), one["host"], port) for one in found]


async def _connected(opened: socket.socket, info: AddrInfo, patience: float) -> socket.socket:
    opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
    try:
        async with asyncio.timeout(patience):
            await asyncio.get_running_loop().sock_connect(opened, info[4])
    except BaseException:  # a cancellation too: nobody else closes it
        opened.close()
        raise
    return opened


def _info(family: socket.AddressFamily, address: str, port: int) -> AddrInfo:
    place = (address, port, 0, 0) if family == socket.AF_INET6 else (address, port)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place
