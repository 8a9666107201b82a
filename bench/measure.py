"""What the benchmarks share: timing of processes, a table, the same as JSON."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    """The value must not be higher."""
    times_floor: float | None = None
    """How many times the floor of the same run."""
    counted: bool = False
    """A number that does not depend on the machine: missing its goal is a failure."""

    @property
    def verdict(self) -> str:
        """Return whether the goal is met, in a word."""
        if self.goal is None:
            return ""
        return "ok" if self.value <= self.goal else "MISSED"


def options(description: str | None) -> argparse.Namespace:
    """Read the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--short", action="store_true", help="fewer rounds, for CI")
    return parser.parse_args()


def command(arguments: Sequence[str], env: Mapping[str, str], rounds: int) -> float:
    """Return the median wall time of a process in milliseconds."""
    return median(lambda: _run(arguments, env), rounds)


def median(action: Callable[[], object], rounds: int) -> float:
    """Return the median time of an action in milliseconds; the first call warms the caches."""
    action()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        taken.append((time.perf_counter() - began) * 1_000)
    return statistics.median(taken)


def show(title: str, rows: Sequence[Row], *, as_json: bool, **details: Any) -> int:
    """Print the outcome; return 1 when a counted goal was missed, for `sys.exit`."""
    missed = any(row.verdict == "MISSED" and row.counted for row in rows)
    if as_json:
        machine = {"python": platform.python_version(), "system": platform.platform()}
        document = {"bench": title, "rows": [asdict(row) for row in rows], **details, **machine}
        print(json.dumps(document))
        return int(missed)
    print(f"\n{title}")
    width = max(len(row.what) for row in rows)
    for row in rows:
        goal = "" if row.goal is None else f"goal {row.goal:,.0f}"
        floor = "" if row.times_floor is None else f"{row.times_floor:.1f} x floor"
        line = f"  {row.what:<{width}}  {row.value:>10,.1f} {row.unit:<8}{floor:<14}{goal:<14}"
        print(f"{line}{row.verdict}".rstrip())
    for name, value in details.items():
        print(f"  {name}: {value}")
    return int(missed)


def _run(arguments: Sequence[str], env: Mapping[str, str]) -> None:
    subprocess.run(arguments, env=dict(env), cwd=ROOT, check=True, capture_output=True)
