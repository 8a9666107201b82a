"""Requests per second over the table interface, beside a bare handler with the same SQL and JSON.

The queries are those of the web interface: its list of scouts, one of them, the runs of a scout,
the steps of a run, the newest briefs with the titles of their scouts; a scout that is added and
removed, and one that is changed. Goal: at least half of the bare handler, which knows no user and
no rule, and draws no icons. PostgreSQL keeps its files in memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

from load import Script, again, request
from msgspec.structs import replace
from serving import Stage, add_scouts, compared

from scout_cli.core.models import Execution, ResultsSummary
from scout_cli.service.accounts.api_keys import api_key
from scout_cli.store import executions, scouts, steps
from scout_cli.store.database import Database
from tests.contract import rows as stored
from tests.server.serving import JWT_SECRET, Server

GOAL = 0.5
SCOUTS = 20
RUNS = STEPS = 10
SCOUT, RUN = UUID(int=7), UUID(int=8)
"""The scout with runs, and the run with steps."""
OBJECT = "application/vnd.pgrst.object+json"
BRIEFS = (
    "select=id,scout_id,summary_text,created_at,scouts!inner(title)"
    "&summary_text=not.is.null&order=created_at.desc&limit=3"
)


async def main() -> int:
    """Measure and print."""
    title = "Requests over the table interface"
    return await compared(title, __doc__, fill, cases, child="tables_child.py", goal=GOAL)


def cases(stage: Stage) -> dict[str, Script]:
    """Return what is asked, by its name."""

    def read(table: str, query: str, accept: str = "*/*") -> Script:
        return again(_request(stage, "GET", f"{table}?{query}", accept), 200)

    runs = f"select=*&scout_id=eq.{SCOUT}&order=started_at.desc&limit=10"
    return {
        "scouts": read("scouts", f"select=*&user_id=eq.{stage.user}&order=updated_at.desc"),
        "one scout": read("scouts", f"select=*&id=eq.{SCOUT}", OBJECT),
        "runs of a scout": read("scout_executions", runs),
        "steps of a run": read(
            "scout_execution_steps", f"select=*&execution_id=eq.{RUN}&order=step_number.asc"
        ),
        "newest briefs": read("scout_executions", BRIEFS),
        "add and remove": lambda: _coming_and_going(stage),
        "change": lambda: _changing(stage),
    }


def _coming_and_going(stage: Stage) -> Iterator[tuple[bytes, int]]:
    while True:
        row = {"id": str(uuid4()), "title": "Ferries", "location": None}
        yield (
            _request(stage, "POST", "scouts?select=*", OBJECT, {**row, "user_id": stage.user}),
            201,
        )
        yield _request(stage, "DELETE", f"scouts?id=eq.{row['id']}"), 204


def _changing(stage: Stage) -> Iterator[tuple[bytes, int]]:
    while True:
        body = {"title": f"Ferries {uuid4().hex}"}
        yield _request(stage, "PATCH", f"scouts?id=eq.{SCOUT}", body=body), 204


def _request(
    stage: Stage, method: str, path: str, accept: str = "*/*", body: object = None
) -> bytes:
    headers = {"Accept": accept, "apikey": api_key("anon", JWT_SECRET)}
    if method == "POST":
        headers["Prefer"] = "return=representation"
    data = b"" if body is None else json.dumps(body, default=str).encode()
    return request(method, f"/rest/v1/{path}", stage.token, data, **headers)


async def fill(running: Server) -> tuple[UUID, str]:
    """Give somebody scouts, one of them with runs, one of these with steps."""
    ann = await running.sign_up()
    db = await running.app.database()
    await add_scouts(db, ann.id, SCOUTS)
    scout = stored.scout(ann.id, id=SCOUT, goal="News about the ferry to Hollen Island")
    await scouts.add(db, scout)
    for number in range(RUNS):
        moment = stored.AT + timedelta(days=1, minutes=number)
        id_ = uuid4() if number else RUN
        run = stored.execution(scout, id=id_, started_at=moment, created_at=moment)
        await executions.add(db, run)
        if not number:
            await _add_steps(db, run)
        ended = replace(run, state="completed", status="completed", completed_at=moment)
        await executions.finish(
            db,
            replace(
                ended,
                lease_until=None,
                summary_text="The ferry sails again from 14 May.",
                results_summary=_RESULTS,
            ),
        )
    return ann.id, ann.token


async def _add_steps(db: Database, run: Execution) -> None:
    for number in range(1, STEPS + 1):
        step = stored.step(
            run,
            number,
            step_type="scrape" if number % 2 else "search",
            description="Look for the ferry",
            status="completed",
            completed_at=stored.AT,
            input_data={"query": "Hollen ferry"},
            output_data=_PAGE if number % 2 else _FOUND,
        )
        await steps.start(db, step)


_RESULTS = ResultsSummary(
    task_completed=True,
    task_status="completed",
    response="The ferry sails [again](https://ferry.example/news) from 14 May.\n\n" * 8,
)
_FOUND = {
    "searchResults": [
        {
            "url": f"https://news{number}.example/ferry",
            "title": "The ferry sails again",
            "description": "From 14 May the ferry to Hollen Island sails again, twice a day.",
        }
        for number in range(8)
    ]
}
_PAGE = {"url": "https://ferry.example/news", "title": "The ferry sails again", "characters": 4_000}


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
