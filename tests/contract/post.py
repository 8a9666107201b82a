"""A post office for tests: channels that do as they are told, and messages that wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from scout_cli.core.job import Item, ReportedFact, Result, Source
from scout_cli.core.models import Counts, ResultsSummary, Scout
from scout_cli.core.news import Delivery, Notice
from scout_cli.errors import ConfigError
from scout_cli.notify import describe, split_url
from scout_cli.service.deliveries import Deliveries
from scout_cli.service.outbox import Outbox, OutboxSettings
from scout_cli.service.turn import Rules
from scout_cli.store import Database, outbox, queue, scouts, users
from scout_cli.store.outbox import OutboxRow
from tests.contract import rows

SENT = Delivery(outcome="sent", provider_id="p-1")
RETRY = Delivery(outcome="retry", detail="HTTP 503")
REFUSED = Delivery(outcome="refused", detail="HTTP 422")
GONE = Delivery(outcome="gone", detail="HTTP 410")
ONE, TWO = "ntfy://ntfy.example/one", "ntfy://ntfy.example/two"


@dataclass
class Box:
    """A channel that keeps what arrives.

    `says` are its answers in turn, the last one for ever; one that is an exception is raised.
    `arrived` is set when a message is committed to; then it waits for `goes_on`.
    """

    says: list[Delivery | Exception] = field(default_factory=lambda: [SENT])
    promise: str = "once"
    pause: float = 0.0
    name: str = "box"
    commits: bool = True
    got: list[Notice] = field(default_factory=list)
    tried: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    closed: int = 0

    def __post_init__(self) -> None:
        self.goes_on.set()

    async def send(self, notice: Notice, committing: Callable) -> Delivery:
        """Take a message, or do not."""
        answer = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        self.tried += 1
        if self.commits:
            await committing()
            self.got.append(notice)
            self.arrived.set()
            await self.goes_on.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Count it."""
        self.closed += 1

    @property
    def ids(self) -> list[str]:
        """Return the ids of what arrived, in order."""
        return [notice.id for notice in self.got]


@dataclass
class Office:
    """One database with its outbox and the channels outside."""

    db: Database
    clock: object
    boxes: dict[str, Box] = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    chance: float = 0.5

    def box(self, url: str = ONE, **more) -> Box:
        """Set up the channel of a URL."""
        self.boxes[url] = Box(**more)
        return self.boxes[url]

    def outbox(self, **more) -> Outbox:
        """Return the way in."""
        given = {"notify": (), **self.settings, **more}
        return Outbox(self.db, self.clock, OutboxSettings(terms=terms, describe=describe, **given))

    def deliveries(self, **more) -> Deliveries:
        """Return a way out; each is a process of its own."""

        async def opened(url: str) -> Box:
            if url not in self.boxes:
                raise ConfigError("notify: no such channel here")
            return self.boxes[url]

        quiet = self.settings.get("quiet_hours", "")
        return Deliveries(
            self.db,
            self.clock,
            opened,
            terms=terms,
            tell_lost=self.outbox().tell_channel_lost,
            rules=Rules(**{"quiet_hours": quiet, **more}),
            chance=lambda: self.chance,
        )

    async def scout(self, **more) -> Scout:
        """Store a scout that tells `ONE`."""
        owner = await users.local_owner(self.db)
        row = {"goal": "Ferries", "notify": [ONE], **more}
        scout = rows.scout(owner.id, **row)
        await scouts.add(self.db, scout)
        return scout

    async def news(self, scout: Scout, *texts: str, of: Result | None = None) -> int:
        """Complete a run of a scout with news; return how many channels are told."""
        now = await self.db.now()
        run = rows.execution(scout, completed_at=now, started_at=now, outcome="new")
        await queue.start(self.db, run)
        async with self.db.transaction() as tx:
            told = await self.outbox().tell(tx, scout, run, of or result(*texts or ("News",)))
            await tx.execute(
                "UPDATE scout_executions SET state = 'completed', status = 'completed',"
                " outcome = $2 WHERE id = $1",
                run.id,
                (of.outcome if of else "new"),
            )
        return told

    async def rows(self) -> list[OutboxRow]:
        """Return all messages of the local owner, oldest first."""
        owner = await users.local_owner(self.db)
        return (await outbox.listing(self.db, owner.id, limit=1_000))[::-1]

    async def states(self) -> list[str]:
        """Return their states."""
        return [row.state for row in await self.rows()]


def terms(url: str):
    """Return what a URL says to scout itself."""
    return split_url(url)[1]


def result(*texts: str, outcome: str = "new", **counts: int) -> Result:
    """Return what a run found."""
    return Result(
        outcome=outcome,
        results_summary=ResultsSummary(task_completed=True, task_status="completed", response="x"),
        summary=texts[0] if texts else "",
        items=tuple(Item(text=text, sources=(1,)) for text in texts),
        facts=tuple(_fact(number, text) for number, text in enumerate(texts, 1)),
        sources=(Source(number=1, url="https://a.example/x", host="a.example", title="A"),),
        counts=Counts(new=len(texts), **counts),
    )


def _fact(number: int, text: str) -> ReportedFact:
    return ReportedFact(
        id=UUID(int=number), source=1, fact=text, quote=text, url="https://a.example/x",
        canonical_url="https://a.example/x", host="a.example", title="A", novelty="new",
    )  # fmt: skip
