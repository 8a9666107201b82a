"""A database whose every identifier and moment is known, and a command line at a known moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from click.testing import CliRunner

from scout_cli import config
from scout_cli.cli import scout
from scout_cli.config import keyring
from scout_cli.core.models import (
    Counts,
    Execution,
    Finding,
    Location,
    Problem,
    ResultsSummary,
    Scout,
    Usage,
)
from scout_cli.service.clocks import SeededClock
from scout_cli.store import Database, findings, migrate, open_database, scouts, users
from scout_cli.store.statements import insert, values
from tests.cli.stage import Said, StagedApp
from tests.contract import rows
from tests.contract.rows import AT

T = TypeVar("T")

FERRY, BUSES = UUID("11111111-0000-4000-8000-000000000000"), UUID(f"2222{'0' * 8}4{'0' * 19}")
NEWS, QUIET, BLOCKED = (UUID(f"{n}aaaaaaa-0000-4000-8000-000000000000") for n in (3, 4, 5))
NOVELTIES = ("new", "possible_repeat", "repeat", "stale")
SECRET = "tgram://123456:canary-77-canary-77-canary/42"


def call(*words: str, stdin: str | None = None, at: datetime = AT) -> Said:
    """Run a command line in this process at a known moment, with known identifiers."""
    opener = partial(StagedApp.open, clock=SeededClock("planted", at))
    result = CliRunner().invoke(scout, words, obj=opener, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def inside(work: Callable[[Database], Awaitable[T]]) -> T:
    """Do `work` in the database of this test's home, migrated."""

    async def open_and_work() -> T:
        settings = config.load().settings
        vault = keyring.vault(settings)
        db = await open_database(settings.database_url, SeededClock("inside", AT), vault)
        try:
            await migrate.migrate(db)
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(open_and_work())


def stored(scout_id: UUID = FERRY) -> Scout:
    """Return a scout as the database has it."""
    found = inside(lambda db: scouts.get(db, scout_id))
    assert found is not None
    return found


def plant(**more) -> Scout:
    """Store two scouts, three runs and four findings; `more` are fields of the first scout."""
    return inside(lambda db: _plant(db, more))


def start(of: Scout, **more) -> None:
    """Store a run of a scout that is under way."""
    run = rows.execution(of, **{"state": "running", **more})
    inside(lambda db: db.execute(insert("scout_executions", Execution), *values(run)))


async def _plant(db: Database, more: dict) -> Scout:
    owner = (await users.local_owner(db)).id
    ferry, buses = _ferry(owner, **more), rows.scout(
        owner, id=BUSES, title="Night buses", goal="Night buses in Bonn",
        search_queries=["night buses Bonn"], created_at=AT + timedelta(seconds=1),
    )  # fmt: skip
    for each in (ferry, buses):
        await scouts.add(db, each)
    for run in _runs(ferry, buses):
        await db.execute(insert("scout_executions", Execution), *values(run))
    await findings.add_many(db, _found(ferry))
    return ferry


def _ferry(owner: UUID, **more) -> Scout:
    row = {
        "id": FERRY,
        "title": "Hollen ferry",
        "description": "When the ferry returns",
        "goal": "The ferry to Hollen Island",
        "search_queries": ["Hollen ferry", "Hollen ferry ticket"],
        "location": Location(city="Bonn", country="Germany"),
        "frequency": "daily",
        "timezone": "Europe/Berlin",
        "language": "en",
        "urls": ["https://harbour.example/ferry"],
        "notify": [SECRET, "mailto:me@harbour.example"],
        "last_run_at": AT - timedelta(hours=3),
        "next_run_at": AT + timedelta(hours=21),
        "planned_queries": ["ferry news"],
        "planned_for": "abc",
    }
    return rows.scout(owner, **{**row, **more})


def _runs(ferry: Scout, buses: Scout) -> list[Execution]:
    def ended(of: Scout, id_: UUID, ago: timedelta, **more) -> Execution:
        row = {
            "id": id_,
            "status": "completed",
            "state": "completed",
            "started_at": AT - ago,
            "completed_at": AT - ago + timedelta(seconds=65),
            "created_at": AT - ago,
            "lease_until": None,
            "usage": Usage(
                searches=4, pages=9, calls=7, prompt_tokens=20_000, completion_tokens=345
            ),
            "model": "ollama/qwen3:8b",
            "embedder": "ollama/nomic-embed-text",
        }
        return rows.execution(of, **{**row, **more})

    brief = ResultsSummary(
        task_completed=True,
        task_status="completed",
        response="- It returns on 14 May. [harbour.example](https://harbour.example/ferry)",
    )
    return [
        ended(ferry, NEWS, timedelta(days=1), outcome="new", results_summary=brief,
              summary_text="It returns on 14 May.",
              counts=Counts(new=1, possible_repeats=1, read=5)),
        ended(ferry, QUIET, timedelta(hours=3), outcome="nothing_new",
              counts=Counts(repeats=1, stale=1, read=6, unchanged=1, unread=2)),
        ended(buses, BLOCKED, timedelta(days=40), outcome="could_not_look",
              error_message="the engine is limited", counts=None, usage=None,
              problems=[Problem(code="limited", message="the engine is limited", hint="wait")]),
    ]  # fmt: skip


def _found(ferry: Scout) -> list[Finding]:
    return [
        rows.finding(
            ferry,
            id=UUID(int=number + 0xF000 << 112 | 0x4000 << 64 | 0x8000 << 48),
            execution_id=NEWS if number < 2 else QUIET,
            novelty=novelty,
            created_at=AT - timedelta(hours=24 - number),
            published_at=AT - timedelta(days=3),
        )
        for number, novelty in enumerate(NOVELTIES)
    ]
