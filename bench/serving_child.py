"""One server of `serving.py`: scout, or a bare aiohttp handler with the same SQL and JSON."""

from __future__ import annotations

import asyncio
import json
import sys
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
from scout_cli.server.application import create
from scout_cli.server.running import Place, listening
from scout_cli.service.views import ExecutionGlance, ScoutView
from scout_cli.store.rows import column
from scout_cli.store.sqlite_file import path_of
from scout_cli.store.statements import insert, values

LISTS = {
    "/scouts": (ScoutView, "scouts", "created_at"),
    "/api/v1/executions": (ExecutionGlance, "scout_executions", "started_at"),
}


class Bare:
    """Handlers with nothing but a driver and an encoder.

    Args:
        url: of the database.
        user: whose rows.
    """

    def __init__(self, url: str, user: UUID) -> None:
        self._url = url
        self._user = user
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
            rows = await self._rows(sql, 51)
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

    async def _rows(self, sql: str, limit: int) -> Any:
        if self._sqlite:
            given = {"1": str(self._user), "2": limit}
            return await self._sqlite.execute_fetchall(sql, given)
        async with self._pool.acquire() as connection:
            return await connection.fetch(sql, self._user, limit)

    async def add(self, request: web.Request) -> web.Response:
        """Read JSON, store a scout, answer it."""
        wish = msgspec.json.decode(await request.read())
        now = datetime.now(UTC)
        scout = Scout(
            id=uuid4(),
            user_id=self._user,
            title=wish["title"],
            goal=wish["goal"],
            search_queries=wish["search_queries"],
            created_at=now,
            updated_at=now,
            next_run_at=now,
        )
        given = [_bare(value) for value in values(scout)]
        sql = insert("scouts", Scout)
        if self._sqlite:
            bound = {str(n): _text(value) for n, value in enumerate(given, 1)}
            async with self._lock:
                await self._sqlite.execute("BEGIN IMMEDIATE")
                await self._sqlite.execute(sql, bound)
                await self._sqlite.commit()
        else:
            async with self._pool.acquire() as connection:
                await connection.execute(sql, *given)
        shown = {name: getattr(scout, name) for name in ScoutView.__struct_fields__}
        body = msgspec.json.encode(shown)
        return web.Response(body=body, status=201, content_type="application/json")


def _bare(value: Any) -> Any:
    return msgspec.json.encode(value.value).decode() if hasattr(value, "value") else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, UUID | datetime) else value


async def _plain_json(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=str, decoder=str, format="text"
    )


async def bare(url: str, user: UUID) -> None:
    """Serve the bare handlers until this process is ended."""
    handlers = Bare(url, user)
    await handlers.open()
    application = web.Application()
    for path, kind in LISTS.items():
        application.router.add_get(path, handlers.listing(*kind))
    application.router.add_post("/scouts", handlers.add)
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
        print(json.dumps({"port": running.place.port}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    if sys.argv[1] == "bare":
        asyncio.run(bare(given["url"], UUID(given["user"])))
    else:
        asyncio.run(scout(msgspec.convert(given["settings"], Settings)))
