"""The first run of a scout that somebody wakes up in the web interface.

The page asks for it by itself, beside the change that wakes the scout. Whichever of the two
arrives first, they are one run, and the next is a period later.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from scout_cli.core import schedule
from scout_cli.core.models import Scout, ScoutPatch
from scout_cli.store import executions, scouts
from scout_cli.store.database import Connection

FIRST_RUN = timedelta(seconds=60)
"""After waking up, for a page that asks for the first run by itself."""


async def woken(tx: Connection, scout: Scout) -> None:
    """Inside a transaction that holds a scout which woke up just now: set its next run."""
    now = await tx.now()
    newest = await executions.of_scout(tx, scout.id, 1)
    if newest and (newest[0].status == "running" or newest[0].started_at > now - FIRST_RUN):
        await _postpone(tx, scout, now)
    elif scout.next_run_at is None or scout.next_run_at < now + FIRST_RUN:
        await scouts.update(tx, scout.id, ScoutPatch(next_run_at=now + FIRST_RUN))


async def asked_for(tx: Connection, scout: Scout) -> None:
    """Inside a transaction that holds a scout of which a run was queued just now.

    A run that is due in a moment is this one, and not a second one after it.
    """
    now = await tx.now()
    if scout.is_active and scout.next_run_at and scout.next_run_at <= now + FIRST_RUN:
        await _postpone(tx, scout, now)


async def _postpone(tx: Connection, scout: Scout, now: datetime) -> None:
    anchor = scout.anchor or (scout.created_at if scout.last_run_at else now)
    after = schedule.next_after(scout.schedule, scout.timezone, now, anchor=anchor)
    await scouts.update(tx, scout.id, ScoutPatch(next_run_at=after, anchor=anchor))
