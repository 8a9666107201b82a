"""What a run asks of the model: calls and prompt tokens on the three days of the demo web.

The model is scripted and served over HTTP as Ollama; the rest is real. The model has no ideas of
its own: it plans the queries that are there already. The second day is run twice: the second time
no page is new, and the model must not be asked at all.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from measure import Row, options, show
from outside import reply

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.core.job import Result
from scout_cli.demo.play import FEED_HOST, GOAL, DayClock, stage
from scout_cli.demo.web import DemoWeb
from scout_cli.service.scouts import Wish
from tests.ollama_server import OllamaServer

CALLS, TOKENS = 12, 50_000
DAYS = {"day 1": 1, "day 2": 2, "day 2 again": 2, "day 3": 3}


async def _days() -> dict[str, Result]:
    found: dict[str, Result] = {}
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        async with DemoWeb() as web, OllamaServer(reply) as ollama:
            chosen = Settings(
                database_url="sqlite://",
                llm_url=f"ollama://{ollama.host}/qwen3:8b",
                embed_url="builtin://",
            )
            settings = stage(chosen, web, Path(folder))
            async with App.open(settings, clock=DayClock(web), hosts=web.hosts) as app:
                await _play(app, web, found)
    return found


async def _play(app: App, web: DemoWeb, found: dict[str, Result]) -> None:
    async def ignore(_event) -> None:
        return

    scouts, runs = await app.scouts(), await app.runs()
    feed = web.url(FEED_HOST, "/feed.xml")
    scout = (await scouts.add(Wish(goal=GOAL, feeds=(feed,)))).scout
    for name, day in DAYS.items():
        web.day = day
        found[name] = await runs.run(await scouts.find(str(scout.id)), ignore)


def main() -> int:
    """Count and print."""
    given = options(__doc__)
    rows = []
    for name, result in asyncio.run(_days()).items():
        usage = result.usage
        calls = 0 if name.endswith("again") else CALLS
        outcome = f"{name}, {result.outcome}"
        rows += [
            Row(what=f"{outcome}: calls", value=usage.calls, unit="", goal=calls, counted=True),
            Row(
                what=f"{outcome}: prompt",
                value=usage.prompt_tokens,
                unit="tokens",
                goal=TOKENS,
                counted=True,
            ),
        ]
    return show("What a run asks of the model", rows, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
