"""Whether a password is somebody's: as slow, and as often counted, for nobody's."""

from __future__ import annotations

from scout_cli.errors import TooMany
from scout_cli.service.accounts import limits
from scout_cli.service.accounts.addresses import folded
from scout_cli.service.accounts.limits import Limits
from scout_cli.service.accounts.passwords import Passwords
from scout_cli.service.accounts.refusals import BadAddress, InvalidCredentials
from scout_cli.service.audit import Asker, Audit
from scout_cli.store import accounts
from scout_cli.store.accounts import Account
from scout_cli.store.database import Database

_LONGEST = 500


def counted_as(email: str) -> str:
    """Return an address as limits count it: what is none has an allowance as well."""
    try:
        return folded(email)
    except BadAddress:
        return email[:_LONGEST]


class Proving:
    """Compares passwords.

    Args:
        db: the database.
        passwords: verifies.
        limits_: the allowances.
        audit: the log.
    """

    def __init__(self, db: Database, passwords: Passwords, limits_: Limits, audit: Audit) -> None:
        self._db = db
        self._passwords = passwords
        self._limits = limits_
        self._audit = audit

    async def prove(self, email: str, password: str, asker: Asker) -> Account:
        """Return the account whose password this is.

        Raises:
            InvalidCredentials: no such account, or another password; both take the same time.
            TooMany: too many wrong ones; the right one is refused as well.
        """
        address = counted_as(email)
        wanted = limits.password(address, asker.address)
        await self._limits.take(wanted)
        account = await accounts.by_email(self._db, address)
        kept = account.password_hash if account else None
        try:
            good = await self._passwords.verify(kept, password)
        except TooMany:
            await self._limits.give_back(wanted)  # nothing was tried
            raise
        if account is None or not good:
            known = account.id if account else None
            await self._audit.note("login", asker, user_id=known, result="wrong password")
            raise InvalidCredentials
        await self._limits.give_back(wanted)
        return account
