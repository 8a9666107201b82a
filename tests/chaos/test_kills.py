"""SIGKILL at any moment: no slot is lost, no finding is lost, and none comes under two keys."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.chaos import examination, harness
from tests.chaos.harness import Outcome
from tests.chaos.places import KINDS, Place
from tests.chaos.receiver import Receiver
from tests.chaos.worker_process import Order

pytestmark = pytest.mark.chaos


async def kills(
    place: Place,
    seed: int,
    *,
    kills: int,
    slots: int,
    doom: float = 0.02,
    workers: int = 5,
    spread: float = 0.15,
    execute: str = "local://",
) -> Outcome:
    """Kill random workers while slots become due; now and then they kill themselves.

    Their own deaths come at the worst moments: while a run is being stored, between its end and
    the delivery of its news, and when a message has arrived and nobody has noted that yet.
    Three deaths of its process fail a run, as nobody knows that it is not to blame; here it never
    is, so that limit is lifted.

    Args:
        place: the database.
        seed: of the choice of victims and moments.
        kills: how many.
        slots: how many scouts become due, once each, in the time of the kills.
        doom: the chance of a death of its own at each of a worker's worst moments.
        workers: at a time.
        spread: the longest time between two kills, seconds.
        execute: how runs come to the workers.
    """
    began = time.monotonic()
    with Receiver() as receiver:
        journal = place.folder / "journal"
        order = Order(
            url=place.url,
            receiver=receiver.host,
            journal=str(journal),
            lease=1.0,
            delay=0.05,
            doom=doom,
            concurrency=4,
            crashes=10_000,
            execute=execute,
        )
        with harness.crew(order, workers, seed) as crew:
            await crew.ready()
            scouts = await harness.plant(place.db, slots, receiver, over=kills * spread / 2)
            for _ in range(kills):
                await asyncio.sleep(crew.chance.uniform(0, spread))
                crew.replace_fallen()
                crew.kill()
            await examination.quiet(place.db, crew, 60 + slots / 20)
            await crew.dismiss()
        found = await examination.examine(place.db, scouts, receiver.kept(), journal)
    return Outcome(
        test="kills" if execute == "local://" else f"kills, {execute}",
        database=place.kind,
        seed=seed,
        seconds=time.monotonic() - began,
        counts={"kills": kills, "own_deaths": crew.died[-9], **found.counts},
        faults={**found.faults, "workers_fell": crew.fell},
        details=found.details,
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_lost_and_nothing_comes_twice(on, kind):
    """Forty kills, a hundred and fifty slots: each is run, and told under one key."""
    async with on(kind) as place:
        (await kills(place, 4, kills=40, slots=150, doom=0.04)).check()
