"""What tests of the browser share: a place of their own, what is left there, and a trap."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from scout_cli.fetch import launching

AGENT = "scout/test (a test)"


def chromium() -> Path:
    """Return the browser of this machine; one that is missing is a failure in CI, else a skip."""
    found = launching.find(Path("/nowhere"))
    if found is None:
        reason = "no Chromium on this machine"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    if sys.platform != "linux":
        pytest.skip("processes are counted in /proc")
    return found


@contextmanager
def own_place() -> Iterator[Path]:
    """Give browsers a short temporary folder of their own, and yield it."""
    with tempfile.TemporaryDirectory("", "sb-", "/tmp", ignore_cleanup_errors=True) as folder:
        before, tempfile.tempdir = tempfile.tempdir, folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before


def processes(place: Path) -> dict[int, str]:
    """Return the running processes of browsers in `place`, with what they were started as."""
    mark = os.fsencode(place / "scout-browser-")
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                continue
            command = (entry / "cmdline").read_bytes()
            if mark in command + (entry / "environ").read_bytes():
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def leftovers(place: Path) -> list[str]:
    """Return processes and folders of browsers that are still there, though nobody uses them."""
    folders = [str(path) for path in place.glob("scout-browser-*")]
    return [*(f"{pid}: {command[:160]}" for pid, command in processes(place).items()), *folders]


async def all_gone(place: Path, seconds: float = 10.0) -> list[str]:
    """Wait until nothing is left, and return what is left in spite of that."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while leftovers(place):  # noqa: ASYNC110 - nobody tells when a process is gone
                await asyncio.sleep(0.05)
    return leftovers(place)


def renderers(place: Path) -> list[int]:
    """Return the processes that run pages."""
    return [pid for pid, command in processes(place).items() if "--type=renderer" in command]


def main_process(place: Path) -> int:
    """Return the process that all others of the browser come from."""
    wanted = "--remote-debugging-pipe"
    return next(
        pid
        for pid, command in processes(place).items()
        if wanted in command and "--type=" not in command
    )


@asynccontextmanager
async def self_signed(name: str) -> AsyncIterator[int]:
    """Yield the port of an https server on loopback whose certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(Encoding.PEM))
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        context.load_cert_chain(file.name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


class Trap(asyncio.DatagramProtocol):
    """Listens on loopback, TCP and UDP, IPv4 and IPv6, on one port, and notes who comes."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.port = 0
        self._servers: list[asyncio.Server] = []
        self._transports: list[asyncio.DatagramTransport] = []

    async def __aenter__(self) -> Self:
        first = await asyncio.start_server(self._met, "127.0.0.1", 0)
        self.port = first.sockets[0].getsockname()[1]
        self._servers.append(first)
        if socket.has_ipv6:
            with suppress(OSError):
                self._servers.append(await asyncio.start_server(self._met, "::1", self.port))
        loop = asyncio.get_running_loop()
        for host in ("127.0.0.1", "::1"):
            with suppress(OSError):
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: self, local_addr=(host, self.port)
                )
                self._transports.append(transport)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers:
            server.close()
        for transport in self._transports:
            transport.close()
        for server in self._servers:
            await server.wait_closed()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Note a datagram."""
        self.hits.append(f"udp {data[:20]!r}")

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits.append("tcp")
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(10):
                line = (await reader.readline()).decode("latin-1").strip()
            self.hits[-1] = f"tcp {line}"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n")
            writer.write(b"Access-Control-Allow-Origin: *\r\n\r\nSECRET")
            await writer.drain()
        writer.close()
