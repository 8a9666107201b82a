"""What is found in a database and at a receiver after chaos, compared with what had to happen."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import msgspec

from scout_cli.core.models import REPORTED, Record
from scout_cli.errors import DatabaseUnavailable
from scout_cli.store import invariants
from scout_cli.store.database import Database
from tests.chaos.receiver import Kept


class Replacing(Protocol):
    """Workers of which the fallen are replaced."""

    def replace_fallen(self) -> None:
        """Replace them."""
        ...


class Left(Record, frozen=True, kw_only=True):
    """What is not done yet."""

    due: int
    live: int
    unsent: int


async def left(db: Database) -> Left:
    """Return how much is left to do."""
    sql = """
        SELECT (SELECT count(*) FROM scouts WHERE is_active AND next_run_at <= $1) AS due,
            (SELECT count(*) FROM scout_executions WHERE status = 'running') AS live,
            (SELECT count(*) FROM notification_outbox
                WHERE state IN ('pending', 'sending')) AS unsent
    """
    found = await db.one(Left, sql, await db.now())
    assert found is not None
    return found


async def quiet(db: Database, crew: Replacing | None, seconds: float) -> bool:
    """Wait until nothing is left to do; return whether that came to pass in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if crew is not None:
            crew.replace_fallen()
        with suppress(DatabaseUnavailable):
            rest = await left(db)
            if not (rest.due or rest.live or rest.unsent):
                return True
        await asyncio.sleep(0.1)
    return False


class SlotRun(Record, frozen=True, kw_only=True):
    """One execution with a slot."""

    id: UUID
    scout_id: UUID
    state: str
    slot_at: datetime
    crash_count: int
    error_message: str | None


@dataclass(kw_only=True)
class Examination:
    """What is found in a database and at a receiver when all is quiet."""

    counts: dict[str, Any]
    faults: dict[str, int]
    details: list[str]


async def examine(
    db: Database, scouts: list[UUID], kept: Kept | None, journal: Path, *, recurring: int = 0
) -> Examination:
    """Compare what had to happen with what the database and the receiver say did.

    Args:
        db: the database.
        scouts: those that had one slot each.
        kept: what the receiver knows.
        journal: what the workers wrote down.
        recurring: how many other scouts there are; that each of their slots was run once is one of
            the invariants.
    """
    sql = """SELECT id, scout_id, state, slot_at, crash_count, error_message
        FROM scout_executions WHERE slot_at IS NOT NULL"""
    runs = await db.all(SlotRun, sql)
    done = Counter(run.scout_id for run in runs if run.state == "completed")
    rest = await left(db)
    violations = await violated(db)
    written = read(journal)
    twice = _completed_twice(written)
    told = "SELECT count(DISTINCT scout_id) FROM scout_findings"
    stale = """SELECT count(*) FROM scout_executions e WHERE e.state = 'completed'
        AND NOT EXISTS (SELECT 1 FROM scout_execution_steps s
            WHERE s.execution_id = e.id AND s.fence = e.fence)"""
    faults = {
        "lost_slots": sum(done[scout] == 0 for scout in scouts),
        "scouts_without_finding": len(scouts) + recurring - (await db.value(int, told) or 0),
        "slots_run_twice": sum(done[scout] > 1 for scout in scouts),
        "double_completions": len(twice),
        "stored_past_the_lease": await db.value(int, stale) or 0,
        "unfinished": rest.due + rest.live + rest.unsent,
        "violations": len(violations),
    }
    counts = {
        "slots": len(runs),
        "runs_killed": sum(run.crash_count for run in runs),
        "fences_held": sum(line.get("outcome") == "lost" for line in written),
    }
    details = [f"{each}" for each in violations]
    details += [f"completed twice: {each}" for each in twice]
    details += [f"{run.state}: {run.error_message}" for run in runs if run.state != "completed"]
    if kept is not None:
        more = await _heard(db, kept)
        counts |= more.counts
        faults |= more.faults
        details += more.details
    return Examination(counts=counts, faults=faults, details=details)


async def violated(db: Database, *, steady: bool = True) -> list[Any]:
    """Return which of scout's own invariants do not hold, now that all work is done.

    Args:
        db: the database.
        steady: whether the clock and the scouts were left alone.
    """
    return await invariants.check(db, await db.now(), steady=steady)


async def _heard(db: Database, kept: Kept) -> Examination:
    kinds = ", ".join(f"'{each}'" for each in sorted(REPORTED))
    sql = f"SELECT id FROM scout_findings WHERE novelty IN ({kinds})"
    found = {str(each) for each in await db.all(UUID, sql)}
    lost = found - kept.findings.keys()
    invented = kept.findings.keys() - found
    given_up = "SELECT count(*) FROM notification_outbox WHERE state IN ('dead', 'unknown')"
    return Examination(
        counts={"findings": len(found), "messages": len(kept.times), "wire_repeats": kept.repeats},
        faults={
            "lost_findings": len(lost),
            "findings_of_nothing": len(invented),
            "duplicate_keys": len(kept.duplicates),
            "given_up": await db.value(int, given_up) or 0,
        },
        details=[f"lost finding: {each}" for each in sorted(lost)],
    )


def read(journal: Path) -> list[dict[str, Any]]:
    """Return what the workers wrote down."""
    if not journal.exists():
        return []
    return [msgspec.json.decode(line) for line in journal.read_bytes().splitlines()]


def _completed_twice(lines: list[dict[str, Any]]) -> list[str]:
    completed = ("new", "nothing_new", "degraded")
    times = Counter(line["id"] for line in lines if line.get("outcome") in completed)
    return [id_ for id_, number in times.items() if number > 1]
