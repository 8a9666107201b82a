"""Many schedulers at once over one heap of due slots: each slot is queued and claimed once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import pytest

from scout_cli.core.models import Record
from tests.chaos import examination, harness
from tests.chaos.harness import Outcome
from tests.chaos.places import KINDS, Place
from tests.chaos.scheduling_process import schedule
from tests.chaos.worker_process import Order

pytestmark = pytest.mark.chaos


class Slots(Record, frozen=True, kw_only=True):
    """What became of the slots of a database."""

    runs: int
    completed: int


async def schedulers(place: Place, seed: int, *, processes: int, slots: int) -> Outcome:
    """Let processes queue and claim the same slots at once, twice.

    Before the second time every scout is set back to the slot that it has just run, as somebody
    does who writes back a whole row that was read a while ago.

    Args:
        place: the database.
        seed: printed; the race itself has none.
        processes: at the same time.
        slots: due scouts.
    """
    began = time.monotonic()
    journal = place.folder / "journal"
    order = Order(url=place.url, receiver="", journal=str(journal), lease=60.0)
    await harness.plant(place.db, slots, None)
    await _race(order, processes)
    raced = time.monotonic() - began
    await place.db.execute("UPDATE scouts SET next_run_at = anchor")
    await _race(order, processes)
    sql = """SELECT count(*) AS runs, count(CASE WHEN state = 'completed' THEN 1 END) AS completed
        FROM scout_executions"""
    found = await place.db.one(Slots, sql)
    assert found is not None
    lines = examination.read(journal)
    claims = Counter(line["id"] for line in lines if line["at"] == "claimed")
    violations = await examination.violated(place.db)
    rest = await examination.left(place.db)
    shares = Counter(line["pid"] for line in lines if line["at"] == "claimed")
    return Outcome(
        test="schedulers",
        database=place.kind,
        seed=seed,
        seconds=time.monotonic() - began,
        counts={
            "processes": processes,
            "slots": slots,
            "claimers": len(shares),
            "slots_per_second": round(slots / raced),
        },
        faults={
            "slots_missing": slots - found.completed,
            "slots_run_twice": found.runs - slots,
            "claimed_twice": sum(number > 1 for number in claims.values()),
            "unfinished": rest.due + rest.live,
            "violations": len(violations),
        },
        details=[str(each) for each in violations],
    )


async def _race(order: Order, processes: int) -> None:
    racing = [
        harness.fork.Process(target=schedule, args=(order,), daemon=True) for _ in range(processes)
    ]
    for process in racing:
        process.start()
    for process in racing:
        await asyncio.to_thread(process.join, 300)
        assert process.exitcode == 0, "a scheduler fell"


@pytest.mark.parametrize("kind", KINDS)
async def test_each_slot_belongs_to_one_scheduler(on, kind):
    """Four processes, six hundred slots, each claimed once, though all are set back once."""
    async with on(kind) as place:
        (await schedulers(place, 1, processes=4, slots=600)).check()
