"""`scout demo` as a newcomer types it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.cli.stage import plain

ROOT = Path(__file__).parents[2]


def demo(tmp_path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the demo in a process of its own."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        plain(["demo", *options]),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "SCOUT_LLM_URL": "builtin://",
             "SCOUT_EMBED_URL": "builtin://"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )  # fmt: skip


def test_the_demo_shows_three_days(tmp_path, isolated):
    """News, silence, a repeat recognised; nothing is left behind in the home."""
    said = demo(tmp_path, "--quiet")
    assert (said.returncode, said.stderr) == (0, "")
    first, second, third = said.stdout.partition("What you saw")[0].split("\nDay ")
    assert "Sources\n[1]" in first
    assert "\nNothing new; " in second
    assert "[1]" in third
    assert "1 new; " in third
    assert "What you saw" in said.stdout
    assert not list(isolated.rglob("*.db"))


def test_the_demo_as_json(tmp_path):
    """Each day is announced, then its events follow."""
    rows = [json.loads(row) for row in demo(tmp_path, "--json").stdout.splitlines()]
    kinds = [row["event"] for row in rows]
    assert [row["number"] for row in rows if row["event"] == "day"] == [1, 2, 3]
    assert kinds[:2] == ["day", "run_started"]
    assert kinds.count("run_finished") == 3
