"""Pages that were not written for this project: SQLite's documentation, as Debian installs it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.e2e.command import environment, scout
from tests.e2e.documents import Documents

_FOLDER = Path("/usr/share/doc/sqlite3")


async def test_the_built_in_engine_finds_verified_facts_in_foreign_pages() -> None:
    """Without a model, a goal about SQLite gives at least three facts that its pages say."""
    if not any(_FOLDER.glob("wal*.html")):
        if os.environ.get("CI"):
            pytest.fail("Debian's package sqlite3-doc is missing")
        pytest.skip("Debian's package sqlite3-doc is not installed")
    async with Documents(_FOLDER, limit=1_000) as web:
        env = environment(
            SCOUT_LLM_URL="builtin://",
            SCOUT_EMBED_URL="builtin://",
            SCOUT_SEARCH_URL=f"searxng+http://{web.host}",
            SCOUT_ALLOW_PRIVATE_NETWORKS=web.host,
        )
        goal = "How write-ahead logging (WAL) in SQLite treats checkpoints and readers"
        done = await asyncio.to_thread(scout, "once", goal, "--json", env=env, seconds=120)
    assert done.code == 0, done.err
    events = done.events()
    result = events[-1]["result"]
    texts = {e["source"]: e["text"] for e in events if e["event"] == "page_seen" and e["source"]}
    assert len(result["facts"]) >= 3, json.dumps(result)[:2_000]
    for fact in result["facts"]:
        assert fact["quote"] in " ".join(texts[fact["source"]].split())
