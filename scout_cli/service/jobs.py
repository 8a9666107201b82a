"""From a saved scout, or a wish, to the job that the agent understands."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from scout_cli.core import schedule, shape
from scout_cli.core.job import Budget, Job, Window
from scout_cli.core.models import Scout
from scout_cli.service.changes import wished
from scout_cli.service.scouts import Wish, place


def job_of(scout: Scout, execution_id: UUID, now: datetime, budget: Budget) -> Job:
    """Return what to do for `scout` now; its first run is a baseline."""
    current = scout.planned_for == planned_for(scout)
    return Job(
        id=execution_id,
        goal=wished(scout),
        title=scout.title,
        description=scout.description or "",
        queries=tuple(scout.search_queries),
        planned=tuple(scout.planned_queries) if current else None,
        location=scout.location,
        language=scout.language or "",
        urls=tuple(scout.urls),
        feeds=tuple(scout.feeds),
        include_domains=tuple(scout.include_domains),
        exclude_domains=tuple(scout.exclude_domains),
        window=schedule.window(scout.schedule, scout.timezone, now, last=scout.last_run_at),
        first=scout.last_run_at is None,
        budget=budget,
        asked_at=now,
    )


def wish_job(wish: Wish, now: datetime, budget: Budget) -> Job:
    """Return what to do for a wish that is not saved: look at any time."""
    return Job(
        goal=wish.goal,
        title=wish.title or "",
        description=wish.description or "",
        queries=wish.queries,
        location=place(wish.location),
        language=wish.language or "",
        urls=wish.urls,
        feeds=wish.feeds,
        include_domains=wish.include_domains,
        exclude_domains=wish.exclude_domains,
        window=Window(),
        budget=budget,
        asked_at=now,
    )


def planned_for(scout: Scout) -> str:
    """Return a fingerprint of what planned queries depend on."""
    wish = [scout.goal, scout.search_queries, shape.plain(scout.location), scout.language]
    return sha256(shape.encode(wish)).hexdigest()[:16]
