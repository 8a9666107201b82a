"""The composition root: what the command line can do, the server and a Python caller can do.

`App.open(settings)` owns every lifetime; parts open when they are first used, and close with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from scout_cli.config import machine_timezone
from scout_cli.foundation import Foundation
from scout_cli.service.audit import COMMAND_LINE
from scout_cli.service.scouts import Scouts
from scout_cli.store import migrate, spread

if TYPE_CHECKING:  # imported where they are used: most commands only read the database
    from scout_cli.core.events import Emit
    from scout_cli.core.job import Result
    from scout_cli.service.archive import Manifest, Restored
    from scout_cli.service.audit import Asker, Audit
    from scout_cli.service.catalogue import Catalogue
    from scout_cli.service.chats import Chats
    from scout_cli.service.checks import Check
    from scout_cli.service.deliveries import Deliveries
    from scout_cli.service.desk import Desk
    from scout_cli.service.findings import Findings
    from scout_cli.service.gateway import Gateway
    from scout_cli.service.household import Household
    from scout_cli.service.listener import Listener
    from scout_cli.service.runs import Runs
    from scout_cli.service.scheduler import Scheduler
    from scout_cli.service.syndication import Syndication
    from scout_cli.service.tables import Tables
    from scout_cli.service.trials import Trials
    from scout_cli.service.triggers import Triggers
    from scout_cli.service.wishes import Wish
    from scout_cli.service.worker import Worker


class App(Foundation):
    """Everything that scout can do, with one configuration.

    Args:
        settings: from `config.load`, or made by hand.
        clock: time and identifiers; the machine's own by default.
        hosts: host names and the addresses they stand for, before any name server; for the
            bundled demo web and for tests.
    """

    async def init_db(self) -> list[str]:
        """Create or migrate the database and return the names of the migrations applied."""
        database = await self._shelf.get("database", self._open_database)
        applied = await migrate.migrate(database)
        tables = (await self._executor()).tables
        if tables and await spread.prepare(database, tables):
            applied.append(spread.SCHEMA)
        return applied

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

    async def audit(self) -> Audit:
        """Return the log of who did what."""
        from scout_cli.service.audit import Audit  # noqa: PLC0415 - see above

        return Audit(await self.database())

    async def deliveries(self, write: Callable[[str], object] | None = None) -> Deliveries:
        """Return what sends them.

        Args:
            write: takes the text of `console://`; without it that channel cannot be opened.
        """
        return (await self._mailroom()).deliveries(write)

    async def desk(self, user: UUID | None = None) -> Desk:
        """Return what a user sees of messages and channels; the local owner for None."""
        return (await self._mailroom()).desk(user)

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
