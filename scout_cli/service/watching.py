"""What a saved scout watches for itself, without a topic."""

from __future__ import annotations

from scout_cli.core.job import Job
from scout_cli.core.models import Scout
from scout_cli.service.changes import wished


def searches(scout: Scout) -> bool:
    """Return whether `scout` searches the web, or reads its own feeds and pages alone."""
    return not _wish(scout).takes_what_comes


def watched(scout: Scout) -> frozenset[str]:
    """Return the canonical URLs of the pages that `scout` watches for themselves."""
    return _wish(scout).watched


def _wish(scout: Scout) -> Job:
    return Job(
        goal=wished(scout),
        title=scout.title,
        queries=tuple(scout.search_queries),
        urls=tuple(scout.urls),
        feeds=tuple(scout.feeds),
    )
