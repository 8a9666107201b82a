"""Installations to examine: real databases, scripted servers, short bounds."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from aiohttp import web

from scout_cli.llm import ModelSettings
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from scout_cli.service.checks import Check, Tell
from scout_cli.service.clocks import SystemClock
from scout_cli.service.diagnosis import Bounds, Subject
from scout_cli.store import Database, findings, migrate, open_database, scouts, users
from tests.contract import rows
from tests.contract.databases import StoppedClock
from tests.ollama_server import CHAT, OllamaServer, Says

for slow in ("ollama_embedder", "ollama_facts"):
    importlib.import_module(f"scout_cli.llm.{slow}")  # so that no bound is spent on an import

RIGHT = {"ship": "Marigold", "day": "14 March 2026", "euros": 12}
GIGABYTE = 1_000_000_000
SECOND = 1_000_000_000


def answer(
    said: Any = RIGHT, *, tokens: int = 40, seconds: float = 0.5, load: float = 3.25
) -> Says:
    """Return a chat answer with the figures that Ollama reports about it."""
    text = said if isinstance(said, str) else json.dumps(said)
    body = {
        "model": CHAT,
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text},
        "done": True,
        "done_reason": "stop",
        "load_duration": int(load * SECOND),
        "prompt_eval_count": 150,
        "eval_count": tokens,
        "eval_duration": int(seconds * SECOND),
    }
    return Says(raw=json.dumps(body).encode() + b"\n")


class RunningServer(OllamaServer):
    """The scripted Ollama, which also tells what is in its memory: `/api/ps`.

    Attributes:
        running: what it tells after the first chat; before that its memory is empty.
    """

    running: dict[str, Any]

    async def __aenter__(self) -> Self:
        self.running = {
            "name": CHAT,
            "model": CHAT,
            "size": 8 * GIGABYTE,
            "size_vram": 2 * GIGABYTE,
            "context_length": 8_192,
        }
        app = web.Application()
        app.add_routes(
            [
                web.get("/api/tags", self._tags),
                web.get("/api/ps", self._ps),
                web.post("/api/show", self._show),
                web.post("/api/chat", self._chat),
                web.post("/api/embed", self._embed),
            ]
        )
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def _ps(self, request: web.Request) -> web.Response:
        await self._note(request)
        models = [self.running] if self.asked("/api/chat") else []
        return web.json_response({"models": models})


async def made(url: str, **finding) -> None:
    """Make a database with one scout and one finding."""
    database = await open_database(url, StoppedClock())
    await migrate.migrate(database)
    owner = await users.local_owner(database)
    scout = rows.scout(owner.id, notify=["ntfy://h/topic", "ntfy://h/more"])
    await scouts.add(database, scout)
    await findings.add_many(database, [rows.finding(scout, **finding)])
    await database.close()


@asynccontextmanager
async def subject(database_url: str, **changes: Any) -> AsyncIterator[Subject]:
    """Yield an installation with the built-in engines; its parts close at the end."""
    clock = changes.pop("clock", None) or SystemClock()
    opened: list[Database] = []
    private = changes.get("private", False)
    async with Sessions(Guard(private), "scout/test") as sessions:

        async def database() -> Database:
            opened.append(await open_database(database_url, clock))
            return opened[-1]

        async def shared() -> Sessions:
            return sessions

        given = {
            "database_url": database_url,
            "llm_url": "builtin://",
            "embed_url": "builtin://",
            "search_url": ("ddgs://",),
            "fetch_url": "crawl4ai://http",
            "num_ctx": 8_192,
            "bounds": Bounds(),
            "timezone": lambda: "Europe/Berlin",
            **changes,
        }
        try:
            yield Subject(
                clock=clock,
                open_database=database,
                open_sessions=shared,
                model_settings=lambda url: ModelSettings(num_ctx=given["num_ctx"]),
                **given,
            )
        finally:
            for each in opened:
                await each.close()


async def told(lane: Callable[[Tell], Awaitable[object]]) -> dict[str, Check]:
    """Return what a lane tells, by name; no two checks have the same one."""
    checks: list[Check] = []
    await lane(checks.append)
    assert len({check.name for check in checks}) == len(checks)
    return {check.name: check for check in checks}
