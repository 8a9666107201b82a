"""Runs that a program asks for: any worker takes them, and cancelling stops the work."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from scout_cli.cli import scout as command_line
from scout_cli.core.models import Execution
from scout_cli.errors import Conflict, FenceLost
from scout_cli.service.listener import Ended
from scout_cli.store import executions, invariants, queue, scouts, steps, users
from tests.cli.stage import GOAL, SLOW, StagedApp
from tests.contract import rows
from tests.contract.databases import sqlite_url
from tests.server.serving import serving, settings


class Watching:
    """A listener that says when a run began and how it left the worker."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended_: list[Ended] = []

    async def planned(self, planned) -> None:
        """Pass over it."""

    async def started(self, execution: Execution, title: str) -> None:
        """Note it."""
        self.begun.set()

    async def event(self, execution: Execution, event: object) -> None:
        """Pass over it."""

    async def ended(self, ended: Ended) -> None:
        """Note it."""
        self.ended_.append(ended)

    async def trouble(self, error) -> None:
        """Fail: nothing here is troubled."""
        raise error


def _wish(goal: str) -> dict:
    return {"goal": goal, "title": "Ferry", "search_queries": [goal], "is_active": False}


async def test_run_that_was_asked_for_is_carried_out_by_a_tick(tmp_path):
    """A worker takes a queued run of a resting scout; its brief and findings are read over HTTP."""
    given = settings(sqlite_url(tmp_path / "scout.db"))
    async with serving(given, opener=StagedApp.open) as server:
        ann = await server.sign_up()
        path = (await server.post("/scouts", ann, json=_wish(GOAL))).headers["Location"]
        asked = await server.post(f"{path}/run", ann)
        watching = Watching()
        worker = await server.app.worker(watching)
        await worker.tick(asyncio.Event())
        assert [each.outcome for each in watching.ended_] == ["new"]
        run = await server.get(asked.headers["Location"], ann)
        assert (run.json["state"], run.json["outcome"], run.json["trigger"]) == (
            "completed",
            "new",
            "api",
        )
        assert "ferry" in run.json["results_summary"]["response"]
        found = await server.get(f"{path}/findings", ann)
        assert found.json["items"]
        said = await server.post(f"{asked.headers['Location']}/cancel", ann)
        assert (said.status, said.json["code"]) == (409, "conflict")


async def test_cancelled_run_stops_where_it_works(tmp_path):
    """A run that never ends is cancelled: its worker loses it, and nothing more is written."""
    given = settings(sqlite_url(tmp_path / "scout.db"), lease=2.0)
    async with serving(given, opener=StagedApp.open) as server:
        ann = await server.sign_up()
        path = (await server.post("/scouts", ann, json=_wish(SLOW))).headers["Location"]
        asked = await server.post(f"{path}/run", ann)
        watching, stop = Watching(), asyncio.Event()
        worker = await server.app.worker(watching)
        working = asyncio.create_task(worker.tick(stop))
        await watching.begun.wait()
        cancelled = await server.post(f"{asked.headers['Location']}/cancel", ann)
        assert cancelled.json["state"] == "cancelled"
        await asyncio.wait_for(working, 20)
        assert [each.outcome for each in watching.ended_] == ["lost"]
        after = await server.get(asked.headers["Location"], ann)
        assert after.json == cancelled.json
        shown = await server.get(f"{asked.headers['Location']}/steps", ann)
        assert {each["status"] for each in shown.json["items"]} <= {"completed", "failed"}
        db = await server.app.database()
        assert await invariants.check(db, await db.now()) == []


async def test_cancelled_run_refuses_every_write_of_its_worker(database):
    """After `cancel` whoever held the run by its fence can neither add a step nor end it."""
    owner = await _owner(database)
    scout = rows.scout(owner)
    await scouts.add(database, scout)
    run = rows.execution(scout)
    await executions.add(database, run)
    ended = await queue.cancel(database, run.id)
    assert (ended.state, ended.status, ended.outcome) == ("cancelled", "failed", None)
    assert ended.fence == run.fence + 1
    with pytest.raises(FenceLost):
        await steps.start(database, rows.step(run))
    with pytest.raises(FenceLost):
        await executions.finish(database, run)
    with pytest.raises(FenceLost):
        await queue.renew(database, run.id, run.fence, rows.AT)
    with pytest.raises(Conflict):
        await queue.cancel(database, run.id)


async def _owner(database):
    return (await users.local_owner(database)).id


def test_cancelled_run_is_listed_as_cancelled_on_the_command_line(tmp_path: Path):
    """`scout history` shows a run that a program asked for and cancelled as cancelled."""
    given = settings(sqlite_url(tmp_path / "scout.db"))

    async def ask_and_cancel() -> None:
        async with StagedApp.open(given) as app:
            saved = rows.scout(await (await app.scouts()).owner(), goal=GOAL)
            await scouts.add(await app.database(), saved)
            runs = await app.runs()
            await runs.cancel(await runs.request(saved))

    asyncio.run(ask_and_cancel())
    where = {"SCOUT_DATABASE_URL": given.database_url}
    said = CliRunner().invoke(command_line, ["history"], env=where)
    assert "cancelled" in said.output, said.output
