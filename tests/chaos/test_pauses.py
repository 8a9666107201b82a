"""A worker that was stopped for longer than its lease, and goes on, completes nothing twice."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.chaos import examination, harness
from tests.chaos.harness import Crew, Outcome
from tests.chaos.places import KINDS, Place
from tests.chaos.receiver import Receiver
from tests.chaos.worker_process import Order

pytestmark = pytest.mark.chaos
LEASE = 0.6
FROZEN = LEASE * 2
"""Seconds; enough for another worker to take over and be at work when the first one wakes."""


async def pauses(place: Place, seed: int, *, pauses: int, slots: int, workers: int = 6) -> Outcome:
    """Freeze workers past their lease while they work, and let them go on.

    Half of them are frozen at random moments. Half freeze themselves just before they store a
    result, and wake when another worker is at work on the same run: the worst moment there is.

    Args:
        place: the database.
        seed: of the choice of victims and moments.
        pauses: how many from outside; about as many more come from inside.
        slots: how many scouts become due, once each, meanwhile.
        workers: at a time.
    """
    began = time.monotonic()
    journal = place.folder / "journal"
    with Receiver() as receiver:
        order = Order(
            url=place.url,
            receiver=receiver.host,
            journal=str(journal),
            lease=LEASE,
            delay=0.1,
            doze=pauses / slots / 2,
            linger=0.3,
            crashes=10_000,
        )
        with harness.crew(order, workers, seed) as crew:
            await crew.ready()
            length = pauses * FROZEN / 4
            scouts = await harness.plant(place.db, slots, receiver, over=length)
            alarm = asyncio.create_task(_wake(crew, journal))
            await asyncio.gather(*(_freeze(crew, pauses // 4) for _ in range(2)))
            await examination.quiet(place.db, crew, 30 + slots / 10)
            alarm.cancel()
            await asyncio.gather(alarm, return_exceptions=True)
            await crew.dismiss()
        found = await examination.examine(place.db, scouts, receiver.kept(), journal)
    dozed = sum(line["at"] == "dozing" for line in examination.read(journal))
    return Outcome(
        test="pauses",
        database=place.kind,
        seed=seed,
        seconds=time.monotonic() - began,
        counts={"pauses": 2 * (pauses // 4) + dozed, "before_storing": dozed, **found.counts},
        faults={**found.faults, "workers_fell": crew.fell + crew.died[-9]},
        details=found.details,
    )


async def _freeze(crew: Crew, times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(crew.chance.uniform(0.1, 0.3))
        victim = crew.stop_one()
        await asyncio.sleep(FROZEN)
        crew.let_go_on(victim)


async def _wake(crew: Crew, journal: Path) -> None:
    """Let workers go on that froze themselves: when another one is at work on the same run."""
    dozing: dict[str, tuple[int, float]] = {}
    seen = 0
    while True:
        lines = examination.read(journal)
        for line in lines[seen:]:
            if line["at"] == "dozing":
                dozing[line["id"]] = (line["pid"], line["t"])
            if line["at"] == "started" and line["id"] in dozing:
                crew.wake(dozing.pop(line["id"])[0])
        seen = len(lines)
        # Where nobody takes over, as all the others are frozen as well.
        for id_, (pid, since) in list(dozing.items()):
            if time.monotonic() - since > 3 * FROZEN:
                crew.wake(pid)
                del dozing[id_]
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", KINDS)
async def test_who_slept_past_his_lease_completes_nothing(on, kind):
    """About a dozen pauses, sixty slots: each is completed once, by who holds it."""
    async with on(kind) as place:
        outcome = await pauses(place, 8, pauses=12, slots=60)
        outcome.check()
        assert outcome.counts["fences_held"] > 0, "no pause met a run: " + outcome.line
