"""Runs that the web interface asks for, and what keeps strangers from asking too often.

The interface calls with a key that everybody knows, so that whoever calls without saying who they
are gets at most one run of a scout in 20 minutes, whatever they try.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from scout_cli.core.models import Execution, Scout
from scout_cli.errors import InvalidInput, NotFound, TooMany
from scout_cli.service import first_runs
from scout_cli.service.accounts import limits
from scout_cli.service.accounts.limits import Limits
from scout_cli.service.runs import Runs
from scout_cli.store import executions, triggers
from scout_cli.store.database import Connection, Database

COOL_DOWN = timedelta(minutes=20)
"""Between two runs of a scout that nobody in particular asked for, as the interface counts it."""
MOST_WAITING = 100
"""Queued runs, of all users together, from which on strangers ask in vain."""


class Triggers:
    """Queues runs for the web interface.

    Args:
        db: where they wait.
        runs: queues them, in the name of whoever asks.
        limits_: the allowances.
    """

    def __init__(self, db: Database, runs: Runs, limits_: Limits) -> None:
        self._db = db
        self._runs = runs
        self._limits = limits_

    async def by_anybody(self, scout_id: UUID, address: str) -> Execution:
        """Queue a run for whoever asks; the caller is not told what became of it.

        Args:
            scout_id: of which scout.
            address: where the request is from.

        Raises:
            TooMany: from that network, or while much waits, or too soon after the last run.
            NotFound: no such scout.
            InvalidInput: it has no goal yet.
            Conflict: it runs already, or waits to.
        """
        await self._limits.take(limits.trigger(address))
        if await triggers.waiting(self._db) >= MOST_WAITING:
            raise TooMany(f"{MOST_WAITING} runs wait already", retry_after=60.0)
        async with self._db.transaction() as tx:
            scout = _ready(await triggers.locked_scout(tx, scout_id))
            newest = await executions.of_scout(tx, scout.id, 1)
            now = await tx.now()
            if newest and newest[0].started_at > now - COOL_DOWN:
                left = newest[0].started_at + COOL_DOWN - now
                raise TooMany("it ran a moment ago", retry_after=left.total_seconds())
            return await self._request(tx, scout)

    async def by_owner(self, scout_id: UUID, user_id: UUID | None) -> tuple[Scout, Execution]:
        """Queue a run for a scout's owner.

        Args:
            scout_id: of which scout.
            user_id: who asks; None for the holder of the service key.

        Raises:
            NotFound: no such scout, or another user's.
            InvalidInput: it has no goal yet.
            Conflict: it runs already, or waits to.
        """
        async with self._db.transaction() as tx:
            scout = await triggers.locked_scout(tx, scout_id)
            if scout is not None and user_id is not None and scout.user_id != user_id:
                scout = None
            ready = _ready(scout)
            return ready, await self._request(tx, ready)

    async def _request(self, tx: Connection, scout: Scout) -> Execution:
        run = await self._runs.request(scout, trigger="interface", within=tx)
        await first_runs.asked_for(tx, scout)
        return run


def _ready(scout: Scout | None) -> Scout:
    if scout is None:
        raise NotFound("no such scout")
    if not scout.goal:
        raise InvalidInput("the scout has no goal yet", hint="say in its chat what to look for")
    return scout
