"""Links in mails for a browser: an address is confirmed, and the browser sent on with a code."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.core.ports import Clock
from scout_cli.errors import Forbidden
from scout_cli.service.accounts import limits, passwords
from scout_cli.service.accounts.accounts import Accounts
from scout_cli.service.accounts.people import Person
from scout_cli.service.audit import Asker
from scout_cli.service.callers import Caller
from scout_cli.store import accounts, sessions
from scout_cli.store.accounts import AccountPatch
from scout_cli.store.database import Database

LinkKind = Literal["confirm", "recover"]


class Followed(Record, frozen=True, kw_only=True):
    """A link that was good."""

    user_id: UUID
    redirect_to: str
    code: str
    """Opens a session for whoever asked for the mail; empty when nothing proves who that was."""


class Links:
    """What browsers do with mails.

    Args:
        db: the database.
        clock: time.
        accounts_: the accounts.
    """

    def __init__(self, db: Database, clock: Clock, accounts_: Accounts) -> None:
        self._db = db
        self._clock = clock
        self._accounts = accounts_

    async def follow(self, token: str, kind: LinkKind, asker: Asker) -> Followed:
        """Use a link up: its address is confirmed.

        Raises:
            BadCode: it is unknown, too old or used.
            TooMany: too many tried from this network.
        """
        codes = self._accounts.codes
        await self._accounts.limits.take(limits.codes(asker.address))
        async with self._db.transaction() as tx:
            found = await codes.use(tx, token, kind)
            now = self._clock.now()
            patch = AccountPatch(email_confirmed_at=now)
            await accounts.change(tx, found.user_id, patch, now)
            code = ""
            if found.challenge:
                code = await codes.make(tx, found.user_id, "authorise", challenge=found.challenge)
            await self._accounts.audit.write(
                tx, f"user.{kind}", asker, user_id=found.user_id, target="link"
            )
        return Followed(user_id=found.user_id, redirect_to=found.redirect_to, code=code)

    async def set_password(self, caller: Caller, password: str, asker: Asker) -> Person:
        """Set the password of somebody who is signed in; their other sessions end.

        Raises:
            Forbidden: a program with a token asks.
            WeakPassword: it cannot be used.
        """
        if caller.session_id is None:
            raise Forbidden("a token cannot change a password")
        text = passwords.checked(password, caller.email or "")
        hashed = await self._accounts.passwords.hash(text)
        async with self._db.transaction() as tx:
            patch = AccountPatch(password_hash=hashed)
            await accounts.change(tx, caller.user_id, patch, self._clock.now())
            await sessions.delete_of_user(tx, caller.user_id, but=caller.session_id)
            await self._accounts.audit.write(tx, "user.password", asker, user_id=caller.user_id)
        self._accounts.forget()
        return await self._accounts.me(caller)
