"""Hosts on one machine whose network can be cut: namespaces where root may make them.

A gate forwards TCP to the Unix socket of the database. Where there are namespaces, a host reaches
it over a wire of its own that is taken down: nothing arrives and nobody is told, as when a cable
is pulled. Elsewhere the gate itself holds back what it was sent, which looks the same from above.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_CHUNK = 65_536


def possible() -> bool:
    """Return whether namespaces can be made here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"scout-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return False
    _ip("netns", "del", name)
    return True


def enter(name: str) -> None:
    """Move this process into a network namespace, before it has opened a socket."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/var/run/netns/{name}").open("rb") as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


class Host:
    """A host of its own, with one wire to the machine that the database is on.

    Args:
        number: 1 to 250; two hosts at a time need two numbers.
        gate: the way to the database; used to cut where there is no namespace.
        network: the name of its namespace, empty for none.
    """

    def __init__(self, number: int, gate: Gate, network: str) -> None:
        self.network = network
        self._number = number
        self._gate = gate

    def cut(self) -> None:
        """Pull the cable."""
        if self.network:
            _ip("link", "set", _wire(self._number), "down")
        else:
            self._gate.open.clear()

    def heal(self) -> None:
        """Put it back."""
        if self.network:
            _ip("link", "set", _wire(self._number), "up")
        else:
            self._gate.open.set()


class Gate:
    """Forwards TCP connections to a Unix socket while it is open.

    Args:
        target: the socket.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self.open = asyncio.Event()
        self.open.set()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        there, back = await asyncio.open_unix_connection(str(self._target))
        self._writers |= {writer, back}
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self.open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def close(self) -> None:
        """End every connection."""
        self.open.set()
        for each in self._writers:
            each.close()


@asynccontextmanager
async def gate(target: Path, address: str) -> AsyncIterator[Gate]:
    """Open a way to the socket `target` on an address of this machine."""
    made = Gate(target)
    server = await asyncio.start_server(made.serve, address, 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.close()
        server.close()


@contextmanager
def wire(number: int) -> Iterator[tuple[str, str]]:
    """Make a namespace with a wire to it; yield its name and this machine's address on the wire.

    Without namespaces the name is empty, and the address is loopback's.
    """
    if not possible():
        yield "", "127.0.0.1"
        return
    name, here = f"scout-{os.getpid()}-{number}", f"10.213.{number}.1"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", _wire(number), "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("addr", "add", f"{here}/24", "dev", _wire(number))
        _ip("link", "set", _wire(number), "up")
        _ip("-n", name, "addr", "add", f"10.213.{number}.2/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        _ip("-n", name, "link", "set", "lo", "up")
        yield name, here
    finally:
        _ip("netns", "del", name)


def _wire(number: int) -> str:
    return f"sc{os.getpid() % 100_000}n{number}"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
