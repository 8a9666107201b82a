"""The composition root: what the command line can do, the server and a Python caller can do.

`App.open(settings)` owns every lifetime; parts open when they are first used, and close with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from scout_cli.config import Settings, machine_timezone
from scout_cli.core.ports import Clock
from scout_cli.service.audit import COMMAND_LINE
from scout_cli.service.clocks import SystemClock
from scout_cli.service.scouts import Scouts
from scout_cli.shelf import Shelf
from scout_cli.store import migrate, open_database, resolved, sealing, spread
from scout_cli.store.database import Database
from scout_cli.store.sqlite_file import path_of

if TYPE_CHECKING:  # imported where they are used: most commands only read the database
    from scout_cli.config.keyring import Keyring
    from scout_cli.core.events import Emit
    from scout_cli.core.job import Result
    from scout_cli.core.ports import ChatModel, Embedder, Executor, Reasoner
    from scout_cli.mailroom import Mailroom
    from scout_cli.net.sessions import Sessions
    from scout_cli.outside import Outside
    from scout_cli.service.accounts import Accounts
    from scout_cli.service.archive import Manifest, Restored
    from scout_cli.service.attempts import Attempts
    from scout_cli.service.audit import Asker, Audit
    from scout_cli.service.catalogue import Catalogue
    from scout_cli.service.chats import Chats
    from scout_cli.service.checks import Check
    from scout_cli.service.deliveries import Deliveries
    from scout_cli.service.desk import Desk
    from scout_cli.service.feed import Feed
    from scout_cli.service.findings import Findings
    from scout_cli.service.gateway import Gateway
    from scout_cli.service.household import Household
    from scout_cli.service.kit import Kit
    from scout_cli.service.listener import Listener
    from scout_cli.service.outbox import Outbox
    from scout_cli.service.readiness import Readying
    from scout_cli.service.runs import Runs
    from scout_cli.service.scheduler import Scheduler
    from scout_cli.service.syndication import Syndication
    from scout_cli.service.tables import Tables
    from scout_cli.service.trials import Trials
    from scout_cli.service.triggers import Triggers
    from scout_cli.service.upkeep import Upkeep
    from scout_cli.service.vault import Vault
    from scout_cli.service.wishes import Wish
    from scout_cli.service.worker import Worker


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

    async def init_db(self) -> list[str]:
        """Create or migrate the database and return the names of the migrations applied."""
        database = await self._shelf.get("database", self._open_database)
        applied = await migrate.migrate(database)
        tables = (await self._executor()).tables
        if tables and await spread.prepare(database, tables):
            applied.append(spread.SCHEMA)
        return applied

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

    async def scouts(self, user: UUID | None = None, asker: Asker | None = None) -> Scouts:
        """Return the saved wishes of a user; of the local owner for None.

        Args:
            user: whose.
            asker: who acts, for the log; None for the user.
        """
        return Scouts(await self.database(), self.clock, self.reasoner, user, asker)

    async def findings(self, user: UUID | None = None) -> Findings:
        """Return what was found for a user, why, and how to search it; the local owner for None."""
        from scout_cli.service.findings import Findings  # noqa: PLC0415 - see above
        from scout_cli.service.meaning import Meaning  # noqa: PLC0415 - see above

        async def meaning() -> Meaning:
            return Meaning()

        kept = await self._shelf.get("meaning", meaning)
        return Findings(await self.database(), self.embedder, kept, user)

    async def catalogue(self, user: UUID | None = None) -> Catalogue:
        """Return what a user may leaf through, a page at a time; the local owner for None."""
        from scout_cli import notify  # noqa: PLC0415 - see above
        from scout_cli.service.catalogue import Catalogue  # noqa: PLC0415 - see above

        return Catalogue(await self.database(), notify.describe, user)

    async def household(self, user: UUID | None = None) -> Household:
        """Return preferences, messages and usage of a user; of the local owner for None."""
        from scout_cli.service.household import Household  # noqa: PLC0415 - see above

        return Household(await self.database(), user)

    async def tables(self, asker: Asker = COMMAND_LINE) -> Tables:
        """Return what writes rows for the web interface; see `scouts`."""
        from scout_cli.service.tables import Tables  # noqa: PLC0415 - see above

        return Tables(await self.database(), self.clock, machine_timezone(), asker)

    async def runs(self, asker: Asker = COMMAND_LINE) -> Runs:
        """Return what runs the scouts of this database when somebody asks for it; see `scouts`."""
        from scout_cli import derived  # noqa: PLC0415 - see above
        from scout_cli.service.runs import Runs  # noqa: PLC0415 - see above

        attempts = await self._shelf.get("attempts", self._open_attempts)
        terms = derived.terms(self.settings)
        return Runs(await self.database(), self.clock, attempts, terms, asker)

    async def scheduler(self, *, patient: bool = False) -> Scheduler:
        """Return what queues due scouts.

        Args:
            patient: for a process that stays; see `Scheduler`.
        """
        from scout_cli import derived  # noqa: PLC0415 - see above
        from scout_cli.service.scheduler import Scheduler  # noqa: PLC0415 - see above

        return Scheduler(
            await self.database(),
            self.clock,
            await self.outbox(),
            lease=derived.terms(self.settings).lease,
            patient=patient,
        )

    async def worker(
        self,
        listener: Listener,
        *,
        stays: bool = False,
        write: Callable[[str], object] | None = None,
        concurrency: int | None = None,
    ) -> Worker:
        """Return what runs due scouts and delivers their news.

        Args:
            listener: hears what happens.
            stays: whether it will run without end.
            write: takes the text of `console://`; without it that channel cannot be opened.
            concurrency: runs at the same time; None for that of `execute_url`, else the setting's.
        """
        from scout_cli import derived  # noqa: PLC0415 - see above
        from scout_cli.service.spreading import Spread  # noqa: PLC0415 - see above
        from scout_cli.service.worker import Worker  # noqa: PLC0415 - see above

        executor = await self._executor()
        upkeep = await self.upkeep()
        # Before the first write: on a full disk there would be no other.
        await upkeep.make_room_when_short()
        return Worker(
            await self.database(),
            self.clock,
            await self.scheduler(patient=stays),
            await self._shelf.get("attempts", self._open_attempts),
            derived.terms(self.settings),
            listener,
            concurrency=concurrency or executor.concurrency or self.settings.concurrency,
            chores=await self._chores(write),
            relieve=upkeep.relieve,
            spread=Spread(await self.database(), executor) if executor.tables else None,
        )

    async def accounts(self) -> Accounts:
        """Return who may sign in, and who they are."""
        return await self._shelf.get("accounts", self._open_accounts)

    async def audit(self) -> Audit:
        """Return the log of who did what."""
        from scout_cli.service.audit import Audit  # noqa: PLC0415 - see above

        return Audit(await self.database())

    async def outbox(self) -> Outbox:
        """Return what queues news and notices."""
        return (await self._mailroom()).outbox()

    async def deliveries(self, write: Callable[[str], object] | None = None) -> Deliveries:
        """Return what sends them.

        Args:
            write: takes the text of `console://`; without it that channel cannot be opened.
        """
        return (await self._mailroom()).deliveries(write)

    async def desk(self, user: UUID | None = None) -> Desk:
        """Return what a user sees of messages and channels; the local owner for None."""
        return (await self._mailroom()).desk(user)

    async def _mailroom(self) -> Mailroom:
        from scout_cli.mailroom import Mailroom  # noqa: PLC0415 - see above

        async def sessions() -> Sessions:
            return await self._outside().sessions()

        async def guest_sessions() -> Sessions:
            return await self._outside().guest_sessions()

        return Mailroom(self.settings, await self.database(), self.clock, sessions, guest_sessions)

    async def upkeep(self) -> Upkeep:
        """Return what cleans up, and helps a full disk out."""
        return await self._shelf.get("upkeep", self._open_upkeep)

    async def feed(self) -> Feed:
        """Return what tells of changes in the database, whichever process made them."""
        return await self._shelf.get("feed", self._open_feed)

    async def readying(self) -> Readying:
        """Return what tells whether a server can do its work."""
        return await self._shelf.get("readying", self._open_readying)

    async def syndication(self) -> Syndication:
        """Return the feeds that scouts give out."""
        from scout_cli.service.syndication import Syndication  # noqa: PLC0415 - see above

        return Syndication(await self.database(), (await self.accounts()).tokens)

    async def backup(self, path: Path, *, force: bool = False) -> Manifest:
        """Write everything in the database into one file; see `service.archive`."""
        from scout_cli import __version__  # noqa: PLC0415 - reads the installed package's metadata
        from scout_cli.service import archive  # noqa: PLC0415 - see above

        database = await self._shelf.get("database", self._open_database)
        return await archive.backup(database, self.clock, path, version=__version__, force=force)

    async def restore(
        self, path: Path, *, replace: bool = False, unsound: bool = False
    ) -> Restored:
        """Make the database what an archive says it was; see `service.archive`."""
        from scout_cli.service import archive  # noqa: PLC0415 - see above

        url = self.settings.database_url
        return await archive.restore(
            path, self.clock, url, self.vault(), replace=replace, unsound=unsound
        )

    async def once(self, wish: Wish, emit: Emit, *, record: Path | None = None) -> Result:
        """Look once for a wish; no database is opened and nothing is stored."""
        from scout_cli import derived  # noqa: PLC0415 - see above
        from scout_cli.service import runs  # noqa: PLC0415 - see above

        kit = await self._loose_kit()
        return await runs.once(kit, self.clock, derived.budget(self.settings), wish, emit, record)

    async def replay(self, folder: Path, emit: Emit) -> Result:
        """Repeat a recorded run without network, model or database."""
        from scout_cli.service import runs  # noqa: PLC0415 - see above

        return await runs.replay(folder, emit)

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

    async def triggers(self, asker: Asker) -> Triggers:
        """Return what queues runs for the web interface; see `scouts`."""
        from scout_cli.service.accounts.limits import Limits  # noqa: PLC0415 - see above
        from scout_cli.service.triggers import Triggers  # noqa: PLC0415 - see above

        database = await self.database()
        return Triggers(database, await self.runs(asker), Limits(database))

    async def trials(self) -> Trials:
        """Return what sends test mails to accounts."""
        from scout_cli.service.accounts.limits import Limits  # noqa: PLC0415 - see above
        from scout_cli.service.trials import Trials  # noqa: PLC0415 - see above

        database = await self.database()
        has_server = bool(self.settings.smtp_url and self.settings.mail_from)
        limits = Limits(database)
        return Trials(database, await self.deliveries(), limits, has_server=has_server)

    async def gateway(self) -> Gateway:
        """Return what answers the conversations of other programs."""
        from scout_cli.service.gateway import Gateway  # noqa: PLC0415 - see above

        return Gateway(self.chat_model, self.clock)

    async def chats(
        self, user: UUID | None = None, asker: Asker | None = None, *, timezone: str = "UTC"
    ) -> Chats:
        """Return the conversations of a user about their scouts; the local owner's for None.

        Args:
            user: whose.
            asker: see `scouts`.
            timezone: IANA name of the zone in which a new scout's rhythm is meant.
        """
        from scout_cli.service.chats import Chats  # noqa: PLC0415 - see above

        saved, model = await self.scouts(user, asker), self.chat_model
        return Chats(await self.database(), self.clock, saved, model, timezone=timezone)

    def checks(self, *, integrity: bool = False) -> AsyncIterator[Check]:
        """Try every part and tell what works and what does not, with the remedy.

        Args:
            integrity: also look for what can never be in the database.
        """
        from scout_cli.service import diagnosis  # noqa: PLC0415 - only `doctor` needs it

        return diagnosis.examine(self._subject(integrity=integrity))

    async def mend(self) -> list[str]:
        """Put right what can be put right safely; return what was done, a line each."""
        from scout_cli.service import diagnosis  # noqa: PLC0415 - only `doctor` needs it

        return await diagnosis.mend(self._subject())

    def _outside(self, *, stored: bool = True) -> Outside:
        """Return what opens the outside parts; without `stored` no database is asked."""
        from scout_cli.outside import Outside  # noqa: PLC0415 - see above

        database = self.database if stored else None
        return Outside(self.settings, self.clock, self._shelf, database, self._hosts, self.notes)

    async def _open_readying(self) -> Readying:
        from scout_cli import derived  # noqa: PLC0415 - see above
        from scout_cli.service.readiness import Readying  # noqa: PLC0415 - see above

        database, llm_url = await self.database(), self.settings.llm_url
        if llm_url == "auto":
            llm_url = await resolved.get(database, "llm_url") or llm_url
        return Readying(database, *derived.places(self.settings, llm_url))

    async def _open_feed(self) -> Feed:
        from scout_cli.service.feed import Feed  # noqa: PLC0415 - see above

        feed = Feed(await self.database())
        self._shelf.closing(feed.close)
        return feed

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

    async def _chores(
        self, write: Callable[[str], object] | None
    ) -> tuple[Callable[[], Awaitable[object]], ...]:
        """Return what a worker does beside its runs, again and again."""
        database, outbox = await self.database(), await self.outbox()
        deliveries, upkeep = await self.deliveries(write), await self.upkeep()

        async def deliver() -> None:
            await outbox.beat(await database.now())
            await deliveries.deliver_due()

        return deliver, upkeep.clean_when_due

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
