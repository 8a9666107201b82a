"""The outside parts of a run: model, embedder, search engines, pages; each opened when first used.

Nothing here is imported by a command that only reads the database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from scout_cli import fetch, llm, search
from scout_cli.config import levels
from scout_cli.config.settings import Settings, platform_folder
from scout_cli.core import urls
from scout_cli.core.asking import Asking
from scout_cli.core.ports import ChatModel, Clock, Embedder, Fetcher, Reasoner, SearchEngine
from scout_cli.fetch.show import Show
from scout_cli.llm import ModelSettings, auto
from scout_cli.llm.calibrated import Calibrated
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from scout_cli.service.kit import Kit
from scout_cli.service.screenshots import of_database
from scout_cli.service.searching import InOrder, Remembering
from scout_cli.shelf import Shelf
from scout_cli.store import resolved
from scout_cli.store.database import Database


class Outside:
    """Opens the outside parts that the settings name.

    Args:
        settings: which ones.
        clock: for what is remembered of searches.
        shelf: keeps what is open.
        database: opens the database; None where nothing may be kept.
        hosts: host names and the addresses they stand for, before any name server.
        notes: receives what was chosen for this machine and why.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        shelf: Shelf,
        database: Callable[[], Awaitable[Database]] | None,
        hosts: Mapping[str, str],
        notes: list[str],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._shelf = shelf
        self._database = database
        self._hosts = hosts
        self._notes = notes

    async def kit(self) -> Kit:
        """Return all of them."""
        return Kit(
            reasoner=await self.reasoner(),
            embedder=await self.embedder(),
            search=await self._shelf.get("search", self._open_search),
            fetcher=await self.fetcher(),
        )

    async def reasoner(self) -> Reasoner:
        """Return the model with its safety net, or the built-in engine."""
        return await self._shelf.get("reasoner", self._open_reasoner)

    async def embedder(self) -> Embedder:
        """Return the embedder."""
        return await self._shelf.get("embedder", self._open_embedder)

    async def fetcher(self) -> Fetcher:
        """Return what reads pages."""
        return await self._shelf.get("fetcher", self._open_fetcher)

    async def sessions(self) -> Sessions:
        """Return the HTTP sessions that all of them share."""
        return await self._shelf.get("sessions", self._open_sessions)

    async def guest_sessions(self) -> Sessions:
        """Return the HTTP sessions for URLs of people who do not own this machine."""
        return await self._shelf.get("guest_sessions", self._open_guest_sessions)

    async def _open_guest_sessions(self) -> Sessions:
        sessions = Sessions(Guard(own=self._own), user_agent(self._settings.contact))
        self._shelf.closing(sessions.close)
        return sessions

    async def chat_model(self) -> ChatModel | None:
        """Return the model that converses; None where the built-in engine thinks."""
        thinker = await self._shelf.get("thinker", self._open_thinker)
        return cast(ChatModel, thinker) if hasattr(thinker, "chat") else None

    async def _open_thinker(self) -> llm.Thinker:
        url = await self._resolve("llm_url", self._settings.llm_url)
        thinker = await llm.open_chat(url, self.model_settings(url))
        self._shelf.closing(thinker.aclose)
        return thinker

    async def _open_reasoner(self) -> Reasoner:
        if (model := await self.chat_model()) is not None:
            return Asking(model, self._clock.uuid)
        return cast(Reasoner, await self._shelf.get("thinker", self._open_thinker))

    async def _open_embedder(self) -> Embedder:

        url = await self._resolve("embed_url", self._settings.embed_url)
        embedder = await llm.open_embedder(url, self.model_settings(url))
        self._shelf.closing(embedder.aclose)
        fitted = levels.parsed(self._settings.cutoffs).get(embedder.name)
        return Calibrated(embedder, fitted) if fitted else embedder

    def model_settings(self, url: str) -> ModelSettings:
        """Return how to talk to the server of `url`; the key is for Ollama's own host alone."""
        own = urls.belongs_to(urls.host_of(url), ("ollama.com",))
        key = self._settings.ollama_api_key if own else ""
        return ModelSettings(num_ctx=self._settings.num_ctx, api_key=key)

    async def _resolve(self, setting: str, configured: str) -> str:
        """Return a concrete URL; what `auto` became is kept and never changes in silence."""
        if configured != "auto":
            return configured

        database = await self._database() if self._database else None
        if database and (known := await resolved.get(database, setting)):
            return known
        choose = auto.choose_chat if setting == "llm_url" else auto.choose_embedder
        choice = await choose(self._settings.ollama_host)
        self._notes.append(f"{setting} = {choice.url}  ({choice.reason})")
        return await resolved.put(database, setting, choice.url) if database else choice.url

    async def _open_search(self) -> SearchEngine:

        sessions = await self.sessions()
        engines = [search.open_search(url, sessions) for url in self._settings.search_url]
        if self._database is None:
            return InOrder(engines)
        database, minutes = await self._database(), self._settings.search_cache_minutes
        return InOrder([Remembering(each, database, self._clock, minutes) for each in engines])

    async def _open_fetcher(self) -> Fetcher:

        sessions = await self.sessions()
        fetcher = fetch.open_fetcher(self._settings.fetch_url, sessions, show=self._show())
        self._shelf.closing(fetcher.close)
        return fetcher

    def _show(self) -> Show:
        """Return how a browser shows pages; a run that stores nothing keeps no pictures."""
        given, keep = self._settings, None
        if given.screenshots and self._database is not None:
            kept = of_database(given.database_url, lambda: platform_folder("data"))
            keep = kept.take if kept else None
        return Show(path=given.browser_path, at_once=given.browsers, keep_picture=keep)

    @property
    def _own(self) -> tuple[str, ...]:
        """Where scout's own server answers: no page and no channel may talk to it."""
        place = urls.place_of(self._settings.public_url)
        return (place,) if place else ()

    async def _open_sessions(self) -> Sessions:

        private = self._settings.allow_private_networks
        guard = Guard(private=private, hosts=self._hosts, own=self._own)
        sessions = Sessions(guard, user_agent(self._settings.contact))
        self._shelf.closing(sessions.close)
        if self._settings.robots:
            from scout_cli.net.robots import Robots  # noqa: PLC0415 - with the first page only
            from scout_cli.service.manners import KeptRobots  # noqa: PLC0415 - see above

            kept = KeptRobots(self._database, self._clock) if self._database else None
            robots = Robots(sessions, shelf=kept)
            sessions.permit = robots.permit
            self._shelf.closing(robots.close)
        return sessions


def user_agent(contact: str) -> str:
    """Return how scout introduces itself to web servers: honestly, with a contact if it has one."""
    from scout_cli import __version__  # noqa: PLC0415 - reads the installed package's metadata

    about = f"; {contact}" if contact else ""
    return f"scout/{__version__} (personal web monitor{about})"
