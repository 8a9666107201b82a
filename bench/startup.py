"""How long the everyday commands take, beside a Python that does nothing and beside peers.

`list` and `show` run on a database of 1,000 scouts and 100,000 findings. With `--peers DIR` the
same run measures `llm --version` and `urlwatch --version`, installed from PyPI into that folder.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

from measure import ROOT, Row, show
from peers import NoPeer, environment

from scout_cli.core.models import (
    Counts,
    Execution,
    Finding,
    Location,
    ResultsSummary,
    Scout,
    Usage,
)
from scout_cli.service.clocks import SystemClock
from scout_cli.store import Connection, findings, migrate, open_database, scouts, users
from scout_cli.store.statements import insert, values

PEERS = ("llm", "urlwatch")
HELP_GOAL, LIST_GOAL = 100.0, 300.0
NOW = datetime(2026, 11, 21, 2, 37, 14, 140666, tzinfo=UTC)


class Command(NamedTuple):
    """One line of the table."""

    what: str
    words: list[str]
    env: dict[str, str]
    goal: float | None = None


def main() -> int:
    """Measure and print."""
    given = _options()
    rounds, scouts, facts = (5, 50, 20) if given.short else (15, 1_000, 100)
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        empty, filled = _environment(folder, "empty"), _environment(folder, "filled")
        name = asyncio.run(_fill(filled["SCOUT_DATABASE_URL"], scouts, facts))
        size = f"{scouts:,} scouts, {scouts * facts:,} findings"
        peers, left_out = _peers(given.peers, empty)
        commands = [*_own(name, size, empty, filled), *peers]
        floor, *others = _medians(commands, rounds)
    rows = [
        Row(what=each.what, value=taken, unit="ms", goal=each.goal, times_floor=taken / floor)
        for each, taken in zip(commands[1:], others, strict=True)
    ]
    rows.insert(0, Row(what=commands[0].what, value=floor, unit="ms"))
    details = {"peers left out": "; ".join(left_out)} if left_out else {}
    return show(f"Start-up, median of {rounds}", rows, as_json=given.json, **details)


def _own(name: str, size: str, empty: dict[str, str], filled: dict[str, str]) -> list[Command]:
    scout = [sys.executable, "-m", "scout_cli"]
    tab = ["completion", "bash", "--line=scout show Ferry", "--word=Ferry"]
    return [
        Command("python -c pass (the floor)", [sys.executable, "-c", "pass"], empty),
        Command("scout --version", [*scout, "--version"], empty, HELP_GOAL),
        Command("scout --help", [*scout, "--help"], empty, HELP_GOAL),
        Command("scout list, no scouts", [*scout, "list"], empty, LIST_GOAL),
        Command(f"scout list, {size}", [*scout, "list"], filled, LIST_GOAL),
        Command(f"scout list --json, {size}", [*scout, "list", "--json"], filled),
        Command(f"scout show, {size}", [*scout, "show", name], filled, LIST_GOAL),
        Command(f"Tab after `scout show Ferry`, {size}", [*scout, *tab], filled, HELP_GOAL),
    ]


def _peers(folder: str | None, env: dict[str, str]) -> tuple[list[Command], list[str]]:
    """Return the peers' commands, and why others are left out."""
    if not folder:
        return [], ["all; --peers DIR installs and measures them"]
    found, left_out = [], []
    for peer in PEERS:
        try:
            binary = environment(folder, peer) / peer
        except NoPeer as why:
            left_out.append(f"{peer}: {why}")
        else:
            found.append(Command(f"{peer} --version", [str(binary), "--version"], env))
    return found, left_out


def _medians(commands: list[Command], rounds: int) -> list[float]:
    """Return the median wall times in milliseconds; each round runs every command once.

    So whatever else the machine does in a while slows all of them alike. The first round warms
    the caches and does not count.
    """
    taken: list[list[float]] = [[] for _ in commands]
    for _ in range(rounds + 1):
        for each, times in zip(commands, taken, strict=True):
            began = time.perf_counter()
            subprocess.run(each.words, env=each.env, cwd=ROOT, check=True, capture_output=True)
            times.append((time.perf_counter() - began) * 1_000)
    return [statistics.median(times[1:]) for times in taken]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--short", action="store_true", help="few scouts and rounds, for CI")
    parser.add_argument(
        "--peers", metavar="DIR", help="install llm and urlwatch there, and measure"
    )
    return parser.parse_args()


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


async def _fill(url: str, count: int, facts: int) -> str:
    """Store scouts, ten runs each, and findings; return a title in the middle."""
    db = await open_database(url, SystemClock())
    try:
        await migrate.migrate(db)
        owner = (await users.local_owner(db)).id
        async with db.transaction() as tx:
            for number in range(count):
                scout = _scout(owner, number)
                await scouts.add(tx, scout)
                runs = [_execution(scout, back) for back in range(10)]
                await _store_runs(tx, runs)
                found = [_finding(scout, runs[each % 10].id, each) for each in range(facts)]
                await findings.add_many(tx, found)
    finally:
        await db.close()
    return f"Ferry line {count // 2}"


async def _store_runs(tx: Connection, runs: list[Execution]) -> None:
    await tx.executemany(insert("scout_executions", Execution), [values(run) for run in runs])


def _scout(owner: UUID, number: int) -> Scout:
    return Scout(
        id=uuid4(),
        user_id=owner,
        title=f"Ferry line {number}",
        description="Changes of its timetable",
        goal=f"Tell me when ferry line number {number} returns, and what a ticket costs",
        search_queries=[f"ferry line {number}", f"ferry line {number} news", "ferry timetable"],
        location=Location(city="Bonn", country="Germany"),
        frequency="daily",
        last_run_at=NOW,
        next_run_at=NOW + timedelta(days=1),
        created_at=NOW + timedelta(seconds=number),
        updated_at=NOW,
    )


def _execution(scout: Scout, back: int) -> Execution:
    at = NOW - timedelta(days=back)
    response = "- The ferry returns on 14 May 2026. [source](https://harbour.example/ferry)\n" * 8
    return Execution(
        id=uuid4(),
        scout_id=scout.id,
        user_id=scout.user_id,
        status="completed",
        state="completed",
        started_at=at,
        completed_at=at + timedelta(seconds=40),
        created_at=at,
        outcome="nothing_new" if back < 3 else "new",
        results_summary=ResultsSummary(
            task_completed=True, task_status="completed", response=response
        ),
        summary_text="The ferry returns on 14 May 2026.",
        usage=Usage(searches=4, pages=8, calls=9, prompt_tokens=21_000, completion_tokens=900),
        counts=Counts(new=8, read=8),
    )


def _finding(scout: Scout, execution_id: UUID, number: int) -> Finding:
    return Finding(
        id=uuid4(),
        user_id=scout.user_id,
        scout_id=scout.id,
        execution_id=execution_id,
        source=1,
        fact=f"From {number} May 2026 a ticket for the ferry costs {number} euros.",
        quote=f"a ticket costs {number} euros",
        url=f"https://harbour.example/ferry/{number}",
        canonical_url=f"https://harbour.example/ferry/{number}",
        host="harbour.example",
        title="Ferry news",
        novelty="new",
        created_at=NOW - timedelta(hours=number),
    )


if __name__ == "__main__":
    sys.exit(main())
