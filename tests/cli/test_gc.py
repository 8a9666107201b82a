"""`scout gc` as it is typed."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.cli import planted
from tests.cli.planted import call, inside
from tests.contract.rows import AT

LATER = AT + timedelta(days=400)


def runs() -> int:
    """Return how many runs there are."""
    return inside(lambda db: db.value(int, "SELECT count(*) FROM scout_executions")) or 0


def steps() -> None:
    """Store a page of every run."""

    async def store(db):
        await db.execute(
            """INSERT INTO scout_pages (id, execution_id, scout_id, user_id, url, final_url,
                   canonical_url, outcome, fetched_at)
               SELECT id, id, scout_id, user_id, 'u', 'u', 'u', 'read', started_at
               FROM scout_executions"""
        )

    inside(store)


def test_a_dry_run_counts_and_removes_nothing():
    """What would go is data; that nothing went is talk."""
    planted.plant()
    steps()
    said = call("gc", "--dry-run", at=LATER)
    assert said.code == 0
    assert said.out == "texts of pages  3\n"
    assert "Nothing was removed" in said.err
    told = json.loads(call("gc", "--dry-run", "--json", at=LATER).out)
    assert (told["dry_run"], told["removed"]["pages"]) == (True, 3)


def test_it_removes_what_is_old():
    """Texts go, runs and findings stay: they are the newest of their scouts."""
    planted.plant()
    steps()
    said = call("gc", at=LATER)
    assert (said.code, said.out) == (0, "texts of pages  3\n")
    assert runs() == 3
    assert call("gc", at=LATER).err == "Nothing is older than it is kept.\n"
    assert len(json.loads(call("findings", "--status", "all", "--json").out)["findings"]) == 4


def test_a_setting_keeps_longer(monkeypatch):
    """How long is a setting like any other."""
    planted.plant()
    steps()
    monkeypatch.setenv("SCOUT_KEEP_PAGES", "0")
    said = call("gc", at=LATER)
    assert (said.code, said.out) == (0, "")
