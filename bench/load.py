"""A client that does nothing but ask and wait, over connections that stay open."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat


@dataclass(frozen=True)
class Load:
    """What a server did under load."""

    per_second: float
    p50_ms: float
    p99_ms: float
    wrong: int
    """Answers with another status than the one expected."""
    answers: int = 0
    cpu_ms: float = 0.0
    """Processor time of the server for one answer."""


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    _, there, rest = head.lower().partition(b"content-length:")
    if there:  # an answer without a body has none
        await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    return int(head.split(b" ", 2)[1])


_LEAST = 2
"""Requests of each client, however slow the machine is just now."""

Script = Callable[[], Iterator[tuple[bytes, int]]]
"""Returns what one client asks, request after request, and which status it expects."""


def again(request: bytes, status: int) -> Script:
    """Return the script of asking the same again and again."""
    return lambda: repeat((request, status))


async def load(port: int, script: Script, *, clients: int, seconds: float) -> Load:
    """Ask as fast as answers come.

    Args:
        port: of a server on loopback.
        script: what each client asks.
        clients: connections at the same time.
        seconds: how long.
    """
    taken: list[float] = []
    wrong = 0
    end = time.perf_counter() + seconds

    async def client() -> None:
        nonlocal wrong
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        for number, (request, status) in enumerate(script()):
            began = time.perf_counter()
            if began >= end and number >= _LEAST:
                break
            wrong += await _ask(reader, writer, request) != status
            taken.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    passed = time.perf_counter() - began
    cuts = statistics.quantiles(taken, n=100)
    return Load(len(taken) / passed, cuts[49] * 1_000, cuts[98] * 1_000, wrong, len(taken))


def request(method: str, path: str, token: str, body: bytes = b"", **headers: str) -> bytes:
    """Return a request."""
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body
