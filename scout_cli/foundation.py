"""What every service stands on: the database, the outside parts, the mailroom, each opened once.

`App` adds what can be done with them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from scout_cli.config import Settings, machine_timezone
from scout_cli.core.ports import Clock
from scout_cli.service.clocks import SystemClock
from scout_cli.shelf import Shelf
from scout_cli.store import migrate, open_database, resolved, sealing
from scout_cli.store.database import Database
from scout_cli.store.sqlite_file import path_of

if TYPE_CHECKING:  # imported where they are used: most commands only read the database
    from scout_cli.config.keyring import Keyring
    from scout_cli.core.ports import ChatModel, Embedder, Executor, Reasoner
    from scout_cli.mailroom import Mailroom
    from scout_cli.net.sessions import Sessions
    from scout_cli.outside import Outside
    from scout_cli.service.accounts import Accounts
    from scout_cli.service.attempts import Attempts
    from scout_cli.service.feed import Feed
    from scout_cli.service.kit import Kit
    from scout_cli.service.outbox import Outbox
    from scout_cli.service.readiness import Readying
    from scout_cli.service.upkeep import Upkeep
    from scout_cli.service.vault import Vault


class Foundation:
    """What is opened with one configuration, when it is first used, and closed at the end.

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
        self._shelf = Shelf()
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
        async with app._shelf:
            yield app

    async def database(self) -> Database:
        """Return the open database; a missing SQLite file is created and migrated.

        Raises:
            DatabaseUnavailable: it cannot be opened, or is too new or too old for this program.
        """
        return await self._shelf.get("migrated", self._open_migrated)

    def keyring(self) -> Keyring:
        """Return the keys of this installation; they are made on first need.

        Raises:
            ConfigError: keys that cannot be used, or a file of keys that others can read.
        """
        from scout_cli.config import keyring  # noqa: PLC0415 - see above

        return keyring.open_keyring(self.settings)

    def vault(self) -> Vault:
        """Return what encrypts secrets at rest; its keys are read when they are first needed."""
        from scout_cli.config import keyring  # noqa: PLC0415 - see above

        return keyring.vault(self.settings)

    async def kit(self) -> Kit:
        """Return the outside parts of a run, `auto` resolved once for this database."""
        return await self._outside().kit()

    async def _loose_kit(self) -> Kit:
        """Return the outside parts without asking any database."""
        return await self._outside(stored=False).kit()

    async def embedder(self) -> Embedder:
        """Return the embedder of the settings, with the cut-offs that they give it."""
        return await self._outside().embedder()

    async def reasoner(self) -> Reasoner:
        """Return the model with its safety net, or the built-in engine."""
        return await self._outside().reasoner()

    async def chat_model(self) -> ChatModel | None:
        """Return the model that converses; None where the built-in engine thinks."""
        return await self._outside().chat_model()

    async def outbox(self) -> Outbox:
        """Return what queues news and notices."""
        return (await self._mailroom()).outbox()

    async def upkeep(self) -> Upkeep:
        """Return what cleans up, and helps a full disk out."""
        return await self._shelf.get("upkeep", self._open_upkeep)

    async def _mailroom(self) -> Mailroom:
        from scout_cli.mailroom import Mailroom  # noqa: PLC0415 - see above

        async def sessions() -> Sessions:
            return await self._outside().sessions()

        async def guest_sessions() -> Sessions:
            return await self._outside().guest_sessions()

        return Mailroom(self.settings, await self.database(), self.clock, sessions, guest_sessions)

    def _outside(self, *, stored: bool = True) -> Outside:
        """Return what opens the outside parts; without `stored` no database is asked."""
        from scout_cli.outside import Outside  # noqa: PLC0415 - see above

        database = self.database if stored else None
        return Outside(self.settings, self.clock, self._shelf, database, self._hosts, self.notes)

    async def _executor(self) -> Executor:
        return await self._shelf.get("executor", self._open_executor)

    async def _open_executor(self) -> Executor:
        from scout_cli import derived  # noqa: PLC0415 - see above

        executor = derived.executor(self.settings)
        self._shelf.closing(executor.close)
        return executor

    async def _open_database(self) -> Database:
        database = await open_database(self.settings.database_url, self.clock, self.vault())
        self._shelf.closing(database.close)
        return database

    async def _open_migrated(self) -> Database:
        database = await self._shelf.get("database", self._open_database)
        if database.kind == "sqlite" and not await migrate.applied(database):
            await migrate.migrate(database)
        await migrate.check(database)
        return database

    async def _open_accounts(self) -> Accounts:
        from scout_cli.service.accounts import Accounts, Rules, letters  # noqa: PLC0415 - see above

        given = self.settings
        rules = Rules(
            signup=given.signup, confirm_email=given.confirm_email, base_url=given.public_url
        )
        post = letters.post(given.smtp_url, given.mail_from)
        secrets = self.keyring().jwt_secrets
        accounts = Accounts(await self.database(), self.clock, secrets, rules, post)
        self._shelf.closing(accounts.close)
        return accounts

    async def _open_upkeep(self) -> Upkeep:
        from scout_cli import derived  # noqa: PLC0415 - see above
        from scout_cli.service.ballast import Ballast  # noqa: PLC0415 - see above
        from scout_cli.service.upkeep import Upkeep  # noqa: PLC0415 - see above

        given, database = self.settings, await self.database()
        reserve = None
        if database.kind == "sqlite" and given.ballast:
            reserve = Ballast(path_of(given.database_url), given.ballast * 2**20)
        pictures = derived.screenshots(given)
        return Upkeep(database, self.clock, derived.retention(given), reserve, pictures)

    async def _open_attempts(self) -> Attempts:
        from scout_cli import derived  # noqa: PLC0415 - see above
        from scout_cli.service.attempts import Attempts  # noqa: PLC0415 - see above

        database, notices = await self.database(), await self.outbox()
        await sealing.check(database)  # before hours of work whose news could not be told
        return Attempts(
            database,
            self.clock,
            self.kit,
            derived.budget(self.settings),
            notices,
            derived.terms(self.settings),
            derived.screenshots(self.settings),
        )

    async def _open_feed(self) -> Feed:
        from scout_cli.service.feed import Feed  # noqa: PLC0415 - see above

        feed = Feed(await self.database())
        self._shelf.closing(feed.close)
        return feed

    async def _open_readying(self) -> Readying:
        from scout_cli import derived  # noqa: PLC0415 - see above
        from scout_cli.service.readiness import Readying  # noqa: PLC0415 - see above

        database, llm_url = await self.database(), self.settings.llm_url
        if llm_url == "auto":
            llm_url = await resolved.get(database, "llm_url") or llm_url
        return Readying(database, *derived.places(self.settings, llm_url))

    async def accounts(self) -> Accounts:
        """Return who may sign in, and who they are."""
        return await self._shelf.get("accounts", self._open_accounts)

    async def feed(self) -> Feed:
        """Return what tells of changes in the database, whichever process made them."""
        return await self._shelf.get("feed", self._open_feed)

    async def readying(self) -> Readying:
        """Return what tells whether a server can do its work."""
        return await self._shelf.get("readying", self._open_readying)

    def _subject(self, *, integrity: bool = False) -> Any:
        """Return what an examination looks at, and how it opens what it needs."""
        from scout_cli.service.diagnosis import Subject  # noqa: PLC0415 - see above

        given = self.settings
        return Subject(
            database_url=given.database_url,
            llm_url=given.llm_url,
            embed_url=given.embed_url,
            search_url=given.search_url,
            fetch_url=given.fetch_url,
            executor=self._executor,
            browser_path=given.browser_path,
            channels=tuple(getattr(given, "notify", ())),
            private=given.allow_private_networks,
            num_ctx=given.num_ctx,
            ollama_host=given.ollama_host,
            clock=self.clock,
            timezone=machine_timezone,
            integrity=integrity,
            open_database=lambda: self._shelf.get("database", self._open_database),
            open_sessions=self._outside().sessions,
            model_settings=self._outside().model_settings,
        )
