"""Rows to store in tests: everything that a test does not say is plausible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from scout_cli.core.models import (
    Execution,
    Finding,
    PageSnapshot,
    Scout,
    SeenPage,
    Step,
)
from scout_cli.store import scouts, users

AT = datetime(2026, 11, 21, 2, 37, 14, 140666, tzinfo=UTC)


def scout(user_id, **more) -> Scout:
    """Return a scout of this user."""
    row = {"id": uuid4(), "title": "Ferries", "created_at": AT, "updated_at": AT}
    return Scout(user_id=user_id, **{**row, **more})


async def stored_scout(database, **more) -> Scout:
    """Store a scout of the local owner and return it."""
    made = scout((await users.local_owner(database)).id, **more)
    await scouts.add(database, made)
    return made


def execution(of: Scout, **more) -> Execution:
    """Return a running execution with a lease of a minute."""
    row = {
        "id": uuid4(),
        "status": "running",
        "started_at": AT,
        "created_at": AT,
        "lease_until": AT + timedelta(minutes=1),
    }
    return Execution(scout_id=of.id, user_id=of.user_id, **{**row, **more})


def step(of: Execution, number: int = 1, **more) -> Step:
    """Return a running step."""
    row = {
        "id": uuid4(),
        "step_type": "search",
        "description": "Search",
        "status": "running",
        "started_at": AT,
        "created_at": AT,
        "fence": of.fence,
    }
    return Step(execution_id=of.id, user_id=of.user_id, step_number=number, **{**row, **more})


def finding(of: Scout, **more) -> Finding:
    """Return a new finding of no execution."""
    row = {
        "id": uuid4(),
        "execution_id": None,
        "source": 1,
        "fact": "The ferry sails at nine.",
        "quote": "sails at nine",
        "url": "https://ferries.example/news?utm_source=x",
        "canonical_url": "https://ferries.example/news",
        "host": "ferries.example",
        "title": "Timetable",
        "novelty": "new",
        "created_at": AT,
    }
    return Finding(scout_id=of.id, user_id=of.user_id, **{**row, **more})


def page(of: Execution, **more) -> PageSnapshot:
    """Return a page that was read."""
    row = {
        "id": uuid4(),
        "source": 1,
        "url": "https://ferries.example/news",
        "final_url": "https://ferries.example/news",
        "canonical_url": "https://ferries.example/news",
        "outcome": "read",
        "text": "The ferry sails at nine.",
        "fetched_at": AT,
    }
    return PageSnapshot(
        execution_id=of.id, scout_id=of.scout_id, user_id=of.user_id, **{**row, **more}
    )


def seen(of: Scout, **more) -> SeenPage:
    """Return what is remembered of a page."""
    row = {
        "canonical_url": "https://ferries.example/news",
        "content_hash": "a" * 64,
        "read_at": AT,
    }
    return SeenPage(scout_id=of.id, user_id=of.user_id, **{**row, **more})
