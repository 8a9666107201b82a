"""Accounts: signing up and in, passwords, codes by mail; one set for every surface of scout."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from scout_cli.core.ports import Clock
from scout_cli.errors import Forbidden
from scout_cli.service.accounts import limits, passwords, signing
from scout_cli.service.accounts.access_tokens import AccessTokens
from scout_cli.service.accounts.codes import Codes
from scout_cli.service.accounts.joining import Joining, Rules
from scout_cli.service.accounts.letters import Post
from scout_cli.service.accounts.limits import Limits
from scout_cli.service.accounts.mailing import Mailing
from scout_cli.service.accounts.passwords import Passwords
from scout_cli.service.accounts.people import People, Person, person
from scout_cli.service.accounts.proving import Proving
from scout_cli.service.accounts.recognition import Recognition
from scout_cli.service.accounts.recovery import Recovery
from scout_cli.service.accounts.refresh_tokens import RefreshTokens
from scout_cli.service.accounts.refusals import (
    BadCode,
    Disabled,
    NotConfirmed,
    SessionGone,
)
from scout_cli.service.accounts.sessions import Scope, Sessions, SignedIn
from scout_cli.service.accounts.tokens import Tokens
from scout_cli.service.audit import COMMAND_LINE, Asker, Audit
from scout_cli.service.callers import Caller
from scout_cli.service.vault import key_id
from scout_cli.store import accounts
from scout_cli.store.accounts import AccountPatch
from scout_cli.store.database import Database
from scout_cli.store.sessions import Method


class Accounts:
    """The accounts of one database, for servers and the command line.

    Args:
        db: the database.
        clock: time and identifiers.
        secrets: sign and verify tokens; the first signs.
        rules: what the settings say.
        post: sends mails.
    """

    def __init__(
        self, db: Database, clock: Clock, secrets: Sequence[str], rules: Rules, post: Post
    ) -> None:
        self._db = db
        self._clock = clock
        self._secrets = tuple(secrets)
        self._rules = rules
        access = AccessTokens(secrets, clock)
        self.passwords = Passwords()
        self.audit = Audit(db)
        self.limits = Limits(db)
        self.codes = Codes(db, clock)
        self.people = People(db, clock, self.passwords, self.audit)
        self.tokens = Tokens(db, clock, self.audit)
        self.sessions = Sessions(db, clock, access, RefreshTokens(secrets), self.limits, self.audit)
        self.recognition = Recognition(db, clock, access)
        self.mailing = Mailing(db, clock, self.codes, self.limits, post, rules.base_url)
        self.proving = Proving(db, self.passwords, self.limits, self.audit)
        self.joining = Joining(
            self._secrets,
            rules,
            people=self.people,
            sessions=self.sessions,
            mailing=self.mailing,
            limits_=self.limits,
            audit=self.audit,
        )
        self.recovery = Recovery(
            db,
            clock,
            keeper=self.passwords,
            limits_=self.limits,
            codes=self.codes,
            mailing=self.mailing,
            proving=self.proving,
            recognition=self.recognition,
            audit=self.audit,
        )

    async def caller(self, bearer: str) -> Caller:
        """Return who a bearer token is from; see `Recognition`.

        Raises:
            Unauthorized: it is not good.
        """
        return await self.recognition.caller(bearer)

    def forget(self) -> None:
        """Look all callers up again: accounts, sessions or tokens were changed."""
        self.recognition.forget()

    async def check_secret(self) -> None:
        """See that this process signs as the others of this database do.

        Raises:
            ConfigError: it has another secret.
        """
        await signing.check(self._db, self._clock, self._secrets)

    async def sign_in(self, email: str, password: str, asker: Asker) -> SignedIn:
        """Open a session with a password.

        Raises:
            InvalidCredentials: no such account, or another password; both take the same time.
            NotConfirmed: the password is right, the address not confirmed.
            Disabled: the password is right, the account disabled.
            TooMany: too many wrong ones for the account or from this network; the right one is
                refused as well.
        """
        account = await self.proving.prove(email, password, asker)
        if account.disabled_at:
            raise Disabled
        if account.email_confirmed_at is None and self._rules.confirm_email:
            raise NotConfirmed
        kept = account.password_hash or ""
        if self.passwords.is_outdated(kept):
            hashed = await self.passwords.hash(passwords.normal(password))
            patch = AccountPatch(password_hash=hashed)
            await accounts.change(self._db, account.id, patch, self._clock.now())
        return await self.sessions.open(account, "password", asker)

    async def sign_out(self, caller: Caller, scope: Scope, asker: Asker) -> None:
        """End the session that asks, the others, or all.

        Raises:
            Forbidden: a program with a token asks.
        """
        if caller.session_id is None:
            raise Forbidden(
                "a token has no session to end", hint="withdraw it: DELETE /auth/tokens/ID"
            )
        await self.sessions.end(caller.user_id, caller.session_id, scope, asker)
        self.forget()

    async def me(self, caller: Caller) -> Person:
        """Return the account that asks.

        Raises:
            SessionGone: it is not there any more.
        """
        found = await accounts.get(self._db, caller.user_id)
        if found is None:
            raise SessionGone
        return person(found)

    async def confirm(self, code: str, asker: Asker) -> SignedIn:
        """Confirm an address with a code from a mail, and sign in.

        Raises:
            BadCode: it is unknown, too old or used.
            TooMany: too many codes tried from this network.
        """
        await self.limits.take(limits.codes(asker.address))
        async with self._db.transaction() as tx:
            found = await self.codes.use(tx, code, "confirm")
            now = self._clock.now()
            patch = AccountPatch(email_confirmed_at=now)
            await accounts.change(tx, found.user_id, patch, now)
            await self.audit.write(tx, "user.confirm", asker, user_id=found.user_id)
        return await self.sign_in_as(found.user_id, "confirmation", asker)

    async def exchange(self, code: str, verifier: str, asker: Asker) -> SignedIn:
        """Open a session with a code that was handed to a browser.

        Raises:
            BadCode: it is unknown, too old or used, or the verifier is not its own.
            TooMany: too many codes tried from this network.
        """
        await self.limits.take(limits.codes(asker.address))
        found = await self.codes.exchange(code, verifier)
        return await self.sign_in_as(found.user_id, "code", asker)

    async def sign_in_as(self, user_id: UUID, method: Method, asker: Asker) -> SignedIn:
        """Open a session for somebody who is known by other means than a password.

        Raises:
            BadCode: the account is not there any more.
            Disabled: it is disabled.
        """
        account = await accounts.get(self._db, user_id)
        if account is None:
            raise BadCode
        if account.disabled_at:
            raise Disabled
        return await self.sessions.open(account, method, asker)

    async def sign_everybody_out(self) -> int:
        """End all sessions and sign with the secret that is here; return how many there were."""
        ended = await self.sessions.end_all(COMMAND_LINE)
        newest = key_id(self._secrets[0])
        await accounts.put_signing_key(self._db, newest, self._clock.now())
        self.forget()
        return ended

    async def close(self) -> None:
        """Wait a little for mails on their way, and let the threads go."""
        await self.mailing.close()
        await self.passwords.close()
