"""Writes an agent's durable events into the database, then passes them on."""

from __future__ import annotations

import re
from typing import Any

from scout_cli.core.events import Emit, Event, PageSeen, StepFinished, StepStarted
from scout_cli.core.models import Execution, PageSnapshot, SeenPage, Step
from scout_cli.core.ports import Clock
from scout_cli.store import pages, steps
from scout_cli.store.database import Database

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates: no database keeps them, and some pages hold them."""


class Journal:
    """The sink of one execution.

    Args:
        db: where steps and pages go.
        execution: whose they are; its fence guards every write.
        clock: identifiers.
        emit: receives every event after it was stored.
    """

    def __init__(self, db: Database, execution: Execution, clock: Clock, emit: Emit) -> None:
        self._db = db
        self._execution = execution
        self._clock = clock
        self._emit = emit
        self._open: dict[int, Step] = {}
        self.seen: list[SeenPage] = []
        """Pages to remember once the run has completed."""

    async def emit(self, event: Event) -> None:
        """Store `event` if it is durable and pass it on.

        Raises:
            FenceLost: another process has taken over; the run must stop.
        """
        match event:
            case StepStarted():
                await self._start(event)
            case StepFinished():
                await self._finish(event)
            case PageSeen():
                await self._page(event)
        await self._emit(event)

    async def _start(self, event: StepStarted) -> None:
        step = Step(
            id=self._clock.uuid(),
            execution_id=self._execution.id,
            step_number=event.number,
            step_type=event.kind,
            description=storable(event.description),
            input_data=storable(event.input),
            status="running",
            started_at=event.at,
            created_at=event.at,
            user_id=self._execution.user_id,
            fence=self._execution.fence,
        )
        self._open[event.number] = step
        await steps.start(self._db, step)

    async def _finish(self, event: StepFinished) -> None:
        step = self._open.pop(event.number)
        ended = Step(
            id=step.id,
            execution_id=step.execution_id,
            step_number=step.step_number,
            step_type=step.step_type,
            description=step.description,
            input_data=step.input_data,
            output_data=storable(event.output),
            status=event.status,
            started_at=step.started_at,
            completed_at=event.at,
            error_message=storable(event.error),
            created_at=step.created_at,
            user_id=step.user_id,
            fence=step.fence,
            answered_by=event.answered_by,
        )
        await steps.finish(self._db, ended)

    async def _page(self, event: PageSeen) -> None:
        if event.outcome == "read":
            self.seen.append(self._remember(event))
        await pages.add(self._db, self._snapshot(event), self._execution.fence)

    def _remember(self, event: PageSeen) -> SeenPage:
        return SeenPage(
            scout_id=self._execution.scout_id,
            user_id=self._execution.user_id,
            canonical_url=event.canonical_url,
            etag=event.etag,
            last_modified=event.last_modified,
            content_hash=event.content_hash,
            read_at=event.at,
        )

    def _snapshot(self, event: PageSeen) -> PageSnapshot:
        return PageSnapshot(
            id=self._clock.uuid(),
            execution_id=self._execution.id,
            scout_id=self._execution.scout_id,
            user_id=self._execution.user_id,
            source=event.source,
            url=event.url,
            final_url=event.final_url,
            canonical_url=event.canonical_url,
            outcome=event.outcome,
            http_status=event.http_status,
            detail=storable(event.detail),
            title=storable(event.title),
            text=storable(event.text),
            content_hash=event.content_hash,
            published_at=event.published_at,
            published_from=event.published_from,
            fetched_at=event.at,
        )


def storable(value: Any) -> Any:
    """Return `value` without the characters that no database keeps."""
    if isinstance(value, str):
        plain = value.isascii() and "\0" not in value
        return value if plain else _UNSTORABLE.sub("", value)
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value
