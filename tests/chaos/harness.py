"""Scouts by the thousand, workers that are made to be killed, and what must be true afterwards."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import util
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec

from scout_cli.core.models import Scout
from scout_cli.store import users
from scout_cli.store.database import Database
from scout_cli.store.statements import insert, values
from tests.chaos import world
from tests.chaos.examination import read
from tests.chaos.receiver import Receiver
from tests.chaos.worker_process import Order, work

CHANNELS = 8
"""Side by side, so that the death of a sender does not stop all news for a lease."""

fork = multiprocessing.get_context("forkserver")
# Every child imports the main program anew, which is pytest's; the fork server has it already.
fork.set_forkserver_preload(["tests.chaos.worker_process", "pytest"])
# Made before the suite has a temporary folder of its own, which does not last as long as this one.
util.get_temp_dir()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one scenario came to: one line of JSON."""

    test: str
    database: str
    seed: int
    seconds: float = 0.0
    counts: dict[str, Any] = field(default_factory=dict)
    """What was done and seen."""
    faults: dict[str, int] = field(default_factory=dict)
    """What must be zero."""
    details: list[str] = field(default_factory=list)
    """A few of the faults, for whoever looks into them."""

    @property
    def line(self) -> str:
        """Return the JSON line."""
        head = {"test": self.test, "database": self.database, "seed": self.seed}
        whole = {**head, **self.counts, **self.faults, "seconds": round(self.seconds, 1)}
        if self.details:
            whole["details"] = self.details[:9]
        return msgspec.json.encode(whole).decode()

    def check(self) -> None:
        """Fail, with everything known, unless every fault is zero."""
        assert not any(self.faults.values()), self.line


class Crew:
    """Worker processes of one database; whoever dies is replaced.

    Args:
        order: what each of them does.
        many: how many.
        seed: chooses who dies.
    """

    def __init__(self, order: Order, many: int, seed: int) -> None:
        self.order = order
        self.chance = random.Random(seed)
        self.members: list[BaseProcess] = []
        self.died: Counter[int] = Counter()
        """How often a process ended unasked, by exit code; -9 is fate, anything else a fault."""
        for _ in range(many):
            self.hire()

    def hire(self) -> None:
        """Start one more."""
        process = fork.Process(target=work, args=(self.order,), daemon=True)
        process.start()
        self.members.append(process)

    async def ready(self) -> None:
        """Wait until every one of the first has begun."""
        async with asyncio.timeout(30):
            while self._begun() < len(self.members):  # noqa: ASYNC110 - other processes' doing
                await asyncio.sleep(0.02)

    def _begun(self) -> int:
        return len({line["pid"] for line in read(Path(self.order.journal))})

    def _any(self) -> int:
        """Return the number of one of the older half: the younger may not have begun yet."""
        return self.chance.randrange((len(self.members) + 1) // 2)

    def kill(self) -> None:
        """Kill one by SIGKILL, whatever it is doing, and start another."""
        victim = self.members.pop(self._any())
        victim.kill()
        self.hire()

    def replace_fallen(self) -> None:
        """Start another for each that ended without being told to."""
        for member in [each for each in self.members if each.exitcode is not None]:
            self.died[member.exitcode or 0] += 1
            self.members.remove(member)
            self.hire()

    def stop_one(self) -> BaseProcess:
        """Freeze one by SIGSTOP, as a machine that sleeps; the caller lets it go on."""
        victim = self.members.pop(self._any())
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGSTOP)
        return victim

    def let_go_on(self, victim: BaseProcess) -> None:
        """Let a frozen one go on, by SIGCONT."""
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGCONT)
        self.members.append(victim)

    def wake(self, pid: int) -> None:
        """Let a process go on that stopped itself."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    @property
    def fell(self) -> int:
        """Return how many ended as no worker should."""
        return sum(self.died.values()) - self.died[-signal.SIGKILL]

    async def dismiss(self) -> None:
        """Ask all to end, and wait until they have."""
        for member in self.members:
            member.terminate()
        ends = time.monotonic() + 30
        while any(member.exitcode is None for member in self.members):
            if time.monotonic() > ends:
                break
            await asyncio.sleep(0.02)
        self.died.update(each.exitcode or 1 for each in self.members if each.exitcode != 0)

    def end(self) -> None:
        """Kill all that are left."""
        for member in self.members:
            member.kill()
            member.join()


@contextmanager
def crew(order: Order, many: int, seed: int) -> Iterator[Crew]:
    """Run worker processes; none of them outlives the block."""
    made = Crew(order, many, seed)
    try:
        yield made
    finally:
        made.end()


async def plant(
    db: Database,
    many: int,
    receiver: Receiver | None,
    *,
    over: float = 0.0,
    first: int = 0,
    **more: Any,
) -> list[UUID]:
    """Store scouts that become due one after the other, once each.

    Args:
        db: where.
        many: how many.
        receiver: hears of them.
        over: seconds from now until the last is due.
        first: the number of the first.
        more: fields of every scout.
    """
    owner = await users.local_owner(db)
    now = await db.now()
    made = []
    for number in range(first, first + many):
        due = now + timedelta(seconds=over * (number - first) / many)
        row = {
            "id": uuid4(),
            "title": world.name_of(number),
            "goal": world.goal_of(number),
            "search_queries": [f"{world.name_of(number)} ferry"],
            "schedule": "weekly",
            "frequency": "weekly",
            "notify": [receiver.channel(number % CHANNELS)] if receiver else [],
            "anchor": due,
            "next_run_at": due,
            "created_at": now,
            "updated_at": now,
        }
        made.append(Scout(user_id=owner.id, **{**row, **more}))
    await db.executemany(insert("scouts", Scout), [values(each) for each in made])
    return [each.id for each in made]
