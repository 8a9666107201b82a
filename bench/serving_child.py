"""One server of `serving.py`: scout, or a bare aiohttp handler with the same SQL and JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aiosqlite
import asyncpg
import msgspec
from aiohttp import web
from measure import ROOT

sys.path.insert(0, str(ROOT))
from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.core.models import Scout
from scout_cli.server import memory
from scout_cli.server.application import create
from scout_cli.server.running import Place, listening
from scout_cli.service.views import ExecutionGlance, ScoutView
from scout_cli.store.audit import HEAD, Line
from scout_cli.store.database import Json
from scout_cli.store.rows import column
from scout_cli.store.sqlite_file import path_of
from scout_cli.store.statements import insert, values

LISTS = {
    "/scouts": (ScoutView, "scouts", "created_at"),
    "/api/v1/executions": (ExecutionGlance, "scout_executions", "started_at"),
}

_HEAD = "SELECT detail FROM marks WHERE name = $1"
_ENDED = "UPDATE marks SET at = $2, detail = $3 WHERE name = $1"


class Bare:
    """Handlers with nothing but a driver and an encoder.

    Args:
        url: of the database.
        user: whose rows.
    """

    def __init__(self, url: str, user: UUID) -> None:
        self._url = url
        self.user = user
        self._sqlite: Any = None
        self._pool: Any = None

    async def open(self) -> None:
        """Connect as scout does."""
        if self._url.startswith("sqlite"):
            self._sqlite = await aiosqlite.connect(path_of(self._url), isolation_level=None)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                await self._sqlite.execute(f"PRAGMA {pragma}")
            self._lock = asyncio.Lock()
        else:
            dsn = self._url.partition("&scout_unsafe")[0].partition("?scout_unsafe")[0]
            self._pool = await asyncpg.create_pool(dsn, min_size=1, max_size=10, init=_plain_json)

    def listing(self, of: Any, table: str, order: str) -> Any:
        """Return the handler of a list."""
        names = of.__struct_fields__
        documents = {field.name for field in msgspec.structs.fields(of) if column(field.type).json}
        truths = {field.name for field in msgspec.structs.fields(of) if field.type is bool}
        listed = ", ".join(f'"{name}"' for name in names)
        sql = f"""SELECT {listed} FROM {table} WHERE user_id = $1
            ORDER BY "{order}" DESC, id DESC LIMIT $2"""

        async def handle(_: web.Request) -> web.Response:
            rows = await self.rows(sql, self.user, 51)
            items = []
            for row in rows[:50]:
                item = dict(zip(names, row, strict=True))
                for name in documents:
                    if item[name] is not None:
                        item[name] = msgspec.Raw(item[name].encode())
                if self._sqlite:
                    for name in truths:
                        item[name] = bool(item[name])
                items.append(item)
            body = msgspec.json.encode({"items": items, "next": str(items[-1]["id"])})
            return web.Response(body=body, content_type="application/json")

        return handle

    async def rows(self, sql: str, *args: Any) -> Any:
        """Run one statement."""
        if self._sqlite:
            return await self._sqlite.execute_fetchall(sql, _bound(args))
        async with self._pool.acquire() as connection:
            return await connection.fetch(sql, *args)

    async def change(self, *statements: tuple[str, Sequence[Any]]) -> None:
        """Run statements in a transaction, with the line that the log has of every change."""
        async with self._changing() as run:
            for sql, args in statements:
                await run(sql, *args)
            ((detail,),) = await run(self.locking(_HEAD), HEAD)
            number = int(detail.partition(":")[0]) + 1
            line = Line(number=number, at=datetime.now(UTC), actor="", action="bare", hash="0" * 64)
            await run(insert("audit_log", Line), *values(line))
            await run(_ENDED, HEAD, line.at, f"{number}:{line.hash}")

    def locking(self, select: str) -> str:
        """Return a SELECT whose rows nobody else changes before the transaction ends."""
        return select if self._sqlite else f"{select} FOR UPDATE"

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
        if self._sqlite:
            async with self._lock:
                await self._sqlite.execute("BEGIN IMMEDIATE")
                yield self.rows
                await self._sqlite.commit()
        else:
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection.fetch

    async def add(self, request: web.Request) -> web.Response:
        """Read JSON, store a scout, answer it."""
        wish = msgspec.json.decode(await request.read())
        now = datetime.now(UTC)
        scout = Scout(
            id=uuid4(),
            user_id=self.user,
            title=wish["title"],
            goal=wish["goal"],
            search_queries=wish["search_queries"],
            created_at=now,
            updated_at=now,
            next_run_at=now,
        )
        await self.change((insert("scouts", Scout), stored(scout)))
        shown = {name: getattr(scout, name) for name in ScoutView.__struct_fields__}
        body = msgspec.json.encode(shown)
        return web.Response(body=body, status=201, content_type="application/json")


def stored(row: msgspec.Struct) -> list[Any]:
    """Return the values of a record as a driver takes them."""
    return [
        msgspec.json.encode(value.value).decode() if isinstance(value, Json) else value
        for value in values(row)
    ]


def _bound(args: Sequence[Any]) -> dict[str, Any]:
    return {str(number): _text(value) for number, value in enumerate(args, 1)}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value


async def _plain_json(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=str, decoder=str, format="text"
    )


def lists(handlers: Bare, router: web.UrlDispatcher) -> None:
    """Add the handlers of `serving.py`."""
    for path, kind in LISTS.items():
        router.add_get(path, handlers.listing(*kind))
    router.add_post("/scouts", handlers.add)


async def bare(handlers: Bare, add: Callable[[Any, web.UrlDispatcher], None]) -> None:
    """Serve bare handlers until this process is ended."""
    await handlers.open()
    application = web.Application()
    add(handlers, application.router)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.Event().wait()


async def scout(settings: Settings) -> None:
    """Serve scout until this process is ended."""
    async with (
        App.open(settings) as app,
        listening(create(app), Place(host="127.0.0.1", port=0)) as running,
    ):
        await app.database()
        memory.settle()
        print(json.dumps({"port": running.place.port}), flush=True)
        await asyncio.Event().wait()


def main(add: Callable[[Any, web.UrlDispatcher], None], of: type[Bare] = Bare) -> None:
    """Serve what the command line names until this process is ended."""
    given = json.loads(sys.argv[2])
    if sys.argv[1] == "bare":
        asyncio.run(bare(of(given["url"], UUID(given["user"])), add))
    else:
        asyncio.run(scout(msgspec.convert(given["settings"], Settings)))


if __name__ == "__main__":
    main(lists)
