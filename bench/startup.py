"""How long a command takes to start, beside a Python that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import ROOT, Row, command, options, show

SCOUTS = 100
HELP_GOAL, LIST_GOAL = 100.0, 300.0


def main() -> int:
    """Measure and print."""
    given = options(__doc__)
    rounds = 5 if given.short else 15
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        empty, filled = _environment(folder, "empty"), _environment(folder, "filled")
        _fill(filled, 10 if given.short else SCOUTS)
        scout = [sys.executable, "-m", "scout_cli"]
        floor = command([sys.executable, "-c", "pass"], empty, rounds)
        shown = command([*scout, "--help"], empty, rounds)
        listed = command([*scout, "list"], empty, rounds)
        listed_filled = command([*scout, "list"], filled, rounds)
    rows = [
        Row(what="python -c pass (the floor)", value=floor, unit="ms"),
        _row("scout --help", shown, floor, HELP_GOAL),
        _row("scout list, no scouts", listed, floor, LIST_GOAL),
        _row("scout list, filled", listed_filled, floor, LIST_GOAL),
    ]
    return show(f"Start-up, median of {rounds}", rows, as_json=given.json)


def _row(what: str, value: float, floor: float, goal: float) -> Row:
    return Row(what=what, value=value, unit="ms", goal=goal, times_floor=value / floor)


def _environment(folder: str, name: str) -> dict[str, str]:
    home = Path(folder) / name
    home.mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "SCOUT_DATABASE_URL": f"sqlite:///{home}/scout.db",
        "SCOUT_LLM_URL": "builtin://",
        "SCOUT_EMBED_URL": "builtin://",
    }


def _fill(environment: dict[str, str], count: int) -> None:
    for number in range(count):
        add = [sys.executable, "-m", "scout_cli", "add", f"Ferry line number {number} returns"]
        subprocess.run(add, env=environment, cwd=ROOT, check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
