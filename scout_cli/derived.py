"""What the settings mean to the services: bounds of a run, terms of a lease, how long to keep."""

from __future__ import annotations

import os
from datetime import timedelta
from urllib.parse import urlsplit

from scout_cli.config.settings import Settings, platform_folder
from scout_cli.core.job import Budget
from scout_cli.core.ports import Executor
from scout_cli.execute import open_executor
from scout_cli.plug import scheme_of
from scout_cli.service.lease import Terms
from scout_cli.service.readiness import Place
from scout_cli.service.screenshots import Screenshots, of_database
from scout_cli.service.upkeep import Retention
from scout_cli.store.postgres_url import address_of

_PORTS = {"ollama": 11434, "http": 80}
_GRACE = timedelta(minutes=2)
"""For a run that ends in good order at its own deadline, before it is taken away."""


def screenshots(given: Settings) -> Screenshots | None:
    """Return where pictures of pages are kept, None where there is no place for them."""
    return of_database(given.database_url, lambda: platform_folder("data"))


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
        audit=given.keep_audit,
    )


def executor(given: Settings) -> Executor:
    """Return how due scouts come to workers; nothing is connected yet.

    Raises:
        ConfigError: `execute_url` cannot be used, or not with this database.
        MissingPackage: its package is not installed.
    """
    url = given.database_url
    dsn = address_of(url).dsn if scheme_of(url) in ("postgresql", "postgres") else ""
    return open_executor(given.execute_url, dsn)


def places(given: Settings, llm_url: str) -> tuple[Place | None, tuple[Place, ...]]:
    """Return where the model and search engines of one's own listen, for a look at whether they do.

    Args:
        given: the settings.
        llm_url: the model's, `auto` resolved.
    """
    model = _place(llm_url) if llm_url.startswith("ollama") else None
    own = (_place(url.partition("+")[2]) for url in given.search_url if "+http" in url)
    return model, tuple(place for place in own if place is not None)


def _place(url: str) -> Place | None:
    parts = urlsplit(url)
    if not parts.hostname:
        return None
    return Place(host=parts.hostname, port=parts.port or _PORTS.get(parts.scheme, 443))
