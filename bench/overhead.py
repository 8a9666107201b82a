"""What a run costs beside waiting: wall time minus the time that model, search and pages take.

Five queries (two of the scout, three of the model), eight pages, a real database, real HTTP, the
real page reader. "Cold" is the first run of a process, from before the imports to the result;
"warm" the second. The floor asks the same of the same servers with nothing but an HTTP client.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time

from measure import ROOT, Row, options, show

GOAL_MS = 150.0
QUERIES = ("Halvorsen tunnel", "tunnel opening")


def main() -> int:
    """Measure and print, or be one of the measured processes."""
    if "--one" in sys.argv:
        print(json.dumps(asyncio.run(_one(json.loads(sys.argv[-1])))))
        return 0
    from outside import World  # noqa: PLC0415 - a measured process must not have imported it

    given = options(__doc__)
    rounds = 2 if given.short else 7
    with World() as world:
        samples = [_sample(world) for _ in range(rounds)]
    cold, warm, floor = (statistics.median(column) for column in zip(*samples, strict=True))
    rows = [
        Row(what="bare HTTP client (the floor)", value=floor, unit="ms"),
        Row(what="first run, imports included", value=cold, unit="ms", times_floor=cold / floor),
        Row(what="second run", value=warm, unit="ms", goal=GOAL_MS, times_floor=warm / floor),
    ]
    return show(f"Own overhead of a run, median of {rounds}", rows, as_json=given.json)


def _sample(world) -> list[float]:
    from outside import waited  # noqa: PLC0415 - see main

    process = subprocess.run(
        [sys.executable, __file__, "--one", json.dumps(world.urls)],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise SystemExit(process.stderr)
    runs = json.loads(process.stdout)
    spans = world.waits()
    return [(end - begin - waited(spans, begin, end)) * 1_000 for begin, end in runs]


async def _one(urls: dict[str, str]) -> list[tuple[float, float]]:
    began = time.monotonic()
    from scout_cli.app import App  # noqa: PLC0415 - the import is part of what is measured
    from scout_cli.config import Settings  # noqa: PLC0415
    from scout_cli.service.scouts import Wish  # noqa: PLC0415

    assert ROOT
    hosts = {f"site-{number}.example": "127.0.0.1" for number in range(1, 9)}
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        settings = Settings(
            database_url=f"sqlite:///{folder}/scout.db",
            llm_url=f"ollama://{urls['ollama']}/qwen3:8b",
            embed_url="builtin://",
            search_url=(f"searxng+http://{urls['web']}",),
            fetch_url="crawl4ai://http",
            allow_private_networks=(urls["web"],),
            search_cache_minutes=0,
            rounds=0,
        )
        goal = "Opening of the Halvorsen tunnel: dates, tolls, length"
        wish = Wish(goal=goal, title="Tunnel", description="Tunnel.", queries=QUERIES)
        async with App.open(settings, hosts=hosts) as app:
            cold = (began, await _run(app, wish))
            warm = (time.monotonic(), await _run(app, wish))
    return [cold, warm, await _floor(urls)]


async def _run(app, wish) -> float:
    async def ignore(_event) -> None:
        return

    added = await (await app.scouts()).add(wish)
    result = await (await app.runs()).run(added.scout, ignore)
    if result.counts.read != 8 or result.usage.searches != 5:
        raise SystemExit(f"not the run that was to be measured: {result}")
    return time.monotonic()


async def _floor(urls: dict[str, str]) -> tuple[float, float]:
    """Ask what a run asks, with nothing around it."""
    import aiohttp  # noqa: PLC0415 - not before the cold run

    plan = {"type": "object", "properties": {"queries": {}}}
    item = {"type": "object", "properties": {"items": {}}}
    async with aiohttp.ClientSession() as session:

        async def get(path: str, host: str) -> None:
            async with session.get(f"http://{urls['web']}{path}", headers={"Host": host}) as answer:
                await answer.read()

        async def chat(schema: dict) -> None:
            body = {"model": "qwen3:8b", "messages": [], "format": schema}
            async with session.post(f"http://{urls['ollama']}/api/chat", json=body) as answer:
                await answer.read()

        began = time.monotonic()
        await chat(plan)
        await asyncio.gather(*(get("/search", "127.0.0.1") for _ in range(5)))
        await asyncio.gather(*(get("/tunnel", f"site-{n}.example") for n in range(1, 9)))
        for _ in range(10):
            await chat(item)
        return began, time.monotonic()


if __name__ == "__main__":
    sys.exit(main())
