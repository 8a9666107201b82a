"""What an agent says is stored in its order, with steps and pages, behind the fence."""

from __future__ import annotations

import asyncio

import pytest

from scout_cli.core.events import PageSeen, StepFinished, StepStarted, TokenDelta, Trouble
from scout_cli.core.models import Problem
from scout_cli.errors import FenceLost
from scout_cli.service.journal import Journal
from scout_cli.store import events, executions, pages, scouts, steps, users
from tests.contract import rows


@pytest.fixture
async def run(database):
    """Store a run that is under way."""
    owner = await users.local_owner(database)
    scout = rows.scout(owner.id)
    await scouts.add(database, scout)
    run = rows.execution(scout)
    await executions.add(database, run)
    return run


async def ignore(_event):
    """Hear nothing."""


def seen(number, text="The ferry sails at nine."):
    """Return a page."""
    url = f"https://ferries.example/{number}"
    return PageSeen(
        at=rows.AT,
        step=1,
        source=number,
        url=url,
        final_url=url,
        canonical_url=url,
        host="ferries.example",
        title="Timetable",
        outcome="read",
        text=text,
    )


def trouble(message):
    """Return an event that is neither a step nor a page."""
    problem = Problem(code="slow", message=message)
    return Trouble(at=rows.AT, problem=problem)


async def stored(db, run):
    """Return what is told of a run."""
    return await events.after(db, run.id, run.user_id, (0, 0), 1_000)


async def test_nothing_is_seen_before_what_was_said_earlier(
    database, run, database_url, opened, clock
):
    """Forty pages at once: a watcher never sees a number while a lower one is missing."""
    journal = Journal(database, run, clock, ignore)
    watcher = await opened(database_url)
    saying = asyncio.gather(*(journal.emit(seen(number)) for number in range(1, 41)))
    looks = 0
    while not saying.done():
        numbers = [line.number for line in await stored(watcher, run)]
        assert numbers == list(range(1, len(numbers) + 1))
        looks += 1
    await saying
    assert looks
    assert len(await stored(watcher, run)) == 40
    assert len(await pages.of_execution(watcher, run.id)) == 40


async def test_what_is_neither_step_nor_page_comes_with_the_next_one(database, run, clock):
    """Such an event costs no transaction of its own; tokens and texts of pages are not kept."""
    journal = Journal(database, run, clock, ignore)
    await journal.emit(trouble("one"))
    await journal.emit(TokenDelta(at=rows.AT, step=1, text="tok"))
    assert await stored(database, run) == []
    await journal.emit(seen(1, text="A secret canary of the page."))
    await journal.emit(trouble("two"))
    assert [line.kind for line in await stored(database, run)] == ["trouble", "page_seen"]
    async with database.transaction() as tx:
        await journal.store_rest(tx)
    lines = await stored(database, run)
    assert [line.number for line in lines] == [1, 2, 3]
    assert "canary" not in str(lines)


async def test_who_lost_the_run_stores_nothing(database, run, clock):
    """After a take-over neither events nor steps of the old attempt are written."""
    journal = Journal(database, run, clock, ignore)
    await journal.emit(StepStarted(at=rows.AT, number=1, kind="search", description="Search"))
    await database.execute("UPDATE scout_executions SET fence = 2 WHERE id = $1", run.id)
    ended = StepFinished(at=rows.AT, number=1, kind="search", status="completed")
    told = await asyncio.gather(journal.emit(ended), journal.emit(seen(1)), return_exceptions=True)
    assert [type(each) for each in told] == [FenceLost, FenceLost]
    assert [line.kind for line in await stored(database, run)] == ["step_started"]
    (step,) = await steps.of_execution(database, run.id)
    assert step.status == "running"


async def test_characters_that_no_database_keeps_are_left_out(database, run, clock):
    """NUL and half surrogates in what a page says do not stop a run."""
    journal = Journal(database, run, clock, ignore)
    await journal.emit(trouble("a\0b\ud800c \\u0000"))
    await journal.emit(seen(1))
    line, _ = await stored(database, run)
    assert "abc" in line.data
