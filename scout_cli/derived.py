"""What the settings mean to the services: bounds of a run, terms of a lease, how long to keep."""

from __future__ import annotations

import os
from datetime import timedelta

from scout_cli.config import Settings
from scout_cli.core.job import Budget
from scout_cli.service.lease import Terms
from scout_cli.service.upkeep import Retention

_GRACE = timedelta(minutes=2)
"""For a run that ends in good order at its own deadline, before it is taken away."""


def budget(given: Settings) -> Budget:
    """Return the bounds of a run."""
    return Budget(
        searches=given.max_searches,
        pages=given.max_pages,
        calls=given.max_calls,
        tokens=given.max_tokens,
        seconds=given.deadline,
        rounds=given.rounds,
    )


def terms(given: Settings) -> Terms:
    """Return how long an execution is this process's."""
    return Terms(
        owner=f"{os.uname().nodename}/{os.getpid()}",
        lease=timedelta(seconds=given.lease),
        deadline=timedelta(seconds=given.deadline) + _GRACE,
    )


def retention(given: Settings) -> Retention:
    """Return how long things are kept."""
    return Retention(
        pages=given.keep_pages,
        steps=given.keep_steps,
        executions=given.keep_executions,
        outbox_sent=given.keep_outbox_sent,
        outbox_dead=given.keep_outbox_dead,
        search_minutes=given.search_cache_minutes,
    )
