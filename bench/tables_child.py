"""One server of `tables.py`: scout, or a bare aiohttp handler with the same SQL and JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from aiohttp import web
from serving_child import Bare, main, stored

from scout_cli.core.models import Scout
from scout_cli.server.rest import parse, plan
from scout_cli.store.query import sql
from scout_cli.store.query.plan import Query
from scout_cli.store.statements import insert

_WHOLE = "SELECT * FROM scouts WHERE id = $1"
_CHANGE = "UPDATE scouts SET updated_at = $2, title = $3 WHERE id = $1"
_REMOVE = "DELETE FROM scouts WHERE id = $1"
_ANY = UUID(int=1)
"""Stands for the id of a request in statements that are made once."""


class Prepared:
    """One question whose statements were made beforehand.

    Args:
        query: as scout's own compiler understands it.
    """

    def __init__(self, query: Query) -> None:
        self.rows, self.ids = sql.rows(query), sql.ids(query)
        chosen = query.selection
        kinds = chosen.table.by_name
        self.names = [name for name, _ in chosen.columns]
        of = {name: kinds[column].kind for name, column in chosen.columns}
        self.documents = [name for name, kind in of.items() if kind == "document"]
        self.truths = [name for name, kind in of.items() if kind == "boolean"]
        self.inside = {e.name: [name for name, _ in e.selection.columns] for e in chosen.embeds}

    def item(self, row: Any) -> dict[str, Any]:
        """Return one row as it is answered."""
        values = tuple(row)
        item = dict(zip(self.names, values[: len(self.names)], strict=True))
        for name in self.documents:
            if item[name] is not None:
                item[name] = msgspec.Raw(item[name].encode())
        for name in self.truths:
            item[name] = bool(item[name])
        for name, columns in self.inside.items():  # the last columns, of one row
            item[name] = dict(zip(columns, values[-len(columns) :], strict=True))
        return item


class Tables(Bare):
    """Bare handlers of the table interface."""

    @cached_property
    def _known(self) -> dict[tuple[str, str], Prepared]:
        return {}

    async def read(self, request: web.Request) -> web.Response:
        """Answer rows, or one of them."""
        found = await self._found(self._prepared(request, request.query_string))
        single = "pgrst.object" in request.headers["Accept"]
        return _json(found[0] if single else found)

    async def add(self, request: web.Request) -> web.Response:
        """Store a scout and answer its row."""
        row, now = msgspec.json.decode(await request.read()), datetime.now(UTC)
        id_ = UUID(row["id"])
        made = Scout(id=id_, user_id=self.user, title=row["title"], created_at=now, updated_at=now)
        await self.change((insert("scouts", Scout), stored(made)))
        text = f"{request.query_string}&id=eq.{_ANY}"
        return _json((await self._found(self._prepared(request, text), id_))[0], status=201)

    async def alter(self, request: web.Request) -> web.Response:
        """Change the title of a scout."""
        title = msgspec.json.decode(await request.read())["title"]
        for id_ in await self._ids(request):
            await self.change(
                (self.locking(_WHOLE), (id_,)), (_CHANGE, (id_, datetime.now(UTC), title))
            )
        return web.Response(status=204)

    async def remove(self, request: web.Request) -> web.Response:
        """Remove a scout."""
        for id_ in await self._ids(request):
            await self.change((_REMOVE, (id_,)))
        return web.Response(status=204)

    async def _ids(self, request: web.Request) -> list[UUID]:
        id_ = UUID(request.query["id"].removeprefix("eq."))
        prepared = self._prepared(request, f"id=eq.{_ANY}")
        found = await self.rows(prepared.ids.text, *_with(prepared.ids, id_))
        return [UUID(str(row[0])) for row in found]

    async def _found(self, prepared: Prepared, id_: UUID = _ANY) -> list[dict[str, Any]]:
        rows = await self.rows(prepared.rows.text, *_with(prepared.rows, id_))
        return [prepared.item(row) for row in rows]

    def _prepared(self, request: web.Request, text: str) -> Prepared:
        """Return what is asked, understood the first time."""
        table = request.match_info["table"]
        if (table, text) not in self._known:
            viewer = plan.Viewer(role="user", user_id=self.user)
            asked = parse.query(parse_qsl(text))
            query = plan.query(plan.table_of(table), asked, viewer)
            self._known[table, text] = Prepared(query)
        return self._known[table, text]


def _with(statement: sql.Sql, id_: UUID) -> list[Any]:
    return [id_ if value == _ANY else value for value in statement.values]


def _json(value: Any, status: int = 200) -> web.Response:
    body = msgspec.json.encode(value)
    return web.Response(status=status, body=body, content_type="application/json")


def tables(handlers: Tables, router: web.UrlDispatcher) -> None:
    """Add the handlers of `tables.py`."""
    path = "/rest/v1/{table}"
    added: dict[str, Callable[[web.Request], Any]] = {
        "GET": handlers.read,
        "POST": handlers.add,
        "PATCH": handlers.alter,
        "DELETE": handlers.remove,
    }
    for method, handler in added.items():
        router.add_route(method, path, handler)


if __name__ == "__main__":
    main(tables, Tables)
