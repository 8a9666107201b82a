"""A connection by name or address, made behind the guard."""

from __future__ import annotations

import socket

import pytest

from scout_cli.net import addresses
from scout_cli.net.dialling import dial
from scout_cli.net.guard import AddrInfo, Barred, Guard
from tests.pages import PageServer
from tests.security.dialling import FakeNames, Sockets
from tests.unit.test_net_addresses import SPECIAL


class Mended(Sockets):
    """Notes every address, and opens what is of this machine."""

    def __call__(self, info: AddrInfo) -> socket.socket:
        """Open a socket to loopback, refuse the others."""
        if info[4][0] != "127.0.0.1":
            return super().__call__(info)
        self.dialled.append(info[4][:2])
        return socket.socket(*info[:3])


@pytest.mark.parametrize("address", SPECIAL)
async def test_no_special_address_is_dialled(address):
    """Nobody has looked at the host before: the guard stops it all the same."""
    sockets = Sockets()
    address = address.partition("%")[0]
    guard = Guard(names=FakeNames(turned_test=[["93.184.215.14", address]]), opener=sockets)
    for host in (address, "turned.test"):
        with pytest.raises(Barred):
            await dial(guard, host, 443, patience=1)
    assert sockets.dialled == []


@pytest.mark.parametrize("host", ["10.0.0.5", "mail.test", "169.254.169.254"])
async def test_a_place_that_is_opened_by_name(host):
    """`opening` lets in one host at one port, whatever the port; metadata services stay shut."""
    sockets = Sockets()
    closed = Guard(names=FakeNames(mail_test=[["10.0.0.5"]]), opener=sockets)
    with pytest.raises(Barred):
        await dial(closed, host, 25, patience=1)
    with pytest.raises(OSError):  # noqa: PT011 - of the fake: no network, or of the guard
        await dial(closed.opening(f"{host}:25"), host, 25, patience=1)
    with pytest.raises(Barred):
        await dial(closed.opening(f"{host}:26"), host, 25, patience=1)
    own = addresses.parse(host) is None or addresses.is_own(addresses.parse(host))
    assert sockets.dialled == ([("10.0.0.5", 25)] if own else [])


async def test_the_next_address_is_tried():
    """A name with one address that nobody answers at leads to the other."""
    sockets = Mended()
    async with PageServer() as server:
        names = FakeNames(two_test=[["93.184.215.14", "127.0.0.1"]])
        guard = Guard(names=names, opener=sockets).opening(f"two.test:{server.port}")
        with await dial(guard, "two.test", server.port, patience=1) as opened:
            assert opened.getpeername() == ("127.0.0.1", server.port)
    assert [address for address, _ in sockets.dialled] == ["93.184.215.14", "127.0.0.1"]


async def test_nobody_there(unused_tcp_port):
    """Refused by the far side, and no such name: errors of the system's, not of the guard's."""
    guard = Guard(names=FakeNames()).opening(f"127.0.0.1:{unused_tcp_port}")
    with pytest.raises(ConnectionRefusedError):
        await dial(guard, "127.0.0.1", unused_tcp_port, patience=1)
    with pytest.raises(OSError, match="no such name"):
        await dial(guard, "nobody.test", 80, patience=1)
