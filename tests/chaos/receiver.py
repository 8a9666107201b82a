"""A webhook receiver in a process of its own that keeps ids, as a good one does.

`GET /kept` tells what arrived: per message id how often it came, and per finding under which ids.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Self

import msgspec
from aiohttp import web

_ROOT = Path(__file__).resolve().parents[2]


class Kept(msgspec.Struct):
    """What a receiver knows."""

    times: dict[str, int]
    """How often each message id arrived."""
    findings: dict[str, list[str]]
    """The message ids under which each finding arrived."""

    @property
    def repeats(self) -> int:
        """Return how many messages came again under a key that was known."""
        return sum(self.times.values()) - len(self.times)

    @property
    def duplicates(self) -> list[str]:
        """Return the findings that came under more than one key."""
        return [finding for finding, ids in self.findings.items() if len(ids) > 1]


class Receiver:
    """The receiving process.

    Args:
        pause: seconds between writing down a message and answering, in which a sender may die.
    """

    def __init__(self, pause: float = 0.002) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.receiver", str(pause)],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        assert self._process.stdout is not None
        self.host = f"127.0.0.1:{self._process.stdout.readline().strip()}"

    def channel(self, number: int) -> str:
        """Return the URL of one of its channels."""
        return f"webhook+http://{self.host}/{number}"

    def kept(self) -> Kept:
        """Return what arrived so far."""
        with urllib.request.urlopen(f"http://{self.host}/kept", timeout=30) as answer:
            return msgspec.json.decode(answer.read(), type=Kept)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _serve(pause: float) -> None:
    times: Counter[str] = Counter()
    findings: defaultdict[str, set[str]] = defaultdict(set)

    async def take(request: web.Request) -> web.Response:
        body: Any = msgspec.json.decode(await request.read())
        id_ = request.headers["webhook-id"]
        times[id_] += 1
        for news in body["data"]["news"]:
            for finding in news["finding_ids"]:
                findings[finding].add(id_)
        await asyncio.sleep(pause)
        return web.Response()

    async def kept(_: web.Request) -> web.Response:
        known = {finding: sorted(ids) for finding, ids in findings.items()}
        return web.Response(body=msgspec.json.encode({"times": times, "findings": known}))

    app = web.Application()
    app.add_routes([web.get("/kept", kept), web.post("/{channel}", take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    # Its owner holds the other end: when that dies, so does this.
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
