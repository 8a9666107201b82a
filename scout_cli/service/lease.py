"""Work goes on while the lease of its execution holds, and not a moment longer."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from scout_cli.core.models import Execution, Record
from scout_cli.core.ports import Clock
from scout_cli.errors import DatabaseUnavailable, FenceLost
from scout_cli.service.pulse import while_held
from scout_cli.store import executions, queue
from scout_cli.store.database import Database
from scout_cli.store.queue import Lease, Span

T = TypeVar("T")


class Terms(Record, frozen=True, kw_only=True):
    """How long an execution is somebody's."""

    owner: str = ""
    """Who holds it, for people: host and process."""
    lease: timedelta = timedelta(seconds=60)
    """Without a sign of life for so long, another process may take it over."""
    deadline: timedelta = timedelta(minutes=32)
    """It is taken away after this, sign of life or not; above the budget of the agent itself,
    which ends in good order."""

    def begin(self, now: datetime) -> Lease:
        """Return a lease that begins now."""
        return Lease(
            owner=self.owner, until=now + self.lease, deadline=now + self.deadline, now=now
        )

    @property
    def span(self) -> Span:
        """Return a lease that begins when the database says so."""
        return Span(owner=self.owner, lease=self.lease, deadline=self.deadline)


async def alive(
    db: Database, clock: Clock, execution: Execution, terms: Terms, work: Awaitable[T]
) -> T:
    """Do `work` while giving signs of life; losing the lease ends the work at once.

    Args:
        db: where the lease is.
        clock: for the next end of the lease.
        execution: held by us.
        terms: how long a lease is.
        work: what to do.

    Raises:
        FenceLost: another process has taken it over, or this one was stopped or cut off from the
            database for longer than the lease.
    """

    async def renew() -> bool:
        try:
            until = await db.now() + terms.lease
            await queue.renew(db, execution.id, execution.fence, until)
        except FenceLost:
            if await _ended_by_us(db, execution):
                return False
            raise
        return True

    return await while_held(work, renew, clock, terms.lease, f"run {execution.id}")


async def _ended_by_us(db: Database, execution: Execution) -> bool:
    """Return whether it was our own commit that ended the lease: its work is about to return."""
    with suppress(DatabaseUnavailable):
        return await executions.ended_as_held(db, execution)
    return False
