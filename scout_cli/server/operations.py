"""For whoever runs the server: is it alive, is it ready, and what does it do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

from scout_cli.core.models import Record
from scout_cli.server import metrics
from scout_cli.server.calls import Call, Reply
from scout_cli.server.metrics import REQUESTS, Value, metric
from scout_cli.server.routing import Route
from scout_cli.server.streaming import AUDIENCE
from scout_cli.service.readiness import Readiness
from scout_cli.store import figures
from scout_cli.store.database import Database
from scout_cli.store.figures import Waiting

_SECONDS = 15.0
"""In which figures of the database are read, or left out."""


class Alive(Record, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["alive"] = "alive"


async def alive(_: Call[None, None]) -> Reply:
    """Tell that the process answers; nothing is asked."""
    return Reply(value=Alive())


async def ready(call: Call[None, None]) -> Reply:
    """Tell how the parts of the server are."""
    found = await (await call.app.readying()).ask()
    return Reply(value=found, status=503 if found.status == "unavailable" else 200)


async def figures_(call: Call[None, None]) -> Reply:
    """Tell Prometheus what the server does."""
    app = call.request.app
    lines = [*app[REQUESTS].lines(), *metrics.process()]
    lines += metric(
        "scout_streams", "gauge", "Event streams that are open.", [({}, app[AUDIENCE].many)]
    )
    async with asyncio.timeout(_SECONDS):
        lines += await stored(await call.app.database())
    return Reply(value="".join(lines).encode())


async def stored(db: Database) -> list[str]:
    """Return what the database tells of all processes together."""
    now = await db.now()
    queued, due = await figures.queued(db, now), await figures.due(db, now)
    waiting = {"queued": queued, "due": due, "outbox": await figures.outbox(db)}
    lines = [*_waiting(waiting, now)]
    depth = queued.count + due.count
    lines += metric(
        "scout_queue_depth",
        "gauge",
        "Runs that wait for a worker, due scouts included.",
        [({}, depth)],
    )
    lines += metric(
        "scout_runs_running", "gauge", "Runs under way.", [({}, await figures.running(db))]
    )
    lines += _runs(await figures.runs_since(db, now - timedelta(days=1)))
    since = now - timedelta(hours=1)
    lines += _last_hour(
        await figures.pages_since(db, since), await figures.thinking_since(db, since)
    )
    return lines


def _waiting(found: dict[str, Waiting], now: datetime) -> Iterator[str]:
    counts: list[Value] = [({"what": name}, each.count) for name, each in found.items()]
    yield from metric("scout_waiting", "gauge", "Things that wait to be done.", counts)
    ages: list[Value] = [({"what": name}, _age(each, now)) for name, each in found.items()]
    yield from metric(
        "scout_waiting_oldest_seconds", "gauge", "For how long the first of them waits.", ages
    )


def _age(waiting: Waiting, now: datetime) -> float:
    return max(0.0, (now - waiting.oldest).total_seconds()) if waiting.oldest else 0.0


def _runs(found: list[figures.Runs]) -> Iterator[str]:
    named = [({"outcome": each.outcome or each.state}, each) for each in found]
    day = "of the runs that began within a day"
    shown: tuple[tuple[str, str, Any], ...] = (
        ("scout_runs_day", "Runs that began within a day.", lambda each: each.count),
        ("scout_run_seconds_day", f"Duration {day}.", lambda each: each.seconds or 0.0),
        ("scout_model_calls_day", f"Model calls {day}.", lambda each: each.calls),
        ("scout_prompt_tokens_day", f"Prompt tokens {day}.", lambda each: each.prompt_tokens),
        (
            "scout_completion_tokens_day",
            f"Tokens written {day}.",
            lambda each: each.completion_tokens,
        ),
    )
    for name, help_, value in shown:
        yield from metric(name, "gauge", help_, [(labels, value(each)) for labels, each in named])


def _last_hour(pages: list[figures.Named], thought: list[figures.Named]) -> Iterator[str]:
    hour = "of the runs that began within an hour"
    yield from metric(
        "scout_pages_hour",
        "gauge",
        f"Pages {hour}, by what became of them.",
        [({"outcome": each.name}, each.count) for each in pages],
    )
    yield from metric(
        "scout_model_steps_hour",
        "gauge",
        f"Steps {hour}, by who answered.",
        [({"answered_by": each.name}, each.count) for each in thought],
    )
    yield from metric(
        "scout_model_step_seconds_hour",
        "gauge",
        f"Duration of the steps {hour}, by who answered.",
        [({"answered_by": each.name}, each.seconds or 0.0) for each in thought],
    )


ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handler=alive,
        summary="Is the process alive?",
        tag="operations",
        access="public",
        answer=Alive,
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=ready,
        summary="Can the server do its work?",
        tag="operations",
        access="public",
        answer=Readiness,
        also=(503,),
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=figures_,
        summary="Figures for Prometheus",
        tag="operations",
        access="operator",
        answer=str,
        content_type=metrics.CONTENT_TYPE,
    ),
)
