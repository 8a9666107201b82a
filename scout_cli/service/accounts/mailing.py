"""Mails about accounts on their way, while whoever asked for them has been answered already."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from scout_cli.core.ports import Clock
from scout_cli.errors import ScoutError, TooMany
from scout_cli.service.accounts import letters, limits
from scout_cli.service.accounts.codes import Codes
from scout_cli.service.accounts.letters import Post
from scout_cli.service.accounts.limits import Limits
from scout_cli.store.accounts import Account
from scout_cli.store.codes import Kind
from scout_cli.store.database import Database

LOG = logging.getLogger("scout.accounts")

_CLOSING = 5.0


class Mailing:
    """What sends codes; nothing that goes wrong reaches whoever asked, nor how long it took.

    Args:
        db: the database.
        clock: time and identifiers.
        codes: makes codes.
        limits_: the allowances.
        post: sends letters.
        base_url: where the server is.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        codes: Codes,
        limits_: Limits,
        post: Post,
        base_url: str,
    ) -> None:
        self._db = db
        self._clock = clock
        self._codes = codes
        self._limits = limits_
        self._post = post
        self.base_url = base_url
        """Where the server is, for mails; a server that learns its address later sets it."""
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` beside whoever asks; what goes wrong is told in the log."""
        task = asyncio.create_task(_safely(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_code(
        self, account: Account, kind: Kind, *, challenge: str = "", redirect_to: str = ""
    ) -> None:
        """Make a code and mail it; see `Codes.make`."""
        await self._limits.take(limits.mail())
        async with self._db.transaction() as tx:
            code = await self._codes.make(
                tx, account.id, kind, challenge=challenge, redirect_to=redirect_to
            )
        write = letters.confirmation if kind == "confirm" else letters.recovery
        to, at = account.email or "", self._clock.now()
        id_, link = str(self._clock.uuid()), bool(redirect_to)
        await self._post(write(id_, to, code, self.base_url, at, link=link))

    async def tell_known(self, address: str) -> None:
        """Tell somebody that their address, which has an account, was signed up again."""
        await self._limits.take(limits.mail())
        id_, at = str(self._clock.uuid()), self._clock.now()
        await self._post(letters.known_already(id_, address, self.base_url, at))

    async def settled(self) -> None:
        """Wait until all mails that were asked for are on their way."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Wait a little for the mails that are on their way."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_CLOSING)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _safely(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except TooMany:
        LOG.error("a mail about an account was not sent: 30 went out within the hour")  # noqa: TRY400 - no fault
    except ScoutError as error:
        LOG.error("a mail about an account was not sent: %s", error.message)  # noqa: TRY400 - one line tells it
