"""Executions and steps: one live run per scout, leases, and a fence that stale writers hit."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from scout_cli.core.models import Counts, Problem, ResultsSummary, Usage
from scout_cli.errors import Conflict, FenceLost, InvalidInput, NotFound
from scout_cli.store import executions, findings, queue, scouts, steps, users
from tests.contract import rows


@pytest.fixture
async def scout(database):
    """Return a stored scout."""
    owner = await users.local_owner(database)
    scout = rows.scout(owner.id)
    await scouts.add(database, scout)
    return scout


@pytest.fixture
async def run(database, scout):
    """Return a run that has started."""
    execution = rows.execution(scout)
    await queue.start(database, execution)
    return execution


def finished(run, **more):
    """Return the run with every column of a result filled in."""
    return replace(
        run,
        **{
            "status": "completed",
            "state": "completed",
            "completed_at": rows.AT + timedelta(seconds=9),
            "results_summary": ResultsSummary(
                task_completed=True, task_status="completed", response="**Nine** [S1]"
            ),
            "summary_text": "The ferry sails at nine.",
            "outcome": "new",
            "lease_until": None,
            "model": "ollama/qwen3:8b",
            "embedder": "built-in",
            "usage": Usage(searches=2, pages=3, calls=1),
            "counts": Counts(new=1, unread=2),
            "problems": [Problem(step=2, code="timeout", message="slow", hint="wait")],
            "prompts": "abc",
            **more,
        },
    )


async def test_a_run_starts_and_finishes(database, scout, run):
    """What `finish` writes is what `get` reads; the columns of its start stay."""
    assert await executions.get(database, run.id) == run
    done = finished(run)
    await executions.finish(database, done)
    assert await executions.get(database, run.id) == done
    assert await executions.get(database, uuid4()) is None
    told = "SELECT results_summary FROM scout_executions"
    assert await database.value(dict, told) == {
        "taskCompleted": True,
        "taskStatus": "completed",
        "response": "**Nine** [S1]",
    }


async def test_a_failed_run_keeps_its_error(database, run):
    """A run without a result is stored with what went wrong."""
    failed = replace(
        run, status="failed", outcome="failed", error_message="no model", error_class="model"
    )
    await executions.finish(database, failed)
    assert await executions.get(database, run.id) == failed


async def test_one_live_run_per_scout(database, scout, run):
    """A second run while the first is alive is a conflict, and the first goes on."""
    with pytest.raises(Conflict, match="already running since 2026-11-21 02:37:14"):
        await queue.start(database, rows.execution(scout))
    assert [one.id for one in await executions.of_scout(database, scout.id, 9)] == [run.id]
    await executions.finish(database, finished(run))
    await queue.start(database, rows.execution(scout))


async def test_of_many_starts_at_once_one_wins(database, scout):
    """Eight starts side by side give one run and seven conflicts."""
    starts = [queue.start(database, rows.execution(scout)) for _ in range(8)]
    results = await asyncio.gather(*starts, return_exceptions=True)
    refused = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in refused] == [Conflict] * 7
    assert len(await executions.of_scout(database, scout.id, 9)) == 1


async def test_other_scouts_run_side_by_side(database, scout, run):
    """The rule is per scout."""
    other = rows.scout(scout.user_id)
    await scouts.add(database, other)
    await queue.start(database, rows.execution(other))


async def test_a_run_needs_a_lease_and_a_scout(database, scout):
    """Without a lease a crash would block the scout for ever; without a scout it is nobody's."""
    with pytest.raises(InvalidInput):
        await queue.start(database, rows.execution(scout, lease_until=None))
    with pytest.raises(NotFound):
        await queue.start(database, rows.execution(replace(scout, id=uuid4())))


async def test_an_expired_lease_is_taken_over(database, clock, scout, run):
    """A run whose lease ran out is failed with its open steps, and a new one starts."""
    done, open_ = rows.step(run, 1, status="completed"), rows.step(run, 2)
    await steps.start(database, done)
    await steps.start(database, open_)
    clock.forward(60)
    second = rows.execution(scout, started_at=clock.now())
    await queue.start(database, second)
    lost = await executions.get(database, run.id)
    assert (lost.status, lost.outcome, lost.error_class) == ("failed", "failed", "worker_lost")
    assert (lost.fence, lost.completed_at, lost.lease_until) == (2, clock.now(), None)
    assert "worker lost" in lost.error_message
    states = [step.status for step in await steps.of_execution(database, run.id)]
    assert states == ["completed", "failed"]
    assert (await executions.get(database, second.id)).status == "running"


async def test_a_lease_that_holds_is_respected_to_its_last_moment(database, clock, scout, run):
    """One second before its end a lease still holds; a renewed one holds longer."""
    clock.forward(59)
    with pytest.raises(Conflict):
        await queue.start(database, rows.execution(scout))
    await queue.renew(database, run.id, run.fence, clock.now() + timedelta(minutes=1))
    clock.forward(59)
    with pytest.raises(Conflict):
        await queue.start(database, rows.execution(scout))
    clock.forward(1)
    await queue.start(database, rows.execution(scout))


async def test_a_stale_fence_writes_nothing(database, clock, scout, run):
    """After a take-over the first process can neither renew, finish, step nor hold."""
    step = rows.step(run)
    await steps.start(database, step)
    clock.forward(60)
    await queue.start(database, rows.execution(scout))
    before = await everything(database, run)
    later = clock.now() + timedelta(hours=1)
    late = replace(step, status="completed", output_data={"late": True})
    for write, *args in (
        (queue.renew, run.id, run.fence, later),
        (executions.finish, finished(run)),
        (steps.start, rows.step(run, 2)),
        (steps.finish, late),
        (executions.hold, run.id, run.fence),
    ):
        with pytest.raises(FenceLost):
            await write(database, *args)
    assert await everything(database, run) == before


async def everything(db, run):
    """Return the run and its steps as they are stored."""
    return await executions.get(db, run.id), await steps.of_execution(db, run.id)


async def test_a_finished_run_takes_no_more(database, run):
    """A second finish and a late step of the same process are refused as well."""
    await executions.finish(database, finished(run))
    before = await everything(database, run)
    with pytest.raises(FenceLost):
        await executions.finish(database, finished(run, outcome="degraded"))
    with pytest.raises(FenceLost):
        await steps.start(database, rows.step(run))
    assert await everything(database, run) == before


async def test_findings_go_with_a_lost_fence(database, clock, scout, run):
    """Findings written in the transaction whose finish is refused are not stored."""
    clock.forward(60)
    await queue.start(database, rows.execution(scout))

    async def report():
        async with database.transaction() as tx:
            await findings.add_many(tx, [rows.finding(scout, execution_id=run.id)])
            await executions.finish(tx, finished(run))

    with pytest.raises(FenceLost):
        await report()
    assert await findings.count(database, scout.id) == 0


async def test_hold_keeps_the_run_until_the_commit(database, clock, scout, run):
    """While one transaction holds a run, a take-over waits for its end."""
    clock.forward(60)
    async with database.transaction() as tx:
        await executions.hold(tx, run.id, run.fence)
        thief = asyncio.create_task(queue.start(database, rows.execution(scout)))
        done, _ = await asyncio.wait({thief}, timeout=0.2)
        assert not done
        await tx.execute("UPDATE scouts SET goal = $1 WHERE id = $2", "held", scout.id)
    await thief
    assert (await scouts.get(database, scout.id)).goal == "held"


async def test_steps_come_back_in_their_order(database, run):
    """A step is stored as it starts and as it ends, whatever order they end in."""
    first = rows.step(run, 1, input_data={"query": "ferry"})
    second = rows.step(run, 2, step_type="scrape")
    await steps.start(database, second)
    await steps.start(database, first)
    assert await steps.of_execution(database, run.id) == [first, second]
    ended = replace(
        first,
        status="failed",
        completed_at=rows.AT,
        error_message="timeout",
        output_data=[{"searchResults": []}],
        answered_by="code",
    )
    await steps.finish(database, ended)
    assert await steps.of_execution(database, run.id) == [ended, second]
    assert await steps.of_execution(database, uuid4()) == []


async def test_a_step_number_is_used_once(database, run):
    """The same number twice is a conflict; finishing an unknown step is not found."""
    await steps.start(database, rows.step(run, 1))
    with pytest.raises(Conflict):
        await steps.start(database, rows.step(run, 1))
    with pytest.raises(NotFound):
        await steps.finish(database, rows.step(run, 1))


async def test_runs_are_listed_newest_first(database, scout):
    """`of_scout` gives the last ones; `by_prefix` finds a run of the same owner only."""
    made = []
    for minutes in range(4):
        at = rows.AT + timedelta(minutes=minutes)
        one = rows.execution(scout, status="completed", state="completed", started_at=at)
        await queue.start(database, one)
        made.insert(0, one)
    assert await executions.of_scout(database, scout.id, 3) == made[:3]
    prefix = str(made[2].id)[:13].upper()
    assert await executions.by_prefix(database, scout.user_id, prefix) == [made[2]]
    assert await executions.by_prefix(database, uuid4(), prefix) == []
    for hopeless in ("", "%", "_", "zz", "'; --"):
        assert await executions.by_prefix(database, scout.user_id, hopeless) == []
