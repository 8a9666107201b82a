"""What happens, while it happens: the events of a run, and every change of a user's scouts.

Runs started by the command line, by cron or by another server on the same database show here too:
what happens travels through the database.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aiohttp import web

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.core.shape import Shape
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.server.calls import Call
from scout_cli.server.routing import Route
from scout_cli.server.streaming import Stream, begun, follow
from scout_cli.service.subscription import Item, Reset, Told
from scout_cli.store import events, standing_of_runs
from scout_cli.store.database import Database
from scout_cli.store.standing_of_runs import Standing

_PIECE = 100
"""Events of one read."""
_BIGGEST = 2**31 - 1
_NAMES = {
    "scouts": "scout",
    "scout_executions": "execution",
    "scout_execution_steps": "step",
    "scout_findings": "finding",
}
_OF_RUN = ("execution_events", "scout_executions")


class After(Shape, frozen=True, kw_only=True):
    """Where to go on."""

    after: str = ""
    """The id of the last event that is known; the header `Last-Event-ID` goes before it."""


class End(Record, frozen=True, kw_only=True):
    """The data of `end`: how the run ended."""

    state: str
    """`deleted` for a run that is not there any more."""
    outcome: str | None = None
    error: str | None = None


class Line(Record, frozen=True, kw_only=True):
    """One event of a stream as JSON Lines have it."""

    id: str | None
    """From where a client goes on that was cut off."""
    event: str
    data: Any


class ChangeData(Record, frozen=True, kw_only=True):
    """The data of a change."""

    change: str
    """`insert`, `update` or `delete`."""
    id: str
    scout_id: UUID | None
    execution_id: UUID | None
    at: Any
    record: Any = None
    """The row as it is; null for one that is gone."""


async def of_execution(call: Call[None, After]) -> web.StreamResponse:
    """Stream the events of a run: those that were stored, then those that come."""
    execution_id, seen = call.ids["execution_id"], _seen(_last_id(call))
    db = await call.app.database()
    if await standing_of_runs.get(db, execution_id, call.user) is None:
        raise NotFound("no such execution", hint="GET /api/v1/executions lists what there is")
    feed = await call.app.feed()
    async with feed.subscribe(call.user, tables=_OF_RUN, execution_id=execution_id) as told:
        stream = await begun(call)
        run = _Run(db, stream, execution_id, call.user, seen)
        await follow(call, stream, told, run.go_on)
    return stream.response


class _Run:
    """How far the stream of one run is."""

    def __init__(
        self, db: Database, stream: Stream, id_: UUID, user_id: UUID, seen: tuple[int, int]
    ) -> None:
        self._db = db
        self._stream = stream
        self._id = id_
        self._user_id = user_id
        self._seen = seen
        self._fresh = True

    async def go_on(self, items: list[Item]) -> bool:
        """Send what is new; return whether the run is over and everything was sent."""
        may_be_over = self._fresh or any(_tells_of_the_run(item) for item in items)
        # Asked first: whatever was said before the end is there once the end is.
        standing = Standing(state="running")
        if may_be_over:
            found = await standing_of_runs.get(self._db, self._id, self._user_id)
            standing = found or Standing(state="deleted")
        if items or self._fresh:
            await self._send_new()
            self._fresh = False
        if standing.state in ("queued", "running"):
            return False
        end = End(state=standing.state, outcome=standing.outcome, error=standing.error_message)
        await self._stream.send("end", shape.encode(end))
        return True

    async def _send_new(self) -> None:
        while True:
            lines = await events.after(self._db, self._id, self._user_id, self._seen, _PIECE)
            for line in lines:
                place = f"{line.fence}-{line.number}"
                await self._stream.send(line.kind, line.data.encode(), place)
                self._seen = (line.fence, line.number)
            if len(lines) < _PIECE:
                return


def _tells_of_the_run(item: Item) -> bool:
    return isinstance(item, Reset) or item.change.table_name == "scout_executions"


async def of_user(call: Call[None, After]) -> web.StreamResponse:
    """Stream every change of a user's scouts, runs, steps and findings."""
    feed = await call.app.feed()
    async with feed.subscribe(
        call.user, tables=[*_NAMES], after=_last_id(call), records=True
    ) as told:
        stream = await begun(call)
        await stream.send("ready", b"{}", told.cursor)

        async def send(items: list[Item]) -> bool:
            while items:
                await _send_change(stream, items[0])
                del items[0]  # a try after the database was away goes on with the next
            return False

        await follow(call, stream, told, send)
    return stream.response


async def _send_change(stream: Stream, item: Item) -> None:
    if isinstance(item, Told):
        change = item.change
        data = ChangeData(
            change=change.kind.lower(),
            id=change.row_id,
            scout_id=change.scout_id,
            execution_id=change.execution_id,
            at=change.at,
            record=item.record,
        )
        await stream.send(_NAMES[change.table_name], shape.encode(data), item.cursor)
    else:
        await stream.send("reset", shape.encode({"why": item.why}), item.cursor)


def _last_id(call: Call[None, After]) -> str:
    return call.request.headers.get("Last-Event-ID", "") or call.query.after


def _seen(text: str) -> tuple[int, int]:
    """Return fence and number of the last event that a client knows.

    Raises:
        InvalidInput: no event has this id.
    """
    if not text:
        return 0, 0
    parts = text.split("-")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
        fence, number = (int(part) for part in parts)
        if max(fence, number) <= _BIGGEST:
            return fence, number
    raise InvalidInput("this is no place in the stream", hint="send the id of an event of it")


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/executions/{execution_id}/events",
        handler=of_execution,
        summary="Follow a run",
        tag="live",
        query=After,
        answer=Line,
        content_type="text/event-stream",
        errors=(404,),
        stream=True,
    ),
    Route(
        method="GET",
        path="/api/v1/events",
        handler=of_user,
        summary="Follow everything that changes",
        tag="live",
        query=After,
        answer=Line,
        content_type="text/event-stream",
        stream=True,
    ),
)
