"""From the clock to the queue, the same on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from scout_cli.core.models import ScoutPatch
from scout_cli.service.lease import Terms
from scout_cli.service.scheduler import Scheduler
from scout_cli.store import executions, queue, scouts, users
from tests.contract import rows
from tests.contract.notices import Told

TERMS = Terms(owner="here/1")
DAY = timedelta(days=1)


@pytest.fixture
def told():
    """Return what people were told."""
    return Told()


@pytest.fixture
def scheduler(database, clock, told):
    """Return a scheduler as `tick` has it."""
    return Scheduler(database, clock, told, lease=TERMS.lease)


@pytest.fixture
async def owner(database):
    """Return the local owner."""
    return await users.local_owner(database)


@pytest.fixture
def add(database, owner, clock):
    """Return a function that stores an active scout, made now and due now."""

    async def add(**more):
        now = clock.now()
        row = {"goal": "ferries", "created_at": now, "next_run_at": now, "anchor": now}
        scout = rows.scout(owner.id, **{**row, **more})
        await scouts.add(database, scout)
        return scout

    return add


async def runs_of(database, scout):
    """Return the runs of a scout, oldest first."""
    return sorted(
        await executions.of_scout(database, scout.id, 99), key=lambda run: run.slot_at or rows.AT
    )


async def test_a_due_scout_is_queued_once(database, clock, scheduler, add):
    """Its slot becomes one queued run, and the scout waits for the next slot."""
    scout = await add(timezone="Europe/Berlin")
    assert (await scheduler.plan()).queued == 1
    assert (await scheduler.plan()).queued == 0
    (run,) = await runs_of(database, scout)
    assert (run.state, run.status, run.trigger) == ("queued", "running", "schedule")
    assert run.slot_at == run.covers_from == clock.now()
    assert (await scouts.get(database, scout.id)).next_run_at == clock.now() + DAY


async def test_what_is_not_due_is_left_alone(database, scheduler, clock, add):
    """A scout that rests, one that waits and one without a goal are not queued."""
    await add(is_active=False)
    await add(next_run_at=clock.now() + timedelta(seconds=1))
    await add(goal=None)
    assert (await scheduler.plan()).queued == 0


async def test_eight_schedulers_queue_each_slot_once(database, clock, told, add):
    """What two see, one gets."""
    made = [await add() for _ in range(40)]
    schedulers = [Scheduler(database, clock, told, lease=TERMS.lease) for _ in range(8)]
    planned = await asyncio.gather(*(each.plan() for each in schedulers))
    assert sum(each.queued for each in planned) == 40
    for scout in made:
        assert len(await runs_of(database, scout)) == 1


async def test_missed_slots_become_one_run(database, clock, scheduler, add, told):
    """After four days one run stands for all of them, and its lateness is told once."""
    scout = await add()
    due = clock.now()
    clock.forward(4 * 86_400 + 3_600)
    await scheduler.plan()
    (run,) = await runs_of(database, scout)
    assert (run.covers_from, run.slot_at) == (due, due + 4 * DAY)
    assert (await scouts.get(database, scout.id)).next_run_at == due + 5 * DAY
    assert told.late == [(scout.title, due)]


async def test_lateness_is_told_again_only_after_a_run_in_time(database, clock, scheduler, add):
    """A scout that is late time after time is one notice; on time once, it may be told again."""
    told = scheduler._notices
    scout = await add()
    for days in (3, 3, 1, 3):
        clock.forward(days * 86_400)
        await scheduler.plan()
        for run in await queue.claim(database, TERMS.begin(clock.now()), 9):
            done = replace(run, status="completed", state="completed", completed_at=clock.now())
            await executions.finish(database, done)
    assert len(told.late) == 2
    assert (await scouts.get(database, scout.id)).late_slot is not None


async def test_a_run_that_never_ends_is_told_as_lateness(database, clock, scheduler, add, told):
    """A queue that does not move is as bad as a schedule that does not fire."""
    await add(schedule="hourly")
    await scheduler.plan()
    clock.forward(3_600)
    assert (await scheduler.plan()).late == 0
    clock.forward(3_600)
    assert (await scheduler.plan()).late == 1
    assert (await scheduler.plan()).late == 0
    assert len(told.late) == 1


@pytest.mark.parametrize(
    "patch",
    [
        ScoutPatch(frequency="weekly"),
        ScoutPatch(schedule="weekly", frequency="weekly"),
    ],
)
async def test_a_change_of_rhythm_moves_the_next_run(database, clock, scheduler, add, patch):
    """Whoever writes `frequency` or `schedule`: the rhythm and the next run follow."""
    scout = await add(last_run_at=clock.now(), next_run_at=clock.now() + DAY, frequency="daily")
    await scouts.update(database, scout.id, patch)
    assert (await scheduler.plan()).scheduled == 1
    changed = await scouts.get(database, scout.id)
    assert (changed.schedule, changed.frequency) == ("weekly", "weekly")
    assert changed.next_run_at == clock.now() + 7 * DAY


async def test_a_frequency_at_birth_is_its_rhythm(database, add):
    """The web interface knows no `schedule`."""
    scout = await add(frequency="every_3_days")
    assert (await scouts.get(database, scout.id)).schedule == "every_3_days"


async def test_a_cron_line_outlives_writes_that_do_not_change_the_frequency(database, add):
    """The interface writes all its fields back; the finer rhythm stays."""
    scout = await add(schedule="0 9 * * 1", frequency="weekly")
    await scouts.update(database, scout.id, ScoutPatch(title="Boats", frequency="weekly"))
    assert (await scouts.get(database, scout.id)).schedule == "0 9 * * 1"


async def test_a_resumed_scout_starts_over(database, clock, scheduler, add):
    """Waking up forgets failures and reasons; a slot it slept through is one run, not late."""
    told = scheduler._notices
    scout = await add(last_run_at=clock.now(), next_run_at=clock.now() + DAY)
    sleeping = ScoutPatch(is_active=False, consecutive_failures=3, paused_reason="it failed")
    await scouts.update(database, scout.id, sleeping)
    clock.forward(10 * 86_400 + 60)
    await scouts.update(database, scout.id, ScoutPatch(is_active=True))
    awake = await scouts.get(database, scout.id)
    assert (awake.consecutive_failures, awake.paused_reason) == (0, None)
    planned = await scheduler.plan()
    assert (planned.scheduled, planned.queued, told.late) == (1, 1, [])
    (run,) = await runs_of(database, scout)
    assert run.slot_at == clock.now() - timedelta(seconds=60)


async def test_a_draft_runs_at_once_when_it_is_activated(database, clock, scheduler, add):
    """The first run of a new scout waits for no slot, and its time of day is kept."""
    scout = await add(is_active=False, next_run_at=None, anchor=None)
    clock.forward(5_000)
    await scouts.update(database, scout.id, ScoutPatch(is_active=True))
    assert (await scheduler.plan()).queued == 1
    assert (await scouts.get(database, scout.id)).next_run_at == clock.now() + DAY


async def test_a_lost_worker_gives_its_run_back(database, clock, scheduler, add):
    """When the lease ends the run is queued anew, with its slot and a count of the crash."""
    scout = await add()
    await scheduler.plan()
    (first,) = await queue.claim(database, TERMS.begin(clock.now()), 9)
    assert (first.state, first.attempt, first.fence) == ("running", 1, 1)
    clock.forward(59)
    assert (await scheduler.plan()).taken_back == 0
    clock.forward(1)
    assert (await scheduler.plan()).taken_back == 1
    (run,) = await runs_of(database, scout)
    assert (run.state, run.crash_count, run.attempt, run.fence) == ("queued", 1, 0, 2)
    assert run.slot_at == first.slot_at


async def test_the_third_crash_fails_the_run(database, clock, scheduler, add):
    """A poison scout does not take its worker down for ever, and it counts against the scout."""
    scout = await add()
    for _ in range(3):
        await scheduler.plan()
        assert await queue.claim(database, TERMS.begin(clock.now()), 9)
        clock.forward(60)
    await scheduler.plan()
    (run,) = await runs_of(database, scout)
    assert (run.status, run.state, run.error_class) == ("failed", "failed", "worker_lost")
    assert (await scouts.get(database, scout.id)).consecutive_failures == 1


async def test_a_run_past_its_deadline_is_taken_from_a_living_worker(
    database, clock, scheduler, add
):
    """A worker that hangs with a beating heart loses the run all the same."""
    await add()
    await scheduler.plan()
    (run,) = await queue.claim(database, TERMS.begin(clock.now()), 9)
    for _ in range(33):
        clock.forward(59)
        await queue.renew(database, run.id, run.fence, clock.now() + TERMS.lease)
    assert (await scheduler.plan()).taken_back == 1


async def test_a_patient_scheduler_is_not_fooled_by_a_clock_that_jumps(database, clock, told, add):
    """A living worker keeps its run when the wall clock leaps a day; a dead one loses it later."""
    await add(schedule="weekly")
    patient = Scheduler(database, clock, told, lease=TERMS.lease, patient=True)
    await patient.plan()
    (run,) = await queue.claim(database, TERMS.begin(clock.now()), 9)
    clock.moment += DAY
    assert (await patient.plan()).taken_back == 0
    clock.forward(59)
    assert (await patient.plan()).taken_back == 0
    await queue.renew(database, run.id, run.fence, clock.now())
    clock.forward(1)
    assert (await patient.plan()).taken_back == 0
    clock.forward(60)
    assert (await patient.plan()).taken_back == 1


@pytest.mark.parametrize("jump", [DAY, 3650 * DAY])
async def test_a_clock_that_leaps_and_comes_back_costs_one_run(
    database, clock, scheduler, add, jump
):
    """At most one run too many, and none is skipped after the clock is right again."""
    scout = await add()
    await scheduler.plan()
    for run in await queue.claim(database, TERMS.begin(clock.now()), 9):
        done = replace(run, status="completed", state="completed", completed_at=clock.now())
        await executions.finish(database, done)
    clock.moment += jump
    await scheduler.plan()
    (extra,) = await queue.claim(database, TERMS.begin(clock.now()), 9)
    clock.moment -= jump
    clock.forward(120)
    assert (await scheduler.plan()).queued == 0
    back = await executions.get(database, extra.id)
    assert back.lease_until <= clock.now() + TERMS.lease
    assert (await scouts.get(database, scout.id)).next_run_at <= clock.now() + DAY


async def test_claims_are_shared_out(database, clock, scheduler, add):
    """Twenty runs and eight claimers: each run is claimed once, the oldest first."""
    for minutes in range(20):
        due = clock.now() - timedelta(minutes=minutes)
        await add(next_run_at=due, anchor=due)
    await scheduler.plan()
    first = await queue.claim(database, TERMS.begin(clock.now()), 1)
    assert first[0].slot_at == clock.now() - timedelta(minutes=19)
    taken = await asyncio.gather(
        *(queue.claim(database, TERMS.begin(clock.now()), 5) for _ in range(8))
    )
    ids = [run.id for claimed in (first, *taken) for run in claimed]
    assert len(ids) == len(set(ids)) == 20


async def test_somebody_who_asks_takes_the_waiting_run(database, clock, scheduler, add):
    """`scout run` on a queued scout is that run, not a second one."""
    scout = await add()
    await scheduler.plan()
    (waiting,) = await runs_of(database, scout)
    got = await queue.start(database, rows.execution(scout))
    assert (got.id, got.state) == (waiting.id, "running")
    assert len(await runs_of(database, scout)) == 1
