"""A full disk stops writing, and nothing else: no damage, no restart, no promised row lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from scout_cli.config import Settings
from scout_cli.core.models import ScoutPatch
from scout_cli.errors import DatabaseUnavailable, ScoutError
from scout_cli.service.ballast import is_full
from scout_cli.service.upkeep import Upkeep
from scout_cli.store import findings, invariants, scouts, users
from scout_cli.store.database import Database
from tests.chaos.harness import Outcome
from tests.cli.stage import GOAL, StagedApp
from tests.contract import rows
from tests.contract.databases import StoppedClock

pytestmark = pytest.mark.chaos

TIMES = 5
"""Full and freed, in the short form."""
_BALLAST = 2
"""MiB."""
_DISK = "9m"


class MovingClock(StoppedClock):
    """A clock that the test moves, and whose seconds since the start are real ones besides."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.seconds + time.monotonic()


@contextmanager
def small_disk(folder: Path, size: str = _DISK) -> Iterator[Path]:
    """Mount a file system of a few megabytes at `folder`, or skip where that is not allowed."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root on Linux")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    """Return a folder with a few megabytes of room."""
    with small_disk(tmp_path / "disk") as folder:
        yield folder


def fill_up(folder: Path) -> Path:
    """Take all room that is left, to the last byte, and return the file that holds it."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4_096)
    return filler


async def write_until_full(db: Database, scout, promised: set[UUID]) -> DatabaseUnavailable:
    """Store findings until the disk is full; note those whose commit returned."""
    while True:
        batch = [rows.finding(scout) for _ in range(10)]
        try:
            await findings.add_many(db, batch)
        except DatabaseUnavailable as error:
            return error
        promised.update(each.id for each in batch)


async def writes_again(db: Database, scout, promised: set[UUID]) -> bool:
    """Store one finding; return whether that worked."""
    one = rows.finding(scout)
    with suppress(DatabaseUnavailable):
        await findings.add_many(db, [one])
        promised.add(one.id)
        return True
    return False


async def disk_full(folder: Path, *, times: int) -> Outcome:
    """Fill the disk under an open database and free it, again and again.

    Args:
        folder: on a disk of a few megabytes.
        times: how often.
    """
    began, clock = time.monotonic(), MovingClock()
    settings = Settings(database_url=f"sqlite:///{folder}/scout.db", ballast=_BALLAST)
    promised: set[UUID] = set()
    stuck = unclear = unmade = 0
    async with StagedApp.open(settings, clock=clock) as app:
        db, upkeep = await app.database(), await app.upkeep()
        scout = rows.scout((await users.local_owner(db)).id, is_active=False)
        await scouts.add(db, scout)
        await upkeep.clean_when_due()
        for _ in range(times):
            filler = fill_up(folder)
            error = await write_until_full(db, scout, promised)
            unclear += not is_full(error) or error.retryable
            stuck += not await upkeep.relieve(error) or not await writes_again(db, scout, promised)
            filler.unlink()
            stuck += not await writes_again(db, scout, promised)
            unmade += not await has_ballast_again(upkeep, clock, folder)
        stored = set(await db.all(UUID, "SELECT id FROM scout_findings"))
        wrong = await invariants.check(db, clock.now())
    return Outcome(
        test="disk full",
        database="sqlite",
        seed=0,
        seconds=time.monotonic() - began,
        counts={"times": times, "promised": len(promised)},
        faults={
            "lost": len(promised - stored),
            "invented": len(stored - promised),
            "stuck": stuck,
            "unclear_errors": unclear,
            "reserve_not_made_again": unmade,
            "violations": len(wrong),
        },
        details=[each.detail for each in wrong],
    )


async def has_ballast_again(upkeep: Upkeep, clock: MovingClock, folder: Path) -> bool:
    """Let the time pass after which the reserve is looked at; return whether it is there."""
    clock.forward(31)
    await upkeep.clean_when_due()
    return (folder / "scout.db.ballast").exists()


async def test_full_and_freed(disk):
    """What was promised is there, the reserve lets the next write through, and comes back."""
    outcome = await disk_full(disk, times=TIMES)
    outcome.check()
    assert outcome.counts["promised"] >= 2 * TIMES


class _Listener:
    def __init__(self) -> None:
        self.outcomes: list[str] = []

    async def ended(self, ended) -> None:
        self.outcomes.append(ended.outcome)

    async def _pass_over(self, *_: object) -> None:
        pass

    planned = started = event = trouble = _pass_over


async def test_a_tick_on_a_full_disk_does_its_work(disk):
    """The reserve is given up before the first write; once it is gone nothing is claimed."""
    clock = MovingClock()
    settings = Settings(
        database_url=f"sqlite:///{disk}/scout.db", llm_url="builtin://", ballast=_BALLAST
    )
    async with StagedApp.open(settings, clock=clock) as app:
        db = await app.database()
        owner = (await users.local_owner(db)).id
        scout = rows.scout(owner, goal=GOAL, search_queries=["ferry"], next_run_at=clock.now())
        await scouts.add(db, scout)
        await (await app.upkeep()).clean_when_due()
        filler = fill_up(disk)
        assert await tick(app) == ["new"]
        assert not (disk / "scout.db.ballast").exists()

        fill_up(disk).rename(disk / "more")
        clock.forward(timedelta(days=1).total_seconds())
        with pytest.raises(DatabaseUnavailable) as caught:
            await tick(app)
        assert is_full(caught.value)
        assert "disk is full" in caught.value.message
        live = "SELECT count(*) FROM scout_executions WHERE status = 'running'"
        assert await db.value(int, live) == 0

        filler.unlink(missing_ok=True)
        (disk / "more").unlink()
        assert await tick(app) == ["nothing_new"]
        clock.forward(31)
        await (await app.upkeep()).clean_when_due()
        assert (disk / "scout.db.ballast").exists()
        await scouts.update(db, scout.id, ScoutPatch(is_active=False))
        assert await invariants.check(db, clock.now()) == []


async def tick(app: StagedApp) -> list[str]:
    """Do what is due, and return what the runs came to."""
    listener = _Listener()
    worker = await app.worker(listener)
    await worker.tick(asyncio.Event())
    return listener.outcomes


async def test_a_restore_without_room_leaves_everything_as_it_was(disk, tmp_path):
    """Neither the database nor its folder changes when the copy of it does not fit."""
    clock = MovingClock()
    settings = Settings(database_url=f"sqlite:///{disk}/scout.db", ballast=0)
    async with StagedApp.open(settings, clock=clock) as app:
        db = await app.database()
        scout = rows.scout((await users.local_owner(db)).id)
        await scouts.add(db, scout)
        await findings.add_many(db, [rows.finding(scout) for _ in range(500)])
        await app.backup(tmp_path / "a.tar")
        await findings.add_many(db, [rows.finding(scout)])
        fill_up(disk)
        before = sorted(each.name for each in disk.iterdir())
        with pytest.raises(ScoutError):
            await app.restore(tmp_path / "a.tar", replace=True)
        assert sorted(each.name for each in disk.iterdir()) == before
        assert await findings.count(db, scout.id) == 501
        (disk / "filler").unlink()
        await app.restore(tmp_path / "a.tar", replace=True)
        assert await findings.count(db, scout.id) == 500
