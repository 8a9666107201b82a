"""The sign of life of a run: it ends with the lease, and its own end is no loss."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from scout_cli.errors import FenceLost
from scout_cli.service.lease import Terms, alive
from scout_cli.store import executions, queue, scouts, takeover, users
from tests.contract import rows

TERMS = Terms(owner="here/1", lease=timedelta(seconds=0.2))


@pytest.fixture
async def execution(database, clock):
    """Return a running execution that is ours."""
    owner = await users.local_owner(database)
    scout = rows.scout(owner.id)
    await scouts.add(database, scout)
    lease = TERMS.begin(clock.now())
    run = rows.execution(scout, lease_until=lease.until, deadline_at=lease.deadline)
    return await queue.start(database, run)


async def test_a_run_that_has_ended_by_itself_is_not_lost(database, clock, execution):
    """A sign of life that comes just after the commit does not turn a result into a failure."""

    async def work():
        done = replace(execution, state="completed", status="completed", completed_at=clock.now())
        await executions.finish(database, done)
        await asyncio.sleep(0.3)
        return "a result"

    assert await alive(database, clock, execution, TERMS, work()) == "a result"


async def test_a_run_that_was_taken_over_ends_at_once(database, clock, execution):
    """Its work is cancelled, not waited for."""
    ended = asyncio.Event()

    async def work():
        await takeover.take_back(
            database, [takeover.Expired(id=execution.id, beats=0)], clock.now() + timedelta(days=1)
        )
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(FenceLost):
        await alive(database, clock, execution, TERMS, work())
    assert ended.is_set()
