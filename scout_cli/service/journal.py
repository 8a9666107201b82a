"""Writes an agent's durable events into the database, then passes them on."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from scout_cli.core import shape
from scout_cli.core.events import (
    Emit,
    Event,
    PageSeen,
    StepFinished,
    StepStarted,
    TokenDelta,
)
from scout_cli.core.models import Execution, PageSnapshot, SeenPage, Step
from scout_cli.core.ports import Clock
from scout_cli.service.pen import Pen
from scout_cli.store import events, pages, steps
from scout_cli.store.database import Connection, Database, Statement
from scout_cli.store.events import StoredEvent

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates: no database keeps them, and some pages hold them."""


class Journal:
    """The sink of one execution.

    What the agent says is kept beside steps and pages, in the same transactions: an event that is
    neither waits for the next one that is.

    Args:
        db: where steps and pages go.
        execution: whose they are; its fence guards every write.
        clock: identifiers.
        emit: receives every event after it was stored.
    """

    def __init__(self, db: Database, execution: Execution, clock: Clock, emit: Emit) -> None:
        self._pen = Pen(db, execution)
        self._execution = execution
        self._clock = clock
        self._emit = emit
        self._open: dict[int, Step] = {}
        self._said: list[StoredEvent] = []
        self._number = 0
        self.seen: list[SeenPage] = []
        """Pages to remember once the run has completed."""

    async def emit(self, event: Event) -> None:
        """Store `event` if it is durable and pass it on.

        Raises:
            FenceLost: another process has taken over; the run must stop.
        """
        self._note(event)
        match event:
            case StepStarted():
                await self._start(event)
            case StepFinished():
                await self._finish(event)
            case PageSeen():
                await self._page(event)
        await self._emit(event)

    async def store_rest(self, tx: Connection) -> None:
        """Inside the transaction that ends the attempt: store what was said since the last write.

        A transaction that is tried again stores the same.
        """
        if self._said:
            await tx.together(*events.statements(self._said))

    def _note(self, event: Event) -> None:
        if isinstance(event, TokenDelta):
            return
        self._number += 1
        self._said.append(
            StoredEvent(
                execution_id=self._execution.id,
                fence=self._execution.fence,
                number=self._number,
                user_id=self._execution.user_id,
                kind=kind_of(event),
                data=written(event),
                at=event.at,
            )
        )

    async def _write(self, statement: Statement) -> None:
        """Store a step or a page, and with it the events that wait for that."""
        said, self._said = self._said, []
        await self._pen.write(statement, *events.statements(said))

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
        await self._write(steps.started(step))

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
        await self._write(steps.finished(ended))

    async def _page(self, event: PageSeen) -> None:
        snapshot = self._snapshot(event)
        if event.outcome == "read":
            self.seen.append(self._remember(event, snapshot.text))
        await self._write(pages.added(snapshot))

    def _remember(self, event: PageSeen, text: str) -> SeenPage:
        return SeenPage(
            scout_id=self._execution.scout_id,
            user_id=self._execution.user_id,
            canonical_url=event.canonical_url,
            etag=event.etag,
            last_modified=event.last_modified,
            content_hash=event.content_hash,
            read_at=event.at,
            text=text,
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


def kind_of(event: Event) -> str:
    """Return the name of an event, as its JSON has it in `event`."""
    return str(type(event).__struct_config__.tag)


def written(event: Event) -> Raw:
    """Return an event as it is kept: its JSON, a page without its text."""
    lean = replace(event, text="") if isinstance(event, PageSeen) else event
    try:
        text = shape.encode(lean)
    except UnicodeEncodeError:  # a lone surrogate of some page
        return Raw(shape.encode(storable(shape.plain(lean))))
    return Raw(shape.encode(storable(shape.plain(lean))) if b"\\u0000" in text else text)


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
