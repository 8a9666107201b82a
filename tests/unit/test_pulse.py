"""Work under a lease: it ends with its result, or at once when the lease is gone."""

import asyncio
from datetime import timedelta

import pytest

from scout_cli.errors import DatabaseUnavailable, FenceLost
from scout_cli.service.pulse import while_held
from tests.contract.databases import StoppedClock

LEASE = timedelta(seconds=0.02)


async def held(work, renew, clock=None):
    """Do work under a lease of a few milliseconds."""
    return await while_held(work, renew, clock or StoppedClock(), LEASE, "the thing")


async def test_a_process_that_stood_still_for_longer_than_its_lease_lets_go():
    """Stopped, or its loop blocked: it does not ask whether it may go on, and its work ends."""
    clock, asked, ended = StoppedClock(), [], asyncio.Event()

    async def work():
        await asyncio.sleep(0)  # the lease is held from here on
        clock.forward(1)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def renew():
        asked.append(True)
        return True

    with pytest.raises(FenceLost, match=r"the thing gave no sign of life for 0\.02 s"):
        await held(work(), renew, clock)
    assert ended.is_set()
    assert asked == []


async def test_a_database_that_does_not_answer_is_asked_again():
    """Until the lease is over there is hope."""
    answers, asked = iter([DatabaseUnavailable("away"), None]), asyncio.Event()

    async def renew():
        if error := next(answers, None):
            raise error
        asked.set()
        return True

    await held(asked.wait(), renew)


async def test_nothing_left_to_hold_is_no_loss():
    """The work ends by itself, and what it returns or raises is what the caller gets."""
    let_go = asyncio.Event()

    async def renew():
        let_go.set()
        return False

    async def work():
        await let_go.wait()
        await asyncio.sleep(0)
        return "done"

    async def broken():
        raise ValueError("its own")

    assert await held(work(), renew) == "done"
    with pytest.raises(ValueError, match="its own"):
        await held(broken(), renew)
