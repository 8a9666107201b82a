"""`/rest/v1/TABLE`: the stages put together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aiohttp import web
from msgspec.structs import replace

from scout_cli.app import App
from scout_cli.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    ScoutError,
    TooMany,
    Unavailable,
)
from scout_cli.server import pictures
from scout_cli.server.askers import asking
from scout_cli.server.calls import APP
from scout_cli.server.problems import TooLarge
from scout_cli.server.reading import bytes_of
from scout_cli.server.rest import answering, bodies, parse, plan, showing
from scout_cli.server.rest.asked import Asked, Part, Preferences
from scout_cli.server.rest.failures import RestError, denied, row_refused
from scout_cli.server.rest.plan import Viewer
from scout_cli.server.rest.understanding import asked_of, understood
from scout_cli.server.rest.viewers import viewer_of
from scout_cli.server.routing import MIB
from scout_cli.service.tables import NotYours, Writer
from scout_cli.store.query import run
from scout_cli.store.query.catalogue import Table
from scout_cli.store.query.plan import Condition, Group, Query

SECONDS = 5.0
"""In which a request over the table interface is answered."""
_WRITABLE = {
    "POST": frozenset(("scouts", "scout_messages", "user_preferences")),
    "PATCH": frozenset(("scouts", "user_preferences")),
    "DELETE": frozenset(("scouts", "scout_executions")),
}


def add_routes(router: web.UrlDispatcher) -> None:
    """Add the table interface to an application."""
    for method in ("GET", "HEAD", "POST", "PATCH", "DELETE"):
        router.add_route(method, "/rest/v1/{table}", handle)
    router.add_route("*", "/rest/v1/rpc/{function}", no_function)
    router.add_route("*", "/rest/v1/{table}/{rest:.*}", nothing_here)


async def no_function(request: web.Request) -> web.Response:
    """Say that there are no functions."""
    name = request.match_info["function"][:100]
    return answering.failed(
        RestError(404, "PGRST202", f"Could not find the function public.{name} in the schema cache")
    )


async def nothing_here(_: web.Request) -> web.Response:
    """Say that a path has one part."""
    return answering.failed(RestError(404, "PGRST125", "Invalid path specified in request URL"))


async def handle(request: web.Request) -> web.Response:
    """Answer one request; every error has PostgREST's form."""
    try:
        async with asyncio.timeout(SECONDS):
            return await _Request(request).answer()
    except RestError as error:
        return answering.failed(error)
    except TimeoutError:
        return answering.failed(RestError(503, "57014", "canceling statement due to timeout"))
    except ScoutError as error:
        return answering.failed(_translated(error, request.match_info["table"]))


def _translated(error: ScoutError, table: str) -> RestError:
    """Return an error of scout's own in PostgREST's form."""
    kinds: tuple[tuple[type[ScoutError], int, str], ...] = (
        (TooLarge, 413, "PGRST102"),
        (InvalidInput, 400, "22023"),
        (Conflict, 409, "23505"),
        (NotFound, 409, "23503"),
        (TooMany, 429, "PGRST000"),
        (Unavailable, 503, "PGRST001"),
    )
    if isinstance(error, NotYours):
        return row_refused(table)
    for kind, status, code in kinds:
        if isinstance(error, kind):
            return RestError(status, code, error.message, hint=error.hint or None)
    return RestError(403, "42501", error.message, hint=error.hint or None)


class _Request:
    """One request on its way through the stages."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._raw = request.rel_url.raw_query_string
        self._app: App = request.app[APP]

    async def answer(self) -> web.Response:
        """Return the answer."""
        request = self._request
        viewer = await viewer_of(request)
        self._refuse_profiles()
        prefer = parse.preferences(request.headers.getall("Prefer", []))
        if request.method in ("GET", "HEAD"):
            return await self._read(prefer, viewer)
        table = plan.table_of(request.match_info["table"])
        asked = asked_of(self._raw)
        if viewer.role == "anon":
            raise row_refused(table.name, anonymous=True)
        if table.name not in _WRITABLE[request.method] or not viewer.writes:
            raise denied(f"table {table.name}")
        if request.method == "POST":
            return await self._insert(table, asked, prefer, viewer)
        return await self._change(table, asked, prefer, viewer)

    def _refuse_profiles(self) -> None:
        for name in ("Accept-Profile", "Content-Profile"):
            profile = self._request.headers.get(name, "public")
            if profile != "public":
                raise RestError(
                    406,
                    "PGRST106",
                    f"Invalid schema: {profile[:60]}",
                    hint="Only the following schemas are exposed: public",
                )

    async def _read(self, prefer: Preferences, viewer: Viewer) -> web.Response:
        request = self._request
        form = answering.wanted(request.headers.get("Accept", "*/*"))
        paged = parse.paged(request.headers.get("Range", ""), request.headers.get("Range-Unit", ""))
        asked, prepared = understood(request.match_info["table"], self._raw, paged, viewer)
        db = await self._app.database()
        rows = self._shown(await prepared.rows(db), prepared.query)
        total = await run.count(db, prepared.query) if prefer.count else None
        head = request.method == "HEAD"
        return answering.page(rows, form, first=asked.root.offset, total=total, head=head)

    async def _insert(
        self, table: Table, asked: Asked, prefer: Preferences, viewer: Viewer
    ) -> web.Response:
        form = answering.wanted(self._request.headers.get("Accept", "*/*"))
        plan.query(table, replace(asked, root=Part()), viewer)  # refuses a bad `select` first
        given = bodies.rows_of(await bytes_of(self._request, MIB))
        rows = [bodies.typed(table, row, viewer, new=True, only=asked.columns) for row in given]
        merge = prefer.resolution == "merge-duplicates"
        tables = await self._app.tables(asking(self._request, viewer.actor))
        writer = Writer(user_id=viewer.user_id)
        ids = [await tables.insert(table.name, row, writer, merge=merge) for row in rows]
        shown = await self._back(table, asked, prefer, viewer, ids)
        return answering.written(201, shown, form, len(ids) if prefer.count else None)

    async def _change(
        self, table: Table, asked: Asked, prefer: Preferences, viewer: Viewer
    ) -> web.Response:
        form = answering.wanted(self._request.headers.get("Accept", "*/*"))
        if not asked.root.filters:
            raise RestError(
                400, "21000", f"{self._request.method} requires a filter", hint="name the rows"
            )
        query = plan.query(table, asked, viewer)
        db = await self._app.database()
        tables = await self._app.tables(asking(self._request, viewer.actor))
        row: Mapping[str, Any] = {}
        if self._request.method == "PATCH":
            (given,) = _one(bodies.rows_of(await bytes_of(self._request, MIB) or b"{}"))
            row = bodies.typed(table, given, viewer, new=False, only=asked.columns)
        ids = await run.ids(db, query)
        if self._request.method == "DELETE":
            shown = await self._back(table, asked, prefer, viewer, ids)
            await tables.delete(table.name, ids)
        else:
            if row:
                await tables.update(table.name, ids, row)
            shown = await self._back(table, asked, prefer, viewer, ids)
        return answering.written(200, shown, form, len(ids) if prefer.count else None)

    async def _back(
        self, table: Table, asked: Asked, prefer: Preferences, viewer: Viewer, ids: Sequence[UUID]
    ) -> list[dict[str, Any]] | None:
        """Return the rows of a write as they are now, when they are wanted back."""
        if prefer.returning != "representation":
            return None
        if not ids:
            return []
        query = plan.query(table, replace(asked, root=Part(order=asked.root.order)), viewer)
        rows = await run.rows(await self._app.database(), _narrowed(query, ids))
        return self._shown(rows, query)

    def _shown(self, rows: list[dict[str, Any]], query: Query) -> list[dict[str, Any]]:
        def sign(name: str) -> str:
            return pictures.address(self._request, name)

        return showing.shown(rows, query.selection, sign)


def _narrowed(query: Query, ids: Sequence[UUID]) -> Query:
    named = Condition(column="id", operator="in", value=tuple(ids))
    return replace(
        query, selection=replace(query.selection, where=Group(members=(named,)), limit=None)
    )


def _one(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(rows) != 1:
        raise RestError(400, "PGRST102", "A change is one object")
    return rows
