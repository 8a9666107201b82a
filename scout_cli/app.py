"""The composition root: what the command line can do, the server and a Python caller can do.

`App.open(settings)` owns every lifetime; parts open when they are first used, and close with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from scout_cli.config import Settings
from scout_cli.core import urls
from scout_cli.core.asking import Asking
from scout_cli.core.events import Emit
from scout_cli.core.job import Budget, Result
from scout_cli.core.ports import (
    ChatModel,
    Clock,
    Embedder,
    Fetcher,
    Reasoner,
    SearchEngine,
    SearchQuery,
)
from scout_cli.errors import SearchUnavailable
from scout_cli.service import runs
from scout_cli.service.checks import Check, check
from scout_cli.service.clocks import SystemClock
from scout_cli.service.runs import Kit, Runs
from scout_cli.service.scouts import Scouts, Wish
from scout_cli.store import migrate, open_database, resolved
from scout_cli.store.database import Database

T = TypeVar("T")


class App:
    """Everything that scout can do, with one configuration.

    Args:
        settings: from `config.load`, or made by hand.
        clock: time and identifiers; the machine's own by default.
        hosts: host names and the addresses they stand for, before any name server; for the
            bundled demo web and for tests.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._hosts = dict(hosts or {})
        self._stack = AsyncExitStack()
        self._parts: dict[str, Any] = {}
        self.notes: list[str] = []
        """What was chosen for this machine and why, for people to see once."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        *,
        clock: Clock | None = None,
        hosts: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Self]:
        """Open an application and close all it opened at the end of the block."""
        app = cls(settings, clock=clock, hosts=hosts)
        async with app._stack:
            yield app

    async def init_db(self) -> list[str]:
        """Create or migrate the database and return the names of the migrations applied."""
        return await migrate.migrate(await self._part("database", self._open_database))

    async def database(self) -> Database:
        """Return the open database; a missing SQLite file is created and migrated.

        Raises:
            DatabaseUnavailable: it cannot be opened, or is too new or too old for this program.
        """
        return await self._part("migrated", self._open_migrated)

    async def scouts(self) -> Scouts:
        """Return the saved wishes of this database."""
        return Scouts(await self.database(), self.clock, self.reasoner)

    async def runs(self) -> Runs:
        """Return what runs the scouts of this database."""
        return Runs(await self.database(), self.clock, self.kit, self.budget)

    async def once(self, wish: Wish, emit: Emit, *, record: Path | None = None) -> Result:
        """Look once for a wish; no database is opened and nothing is stored."""
        kit = await self._loose_kit()
        return await runs.once(kit, self.clock, self.budget, wish, emit, record)

    async def replay(self, folder: Path, emit: Emit) -> Result:
        """Repeat a recorded run without network, model or database."""
        return await runs.replay(folder, emit)

    @property
    def budget(self) -> Budget:
        """Return the bounds of a run."""
        given = self.settings
        return Budget(
            searches=given.max_searches,
            pages=given.max_pages,
            calls=given.max_calls,
            tokens=given.max_tokens,
            seconds=given.deadline,
            rounds=given.rounds,
        )

    async def kit(self) -> Kit:
        """Return the outside parts, `auto` resolved once for this database."""
        return Kit(
            reasoner=await self.reasoner(),
            embedder=await self.embedder(),
            search=await self._part("search", self._open_search),
            fetcher=await self.fetcher(),
        )

    async def _loose_kit(self) -> Kit:
        """Return the outside parts without asking any database."""
        return Kit(
            reasoner=await self._part("reasoner", lambda: self._open_reasoner(stored=False)),
            embedder=await self._part("embedder", lambda: self._open_embedder(stored=False)),
            search=await self._part("search", lambda: self._open_search(stored=False)),
            fetcher=await self.fetcher(),
        )

    async def reasoner(self) -> Reasoner:
        """Return the model with its safety net, or the built-in engine."""
        return await self._part("reasoner", self._open_reasoner)

    async def embedder(self) -> Embedder:
        """Return the embedder."""
        return await self._part("embedder", self._open_embedder)

    async def fetcher(self) -> Fetcher:
        """Return what reads pages."""
        return await self._part("fetcher", self._open_fetcher)

    async def checks(self) -> AsyncIterator[Check]:
        """Try every part and tell what works and what does not, with the remedy."""
        for name, probe in self._probes().items():
            yield await check(name, probe)

    async def _part(self, name: str, opener: Callable[[], Awaitable[T]]) -> T:
        """Return a part, opening it the first time; parts may open other parts."""
        if name not in self._parts:
            self._parts[name] = await opener()
        part: T = self._parts[name]
        return part

    async def _open_database(self) -> Database:
        database = await open_database(self.settings.database_url, self.clock)
        self._stack.push_async_callback(database.close)
        return database

    async def _open_migrated(self) -> Database:
        database = await self._part("database", self._open_database)
        if database.kind == "sqlite" and not await migrate.applied(database):
            await migrate.migrate(database)
        await migrate.check(database)
        return database

    async def _open_reasoner(self, *, stored: bool = True) -> Reasoner:
        from scout_cli import llm  # noqa: PLC0415 - commands that only read need no model

        url = await self._resolve("llm_url", self.settings.llm_url, stored=stored)
        thinker = await llm.open_chat(url, self._model_settings(url))
        self._stack.push_async_callback(thinker.aclose)
        self._parts["thinker"] = thinker
        chats = hasattr(thinker, "chat")
        return Asking(cast(ChatModel, thinker)) if chats else cast(Reasoner, thinker)

    async def _open_embedder(self, *, stored: bool = True) -> Embedder:
        from scout_cli import llm  # noqa: PLC0415 - see above

        url = await self._resolve("embed_url", self.settings.embed_url, stored=stored)
        embedder = await llm.open_embedder(url, self._model_settings(url))
        self._stack.push_async_callback(embedder.aclose)
        return embedder

    def _model_settings(self, url: str) -> Any:
        """Return how to talk to the server of `url`; the key is for Ollama's own host alone."""
        from scout_cli.llm import ModelSettings  # noqa: PLC0415 - see above

        own = urls.belongs_to(urls.host_of(url), ("ollama.com",))
        key = self.settings.ollama_api_key if own else ""
        return ModelSettings(num_ctx=self.settings.num_ctx, api_key=key)

    async def _resolve(self, setting: str, configured: str, *, stored: bool) -> str:
        """Return a concrete URL; what `auto` became is kept and never changes in silence."""
        if configured != "auto":
            return configured
        from scout_cli.llm import auto  # noqa: PLC0415 - see above

        database = await self.database() if stored else None
        if database and (known := await resolved.get(database, setting)):
            return known
        choose = auto.choose_chat if setting == "llm_url" else auto.choose_embedder
        choice = await choose(self.settings.ollama_host)
        self.notes.append(f"{setting} = {choice.url}  ({choice.reason})")
        return await resolved.put(database, setting, choice.url) if database else choice.url

    async def _open_search(self, *, stored: bool = True) -> SearchEngine:
        from scout_cli import search  # noqa: PLC0415 - see above
        from scout_cli.service.searching import InOrder, Remembering  # noqa: PLC0415 - see above

        sessions = await self._part("sessions", self._open_sessions)
        engines = [search.open_search(url, sessions) for url in self.settings.search_url]
        if not stored:
            return InOrder(engines)
        database, minutes = await self.database(), self.settings.search_cache_minutes
        return InOrder([Remembering(each, database, self.clock, minutes) for each in engines])

    async def _open_fetcher(self) -> Fetcher:
        from scout_cli import fetch  # noqa: PLC0415 - see above

        sessions = await self._part("sessions", self._open_sessions)
        fetcher = fetch.open_fetcher(self.settings.fetch_url, sessions)
        self._stack.push_async_callback(fetcher.close)
        return fetcher

    async def _open_sessions(self) -> Any:
        from scout_cli.net.guard import Guard  # noqa: PLC0415 - see above
        from scout_cli.net.sessions import Sessions  # noqa: PLC0415 - see above

        guard = Guard(private=self.settings.allow_private_networks, hosts=self._hosts)
        sessions = Sessions(guard, user_agent(self.settings.contact))
        self._stack.push_async_callback(sessions.close)
        return sessions

    def _probes(self) -> dict[str, Callable[[], Awaitable[str]]]:
        return {
            "database": self._probe_database,
            "model": self._probe_model,
            "embedder": self._probe_embedder,
            "search": self._probe_search,
            "fetching": self._probe_fetching,
        }

    async def _probe_database(self) -> str:
        found = await (await self.database()).describe()
        size = f", {found.size_bytes / 1_000_000:.1f} MB" if found.size_bytes is not None else ""
        return f"{found.kind} {found.version} at {found.location}{size}"

    async def _probe_model(self) -> str:
        await self.reasoner()
        described: str = await self._parts["thinker"].describe()
        return described

    async def _probe_embedder(self) -> str:
        embedder = await self.embedder()
        (vector,) = await embedder.embed(["a short probe"])
        return f"{embedder.name}, {len(vector)} dimensions"

    async def _probe_search(self) -> str:
        engine = await self._part("search", self._open_search)
        answer = await engine.search(SearchQuery(text="news today", limit=3))
        if answer.outcome in ("limited", "unavailable"):
            raise SearchUnavailable(answer.detail, hint=answer.hint)
        return f"{answer.engine}: {len(answer.hits)} results"

    async def _probe_fetching(self) -> str:
        fetcher = await self.fetcher()
        await fetcher.warm_up()
        return f"{self.settings.fetch_url}: the page reader starts"


def user_agent(contact: str) -> str:
    """Return how scout introduces itself to web servers: honestly, with a contact if it has one."""
    from scout_cli import __version__  # noqa: PLC0415 - reads the installed package's metadata

    about = f"; {contact}" if contact else ""
    return f"scout/{__version__} (personal web monitor{about})"
