"""A whole run over a page that needs a browser: found, quoted, photographed, and cleaned up."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from uuid import UUID

import pytest

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.derived import screenshots
from scout_cli.errors import NotFound
from scout_cli.service.wishes import Wish
from scout_cli.store import pages, steps
from tests import browsers
from tests.pages import PageServer
from tests.search_server import SearchServer, searxng_reply

SENTENCE = "The ferry from Saltmere to Hollen Island sails again on 14 March 2026 for 12 euros."
SHELL = f"""<!doctype html><html lang="en"><head><title>Ferry</title></head><body>
<div id="root"></div><noscript>You need to enable JavaScript.</noscript><script>
document.getElementById("root").innerHTML = "<article><h1>Ferry</h1><p>{SENTENCE}</p></article>"
</script></body></html>"""


async def ignore(_: object) -> None:
    """Hear nothing of a run."""


async def test_a_page_that_needs_a_browser_is_reported_with_its_picture(tmp_path):
    """The fact stands in the result with its quote; the picture is a name in the step."""
    browsers.chromium()
    with browsers.own_place() as place:
        async with PageServer() as server, SearchServer(lambda _: searxng_reply([])) as engine:
            settings = Settings(
                database_url=f"sqlite:///{tmp_path / 'scout.db'}",
                llm_url="builtin://",
                embed_url="builtin://",
                search_url=(f"searxng+http://{engine.host}",),
                allow_private_networks=(f"127.0.0.1:{server.port}",),
                screenshots=True,
                ballast=0,
            )
            url = server.serve("/ferry", SHELL)
            async with App.open(settings, hosts={"news.test": "127.0.0.1"}) as app:
                added = await (await app.scouts()).add(
                    Wish(goal="When the ferry to Hollen Island sails again", urls=(url,))
                )
                result = await (await app.runs()).run(added.scout, ignore)
                database = await app.database()
                (fact,) = result.facts
                (execution,) = await database.all(UUID, "SELECT id FROM scout_executions")
                stored = await steps.of_execution(database, execution)
                (name,) = [
                    step.output_data["screenshot"]
                    for step in stored
                    if "screenshot" in (step.output_data or {})
                ]
                assert fact.quote in SENTENCE
                assert name == f"{execution}/1.jpg"
                kept = screenshots(settings)
                assert kept.open(name).startswith(b"\xff\xd8\xff")
                row = json.dumps([step.output_data for step in stored])
                assert len(row) < 5_000  # a name, and no picture
                await database.execute("DELETE FROM scout_pages")
                aged(kept.folder / str(execution))
                assert (await (await app.upkeep()).clean()).screenshots == 1
                with pytest.raises(NotFound):
                    kept.open(name)
                assert await pages.kept_of(database, [execution]) == []
        assert await browsers.all_gone(place) == []


def aged(path: Path) -> None:
    """Make a folder two hours old."""
    before = time.time() - 7_200
    os.utime(path, (before, before))
