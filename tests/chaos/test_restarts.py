"""PostgreSQL is pulled down under load, again and again: nothing is lost, and work goes on soon."""

from __future__ import annotations

import asyncio
import bisect
import time
from pathlib import Path

import pytest

from tests.chaos import examination, harness, places
from tests.chaos.harness import Outcome
from tests.chaos.places import Place
from tests.chaos.receiver import Receiver
from tests.chaos.worker_process import Order

pytestmark = pytest.mark.chaos
GOAL = 5.0
"""Seconds from the crash of the server to the end of the next run."""
PAUSE = 3.0
"""Seconds between two crashes."""


async def restarts(
    place: Place,
    seed: int,
    *,
    restarts: int,
    slots: int,
    execute: str = "local://",
) -> Outcome:
    """Crash the server while workers use it, and start it again at once.

    Runs that were cut short wait for their retry, a minute in the real world, a second here.

    Args:
        place: a PostgreSQL database.
        seed: of the moments.
        restarts: how many.
        slots: how many scouts become due, once each, meanwhile.
        execute: how runs come to the workers.
    """
    assert place.server is not None
    began = time.monotonic()
    journal = place.folder / "journal"
    with Receiver() as receiver:
        order = Order(
            url=place.url,
            receiver=receiver.host,
            journal=str(journal),
            lease=2.0,
            delay=0.05,
            retry=1.0,
            haste=60.0,
            crashes=10_000,
            execute=execute,
        )
        with harness.crew(order, 4, seed) as crew:
            await crew.ready()
            scouts = await harness.plant(place.db, slots, receiver, over=restarts * PAUSE)
            crashes = []
            for _ in range(restarts):
                await asyncio.sleep(crew.chance.uniform(0.5, 1.5) * PAUSE)
                crashes.append(time.monotonic())
                places.restart(place.server)
            await examination.quiet(place.db, crew, 60 + slots / 10)
            await crew.dismiss()
        found = await examination.examine(place.db, scouts, receiver.kept(), journal)
    waits = recoveries(journal, crashes)
    return Outcome(
        test="restarts" if execute == "local://" else f"restarts, {execute}",
        database=place.kind,
        seed=seed,
        seconds=time.monotonic() - began,
        counts={
            "restarts": restarts,
            **found.counts,
            "recovery_median_s": round(waits[len(waits) // 2], 2),
            "recovery_p99_s": round(waits[min(len(waits) - 1, int(len(waits) * 0.99))], 2),
        },
        faults={
            **found.faults,
            "recoveries_too_late": sum(wait > GOAL for wait in waits[: int(len(waits) * 0.99) + 1]),
            "workers_fell": sum(crew.died.values()),
        },
        details=found.details,
    )


def recoveries(journal: Path, crashes: list[float]) -> list[float]:
    """Return, shortest first, the seconds from each crash to the end of the next good run.

    The first quarter of a second does not count: what ends in it was stored before.
    """
    ends = sorted(line["t"] for line in examination.read(journal) if line.get("outcome") == "new")
    found = []
    for crash in crashes:
        after = bisect.bisect(ends, crash + 0.25)
        if after < len(ends):
            found.append(ends[after] - crash)
    return sorted(found)


async def test_a_crash_of_the_server_loses_nothing(on):
    """Three crashes, a hundred slots, and every one is run and told."""
    async with on("postgresql") as place:
        (await restarts(place, 5, restarts=3, slots=100)).check()
