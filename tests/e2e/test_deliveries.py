"""News survives SIGKILL: none is lost, and a receiver that keeps ids hears nothing twice."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from scout_cli.service.clocks import SystemClock
from scout_cli.store import channels, users
from tests.contract.post import Office

ROOT = Path(__file__).parents[2]
KILLS, CHANNELS, RUNS = 100, 6, 40


@dataclass
class Receiver:
    """Keeps what arrives, by id and by what it says."""

    port: int = 0
    ids: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, bytes] = field(default_factory=dict)
    changed: int = 0

    async def take(self, request: web.Request) -> web.Response:
        """Take a message, slowly enough to be interrupted."""
        body = await request.read()
        id_ = request.headers["webhook-id"]
        self.ids[id_] += 1
        self.changed += self.bodies.setdefault(id_, body) != body
        await asyncio.sleep(0.003)
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Run a receiver on loopback."""
    found = Receiver()
    app = web.Application()
    app.router.add_post("/{name}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


async def test_a_hundred_kills_lose_nothing_and_repeat_no_news(
    database_url, opened, receiver, capsys
):
    """Every row is sent, under one id each, with the same content on every attempt."""
    db = await opened(database_url, on=SystemClock())
    office = Office(db, SystemClock())
    urls = [f"webhook+http://127.0.0.1:{receiver.port}/{n}" for n in range(CHANNELS)]
    scout = await office.scout(notify=urls)
    for number in range(RUNS):
        assert await office.news(scout, f"news {number}") == CHANNELS
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.e2e.postmen", database_url, str(KILLS), "7",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0
    owner = await users.local_owner(db)
    glances = await channels.glances(db, owner.id)
    told = {
        "database": db.kind,
        **json.loads(out),
        "messages": CHANNELS * RUNS,
        "lost": CHANNELS * RUNS - len(receiver.ids),
        "wire_repeats": sum(receiver.ids.values()) - len(receiver.ids),
    }
    with capsys.disabled():
        print(f"\n{json.dumps(told)}")  # noqa: T201 - the figures are the point
    assert set(await office.states()) == {"sent"}
    assert len(receiver.ids) == CHANNELS * RUNS
    assert receiver.changed == 0
    assert [(glance.pending, glance.dead, glance.unknown) for glance in glances] == (
        [(0, 0, 0)] * CHANNELS
    )
    assert told["wire_repeats"] <= told["kills"] * CHANNELS
