"""One worker in a process of its own, made to be killed: everything real but the world it reads.

The parent is a fork server that has imported this module, so a new worker is there in milliseconds.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

# What a worker needs first: imported once, by the fork server.
import scout_cli.notify.webhook
import scout_cli.service.scheduler
import scout_cli.store.postgres
import scout_cli.store.sqlite  # noqa: F401 - see above
from scout_cli import notify
from scout_cli.core import retries
from scout_cli.core.job import Budget
from scout_cli.core.news import Delivery
from scout_cli.core.ports import Channel, Executor
from scout_cli.execute import open_executor
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from scout_cli.service import worker as working
from scout_cli.service.attempts import Attempts
from scout_cli.service.clocks import SystemClock
from scout_cli.service.deliveries import Deliveries
from scout_cli.service.lease import Terms
from scout_cli.service.outbox import Outbox, OutboxSettings
from scout_cli.service.scheduler import Scheduler
from scout_cli.service.spreading import Spread
from scout_cli.service.turn import Rules
from scout_cli.service.worker import Worker
from scout_cli.store import open_database, takeover
from scout_cli.store.database import Database
from scout_cli.store.postgres_url import address_of
from tests.chaos import cuts, world

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a worker process is to do."""

    url: str
    """The database."""
    receiver: str
    """`127.0.0.1:PORT` of the receiver of its webhooks."""
    journal: str
    """The file in which it writes a line for each run that left it."""
    lease: float = 1.0
    """Seconds."""
    concurrency: int = 2
    interval: float = 0.2
    """Seconds between two looks at the clock."""
    delay: float = 0.0
    """Seconds before each answer of search engine and web."""
    crashes: int | None = None
    """Deaths of its process after which a run has failed; None for scout's own number."""
    deliver: bool = True
    patient: bool = False
    """Whether it watches a lost run for a lease before it takes it back, as `scout worker` does."""
    retry: float = 0.05
    """Seconds between two tries to reach a database that is gone, and between two deliveries."""
    haste: float = 1.0
    """By how much the waits of runs that failed for now are shorter than scout's own."""
    doom: float = 0.0
    """The chance that it kills itself at each of the worst moments."""
    doze: float = 0.0
    """The chance that it stops itself, as by SIGSTOP, when it is about to store a result."""
    execute: str = "local://"
    """How runs come to it: `execute_url`."""
    network: str = ""
    """The network namespace that it lives in; empty for the one that everybody is in."""
    linger: float = 0.0
    """Seconds that a worker takes to think about a run that it has from another one."""


class Journal:
    """Hears what a worker does, and writes down how each run left it, at once.

    Args:
        path: the file.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.note(at="up")

    async def planned(self, planned: Any) -> None:
        """Hear of a look at the clock."""

    async def started(self, execution: Any, title: str) -> None:
        """Note the beginning."""
        self.note(at="started", id=execution.id, fence=execution.fence)

    async def event(self, execution: Any, event: Any) -> None:
        """Hear of an agent's event."""

    async def ended(self, ended: Any) -> None:
        """Note the end."""
        execution = ended.execution
        self.note(
            at="ended",
            id=execution.id,
            fence=execution.fence,
            outcome=ended.outcome,
            message=ended.message,
        )

    async def trouble(self, error: Any) -> None:
        """Note what went wrong beside the runs."""
        self.note(at="trouble", message=error.message)

    def note(self, **line: Any) -> None:
        """Write a line, whole, whoever else writes."""
        os.write(
            self._file,
            msgspec.json.encode({"pid": os.getpid(), "t": time.monotonic(), **line}) + b"\n",
        )


def work(order: Order) -> None:
    """Work until SIGTERM; the whole life of the process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # asyncpg writes a traceback for each connection that a crash of the server cost.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    working._RETRY = order.retry
    retries._MINUTES = {
        code: tuple(minutes / order.haste for minutes in waits)
        for code, waits in retries._MINUTES.items()
    }
    if order.crashes is not None:
        takeover.MAX_CRASHES = order.crashes
    if order.network:
        cuts.enter(order.network)
    asyncio.run(_work(order))


async def _work(order: Order) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock = SystemClock()
    db = await open_database(order.url, clock)
    async with Sessions(Guard([order.receiver]), "scout-chaos") as sessions:
        executor = open_executor(order.execute, _dsn(order.url))
        worker = made(order, db, clock, sessions, executor)
        await worker.serve(stop)
        await executor.close()
    await db.close()


def _dsn(url: str) -> str:
    return address_of(url).dsn if url.startswith("postgresql") else ""


class Fate:
    """Strikes at moments that a killer outside seldom hits.

    Args:
        order: says how often.
        journal: where it is announced.
    """

    def __init__(self, order: Order, journal: Journal) -> None:
        self.order = order
        self._journal = journal

    def kill(self) -> None:
        """Die now, perhaps."""
        if random.random() < self.order.doom:
            self._journal.note(at="doomed")
            os.kill(os.getpid(), signal.SIGKILL)

    def stop(self, execution: Any) -> None:
        """Stop now, perhaps, until somebody else lets it go on."""
        if random.random() < self.order.doze:
            self._journal.note(at="dozing", id=execution.id)
            os.kill(os.getpid(), signal.SIGSTOP)


class FatefulOutbox(Outbox):
    """Dies before or after it has queued the news, inside the transaction that ends the run."""

    fate: Fate

    async def tell(self, tx: Any, scout: Any, execution: Any, result: Any) -> int:
        """Queue the news of a run."""
        self.fate.kill()
        told = await super().tell(tx, scout, execution, result)
        self.fate.kill()
        return told


class FatefulAttempts(Attempts):
    """Stops just before it stores what it has found, and dies when it has stored it."""

    fate: Fate

    async def _think(self, execution: Any, *args: Any) -> Any:
        if execution.fence > 1:
            await asyncio.sleep(self.fate.order.linger)
        return await super()._think(execution, *args)

    async def _store(self, execution: Any, *args: Any) -> None:
        self.fate.stop(execution)
        await super()._store(execution, *args)
        self.fate.kill()


class FatefulChannel:
    """Dies when a message has arrived and nobody has noted that yet.

    Args:
        channel: the real one.
        fate: decides.
    """

    def __init__(self, channel: Channel, fate: Fate) -> None:
        self._channel = channel
        self._fate = fate
        self.promise, self.pause, self.name = channel.promise, channel.pause, channel.name

    async def send(self, notice: Any, committing: Any) -> Delivery:
        """Send one message."""
        sent = await self._channel.send(notice, committing)
        self._fate.kill()
        return sent

    async def close(self) -> None:
        """Close the real one."""
        await self._channel.close()


def made(
    order: Order, db: Database, clock: SystemClock, sessions: Sessions, executor: Executor
) -> Worker:
    """Return a worker as the application makes it, in this world."""
    journal = Journal(order.journal)
    fate = Fate(order, journal)
    terms = Terms(owner=f"chaos/{os.getpid()}", lease=timedelta(seconds=order.lease))

    def options(url: str) -> notify.ChannelOptions:
        return notify.split_url(url)[1]

    async def open_channel(url: str) -> Channel:
        settings = notify.ChannelSettings(sessions=sessions)
        return FatefulChannel(notify.open_channel(url, settings), fate)

    async def kit() -> Any:
        return world.kit(order.delay)

    outbox = FatefulOutbox(db, clock, OutboxSettings(terms=options, describe=notify.describe))
    attempts = FatefulAttempts(db, clock, kit, Budget(seconds=60), outbox, terms)
    outbox.fate = attempts.fate = fate
    deliveries = Deliveries(
        db,
        clock,
        open_channel,
        terms=options,
        tell_lost=outbox.tell_channel_lost,
        rules=Rules(lease=terms.lease),
    )
    worker = Worker(
        db,
        clock,
        Scheduler(db, clock, outbox, lease=terms.lease, patient=order.patient),
        attempts,
        terms,
        journal,
        concurrency=order.concurrency,
        chores=(deliveries.deliver_due,) if order.deliver else (),
        spread=Spread(db, executor) if executor.tables else None,
    )
    worker._interval = order.interval
    return worker
