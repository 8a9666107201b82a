"""Scouts that watch feeds and pages for themselves, without a topic."""

from __future__ import annotations

from scout_cli.core.answers import SetUpAnswer
from scout_cli.core.job import Job
from scout_cli.core.models import Scout
from scout_cli.core.urls import host_of
from scout_cli.core.words import shorten
from scout_cli.service.changes import wished


def searches(scout: Scout) -> bool:
    """Return whether `scout` searches the web, or reads its own feeds and pages alone."""
    return not as_job(scout).takes_what_comes


def watched(scout: Scout) -> frozenset[str]:
    """Return the canonical URLs of the pages that `scout` watches for themselves."""
    return as_job(scout).watched


def filled_in(wish: Job) -> SetUpAnswer | None:
    """Return what fills in a wish without a topic: nothing but where it looks has a name.

    Returns:
        None for a wish with a topic, which a model fills in better.
    """
    if not wish.takes_what_comes:
        return None
    name = wish.title or host_of((*wish.feeds, *wish.urls)[0])
    return SetUpAnswer(title=name, description=shorten(wish.goal, 240), queries=[name])


def as_job(scout: Scout) -> Job:
    """Return what decides whether `scout` has a topic."""
    return Job(
        goal=wished(scout),
        title=scout.title,
        queries=tuple(scout.search_queries),
        urls=tuple(scout.urls),
        feeds=tuple(scout.feeds),
    )
