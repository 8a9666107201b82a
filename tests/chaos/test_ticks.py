"""Two ticks of cron, and somebody who kills them: every slot is run and told once."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from scout_cli.service.vault import Vault
from tests.chaos import examination, harness
from tests.chaos.harness import Outcome
from tests.chaos.places import KINDS, Place
from tests.chaos.receiver import Receiver

pytestmark = pytest.mark.chaos

_ROOT = Path(__file__).resolve().parents[2]
_SECRET_KEY = "c2NvdXQgdGVzdHMgb25seSAtIG5vdCBhIHNlY3JldCE="
_LEASE = 2.0


@dataclass
class Cron:
    """Starts a tick, and the next one a second after it has ended, whatever ended it."""

    environ: dict[str, str]
    out: BinaryIO
    log: BinaryIO
    started: int = 0
    ended: Counter[int] = field(default_factory=Counter)
    process: subprocess.Popen[bytes] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until told to stop; the last tick is waited for."""
        while not stop.is_set():
            self.process = subprocess.Popen(  # noqa: ASYNC220 - a thread waits for it
                [sys.executable, "-m", "tests.chaos.tick_process", "tick", "--json"],
                cwd=_ROOT,
                env=self.environ,
                stdout=self.out,
                stderr=self.log,
            )
            self.started += 1
            self.ended[await asyncio.to_thread(self.process.wait)] += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)

    def kill(self) -> bool:
        """Kill the tick by SIGKILL; return whether there was one."""
        if self.process is None or self.process.poll() is not None:
            return False
        self.process.kill()
        return True


async def ticks(place: Place, seed: int, *, seconds: float, scouts: int, recurring: int) -> Outcome:
    """Let two crons tick one database while a killer goes round.

    Args:
        place: the database.
        seed: of the moments and victims.
        seconds: for which there is killing.
        scouts: how many become due once each in that time.
        recurring: how many are due every full minute, by a cron line.
    """
    began = time.monotonic()
    chance = random.Random(seed)
    kills = 0
    with (
        Receiver() as receiver,
        (place.folder / "out").open("ab") as out,
        (place.folder / "log").open("ab") as log,
    ):
        once = await harness.plant(place.db, scouts, receiver, over=seconds * 0.9)
        again = {"schedule": "* * * * *", "anchor": None, "next_run_at": None}
        await harness.plant(place.db, recurring, receiver, first=scouts, **again)
        crons = [Cron(_environ(place, receiver), out, log) for _ in range(2)]
        stop = asyncio.Event()
        running = [asyncio.create_task(cron.run(stop)) for cron in crons]
        while time.monotonic() < began + seconds:
            await asyncio.sleep(chance.uniform(0.2, 3.0))
            kills += chance.choice(crons).kill()
        # The commands have sealed their channels; the examination compares them.
        place.db.vault = Vault(lambda: (_SECRET_KEY,), lambda: (_SECRET_KEY,), "a test")
        calm = await examination.quiet(place.db, None, 90)
        stop.set()
        await asyncio.gather(*running)
        kept = receiver.kept()
        found = await examination.examine(
            place.db, once, kept, place.folder / "journal", recurring=recurring
        )
    twice = completed_twice(place.folder / "out")
    codes = Counter(crons[0].ended) + Counter(crons[1].ended)
    bad = sum(number for code, number in codes.items() if code not in (0, -9))
    log_text = (place.folder / "log").read_text(errors="replace")
    return Outcome(
        test="ticks",
        database=place.kind,
        seed=seed,
        seconds=time.monotonic() - began,
        counts={
            "ticks": sum(cron.started for cron in crons),
            "kills": kills,
            **found.counts,
        },
        faults={
            **found.faults,
            "double_completions": len(twice),
            "unfinished": found.faults["unfinished"] if calm else 1,
            "ticks_that_failed": bad,
        },
        details=[*found.details, *([log_text[-1500:]] if bad else [])],
    )


def _environ(place: Place, receiver: Receiver) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCOUT_")}
    return {
        **kept,
        "SCOUT_DATABASE_URL": place.url,
        "SCOUT_LLM_URL": "builtin://",
        "SCOUT_EMBED_URL": "builtin://",
        "SCOUT_LEASE": str(_LEASE),
        "SCOUT_CONCURRENCY": "4",
        "SCOUT_ALLOW_PRIVATE_NETWORKS": receiver.host,
        "SCOUT_LATE_NOTICES": "false",
        "SCOUT_BALLAST": "0",
        "SCOUT_SECRET_KEYS": _SECRET_KEY,
    }


def completed_twice(out: Path) -> list[str]:
    """Return the executions that more than one tick says it has completed."""
    times: Counter[str] = Counter()
    for line in out.read_bytes().splitlines():
        try:
            event = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue  # a tick was killed while it printed
        if event.get("event") == "ended" and event["outcome"] in ("new", "nothing_new", "degraded"):
            times[event["execution_id"]] += 1
    return [id_ for id_, number in times.items() if number > 1]


@pytest.mark.parametrize("kind", KINDS)
async def test_two_crons_under_fire_run_every_slot_once(on, kind):
    """Ten seconds of kill -9 against real `scout tick` processes."""
    async with on(kind) as place:
        (await ticks(place, 3, seconds=10, scouts=40, recurring=4)).check()
