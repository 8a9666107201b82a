"""One scout in a world in which one outside part is broken: real adapters, scripted servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from scout_cli import notify
from scout_cli.core.asking import Asking
from scout_cli.core.job import Budget
from scout_cli.core.models import Execution, Scout
from scout_cli.llm import ModelSettings, open_chat, open_embedder
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from scout_cli.search import open_search
from scout_cli.service.attempts import Attempts
from scout_cli.service.deliveries import Deliveries
from scout_cli.service.kit import Kit
from scout_cli.service.lease import Terms
from scout_cli.service.outbox import Outbox, OutboxSettings
from scout_cli.service.scheduler import Scheduler
from scout_cli.service.turn import Rules
from scout_cli.service.worker import Worker
from scout_cli.store import executions, open_database, scouts, users
from scout_cli.store.database import Database
from scout_cli.testing import CannedWeb, FrozenClock
from tests import agent_world
from tests.channel_servers import Receiver
from tests.channel_servers import Says as Answers
from tests.chaos.places import Place
from tests.ollama_server import OllamaServer, filled
from tests.search_server import SearchServer, searxng_reply

DEADLINE = 20.0
"""Seconds of one run; an hour of the calendar passes between its retries in no time."""
_SILENCE = 0.4
_FOUND = searxng_reply(
    [{"url": each.url, "title": each.title} for each in (agent_world.COMPANY, agent_world.PAPER)]
)


class HalfFrozenClock(FrozenClock):
    """A calendar that stands still and seconds that pass."""

    frozen = True

    def monotonic(self) -> float:
        """Return real seconds."""
        return time.monotonic()


class Nobody:
    """Listens to nothing."""

    async def planned(self, planned: Any) -> None:
        """Hear of a look at the clock."""

    async def started(self, execution: Any, title: str) -> None:
        """Hear of a beginning."""

    async def event(self, execution: Any, event: Any) -> None:
        """Hear of an agent's event."""

    async def ended(self, ended: Any) -> None:
        """Hear of an end."""

    async def trouble(self, error: Any) -> None:
        """Hear of trouble."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """What is broken, as scripts of its server."""

    chat: Any = filled
    embed: Any = None
    search: Any = lambda _: _FOUND
    webhook: tuple[Answers, ...] = (Answers(),)
    model_down: bool = False


@dataclass
class Life:
    """One scout's life until its run has ended and no message waits."""

    run: Execution
    scout: Scout
    slowest: float
    """Seconds of its longest attempt."""
    attempts: int
    messages: dict[str, str]
    """State of the message to each channel: `broken` and `good`."""


class World:
    """One scout, one worker, and a calendar that is moved to whatever comes next.

    Args:
        db: obeys the clock.
        clock: of both.
        worker: does the work.
        deliveries: for the end.
    """

    def __init__(
        self, db: Database, clock: HalfFrozenClock, worker: Worker, deliveries: Deliveries
    ) -> None:
        self.db = db
        self.clock = clock
        self.worker = worker
        self.deliveries = deliveries
        self.slowest = 0.0
        self.attempts = 0

    async def plant(self, channels: tuple[str, ...]) -> Scout:
        """Store the scout, due now."""
        owner = await users.local_owner(self.db)
        now = self.clock.now()
        scout = Scout(
            id=uuid4(),
            user_id=owner.id,
            title="Saltmere Ferries",
            goal=agent_world.GOAL,
            search_queries=["saltmere ferries"],
            schedule="weekly",
            frequency="weekly",
            notify=list(channels),
            next_run_at=now,
            anchor=now,
            created_at=now,
            updated_at=now,
        )
        await scouts.add(self.db, scout)
        return scout

    async def attempt(self, scout: Scout) -> Execution:
        """Let the worker do what is due, and return the run."""
        began = time.monotonic()
        async with asyncio.timeout(DEADLINE * 2):
            await self.worker.tick(asyncio.Event())
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.attempts += 1
        (run,) = await executions.of_scout(self.db, scout.id, 9)
        return run

    async def to_the_end(self, scout: Scout) -> Execution:
        """Go from attempt to attempt until the run has ended."""
        run = await self.attempt(scout)
        while run.state == "queued":
            assert run.run_after is not None
            self.go_to(run.run_after)
            run = await self.attempt(scout)
        return run

    async def deliver(self) -> None:
        """Go from message to message until none waits; their waits add up to seventeen hours."""
        ends = self.clock.now() + timedelta(days=5)
        while (due := await self.deliveries.next_due()) is not None and due < ends:
            self.go_to(due)
            await self.deliveries.deliver_due()

    def go_to(self, moment: datetime) -> None:
        """Move the calendar on."""
        self.clock.advance(seconds=max(0.0, (moment - self.clock.now()).total_seconds()))


@asynccontextmanager
async def world(place: Place, broken: Broken) -> AsyncIterator[tuple[World, tuple[str, str]]]:
    """Open a world; yield it with the URLs of its two channels, the broken one and a good one."""
    clock = HalfFrozenClock()
    async with (
        OllamaServer(broken.chat, embed=broken.embed) as ollama,
        SearchServer(broken.search) as engine,
        Receiver(*broken.webhook) as bad,
        Receiver() as good,
        Sessions(Guard([bad.host, good.host]), "scout-chaos") as sessions,
    ):
        db = await open_database(place.url, clock)
        opened: list[Any] = []
        try:
            host = "127.0.0.1:9" if broken.model_down else ollama.host
            kit = await _kit(host, engine.host, sessions, opened)
            yield (
                _world(db, clock, kit, sessions),
                (f"webhook+http://{bad.host}/", f"webhook+http://{good.host}/"),
            )
        finally:
            for each in opened:
                await each.aclose()
            await db.close()


async def _kit(model: str, engine: str, sessions: Sessions, opened: list[Any]) -> Kit:
    settings = ModelSettings(first_token=_SILENCE, between_tokens=_SILENCE)
    chat = await open_chat(f"ollama://{model}/qwen3:8b", settings)
    embedder = await open_embedder(f"ollama://{model}/nomic-embed-text", settings)
    opened += [chat, embedder]
    return Kit(
        reasoner=Asking(chat),  # type: ignore[arg-type]
        embedder=embedder,
        search=open_search(f"searxng+http://{engine}", sessions),
        fetcher=CannedWeb((agent_world.COMPANY, agent_world.PAPER)),
    )


def _world(db: Database, clock: HalfFrozenClock, kit: Kit, sessions: Sessions) -> World:
    terms = Terms(owner="chaos")

    def options(url: str) -> notify.ChannelOptions:
        return notify.split_url(url)[1]

    async def open_channel(url: str) -> Any:
        settings = notify.ChannelSettings(sessions=sessions, timeout=_SILENCE)
        return notify.open_channel(url, settings)

    async def given() -> Kit:
        return kit

    outbox = Outbox(db, clock, OutboxSettings(terms=options, describe=notify.describe))
    deliveries = Deliveries(
        db,
        clock,
        open_channel,
        terms=options,
        tell_lost=outbox.tell_channel_lost,
        rules=Rules(seconds=2.0),
    )
    attempts = Attempts(db, clock, given, Budget(seconds=DEADLINE), outbox, terms)
    scheduler = Scheduler(db, clock, outbox, lease=terms.lease)
    worker = Worker(
        db,
        clock,
        scheduler,
        attempts,
        terms,
        Nobody(),
        concurrency=2,
        chores=(deliveries.deliver_due,),
    )
    return World(db, clock, worker, deliveries)
