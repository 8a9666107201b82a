"""New passwords: by whoever knows the old one, and by whoever gets a mail."""

from __future__ import annotations

from scout_cli.core.ports import Clock
from scout_cli.errors import Forbidden
from scout_cli.service.accounts import limits, passwords
from scout_cli.service.accounts.codes import Codes
from scout_cli.service.accounts.limits import Limits
from scout_cli.service.accounts.mailing import Mailing
from scout_cli.service.accounts.passwords import Passwords
from scout_cli.service.accounts.proving import Proving, counted_as
from scout_cli.service.accounts.recognition import Recognition
from scout_cli.service.audit import Asker, Audit
from scout_cli.service.callers import Caller
from scout_cli.store import accounts, sessions
from scout_cli.store.accounts import AccountPatch
from scout_cli.store.database import Database


class Recovery:
    """What changes passwords; sessions that were opened with the old one end.

    Args:
        db: the database.
        clock: time.
        keeper: hashes passwords.
        limits_: the allowances.
        codes: uses codes up.
        mailing: sends them.
        proving: compares passwords.
        recognition: must look callers up again.
        audit: the log.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        keeper: Passwords,
        limits_: Limits,
        codes: Codes,
        mailing: Mailing,
        proving: Proving,
        recognition: Recognition,
        audit: Audit,
    ) -> None:
        self._db = db
        self._clock = clock
        self._keeper = keeper
        self._limits = limits_
        self._codes = codes
        self._mailing = mailing
        self._proving = proving
        self._recognition = recognition
        self._audit = audit

    async def change(self, caller: Caller, now: str, new: str, asker: Asker) -> None:
        """Change the password of somebody who knows it; their other sessions end.

        Raises:
            InvalidCredentials: `now` is not the password.
            WeakPassword: `new` cannot be used.
            Forbidden: a program with a token asks.
            TooMany: too many wrong ones.
        """
        if caller.session_id is None:
            raise Forbidden("a token cannot change a password", hint="sign in: POST /auth/login")
        email = caller.email or ""
        passwords.checked(new, email)
        account = await self._proving.prove(email, now, asker)
        hashed = await self._keeper.hash(passwords.normal(new))
        async with self._db.transaction() as tx:
            patch = AccountPatch(password_hash=hashed)
            await accounts.change(tx, account.id, patch, self._clock.now())
            await sessions.delete_of_user(tx, account.id, but=caller.session_id)
            await self._audit.write(tx, "user.password", asker, user_id=account.id)
        self._recognition.forget()

    async def ask(
        self, email: str, asker: Asker, *, challenge: str = "", redirect_to: str = ""
    ) -> None:
        """Mail a code for a new password, when there is such an account; nobody can tell.

        Args:
            email: whose.
            asker: from where.
            challenge: kept with the code.
            redirect_to: where a browser goes on with it; empty for a code to type.

        Raises:
            TooMany: asked too often for this address or from this network.
        """
        address = counted_as(email)
        await self._limits.take(limits.recover(address, asker.address))
        self._mailing.later(self._send(address, asker, challenge, redirect_to))

    async def reset(self, code: str, password: str, asker: Asker) -> None:
        """Set a new password with a code from a mail; all sessions end.

        Raises:
            BadCode: it is unknown, too old or used.
            WeakPassword: it cannot be used; the code stays good.
            TooMany: too many codes tried from this network.
        """
        text = passwords.checked(password)
        await self._limits.take(limits.codes(asker.address))
        hashed = await self._keeper.hash(text)
        async with self._db.transaction() as tx:
            found = await self._codes.use(tx, code, "recover")
            now = self._clock.now()
            account = await accounts.get(tx, found.user_id)
            known = account.email_confirmed_at if account else None
            # Whoever read the mail has the address.
            patch = AccountPatch(password_hash=hashed, email_confirmed_at=known or now)
            await accounts.change(tx, found.user_id, patch, now)
            await sessions.delete_of_user(tx, found.user_id)
            await self._audit.write(tx, "user.password", asker, user_id=found.user_id)
        self._recognition.forget()

    async def _send(self, address: str, asker: Asker, challenge: str, redirect_to: str) -> None:
        account = await accounts.by_email(self._db, address)
        if account is None or account.disabled_at:
            return
        await self._audit.note("user.recover", asker, user_id=account.id)
        await self._mailing.send_code(
            account, "recover", challenge=challenge, redirect_to=redirect_to
        )
