"""Accounts as others may see them, and what those who run the server do with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from scout_cli.core.models import Record, User
from scout_cli.core.ports import Clock
from scout_cli.errors import Conflict, NotFound
from scout_cli.service.accounts import passwords
from scout_cli.service.accounts.addresses import folded
from scout_cli.service.accounts.passwords import Passwords
from scout_cli.service.accounts.refusals import AccountExists
from scout_cli.service.audit import Asker, Audit
from scout_cli.store import accounts, resolved, sessions, users
from scout_cli.store.accounts import Account, AccountPatch
from scout_cli.store.database import Connection, Database

_FIRST = "first_account"


class Person(Record, frozen=True, kw_only=True):
    """An account."""

    id: UUID
    email: str | None
    role: Literal["user", "admin"]
    is_local: bool
    """Whether the scouts of the command line are theirs."""
    user_metadata: dict[str, Any]
    created_at: datetime
    email_confirmed_at: datetime | None
    last_sign_in_at: datetime | None
    disabled_at: datetime | None


def person(user: User) -> Person:
    """Return what others may see of a user."""
    return Person(
        id=user.id,
        email=user.email,
        role=user.role,
        is_local=user.is_local,
        user_metadata=user.user_metadata,
        created_at=user.created_at,
        email_confirmed_at=user.email_confirmed_at,
        last_sign_in_at=user.last_sign_in_at,
        disabled_at=user.disabled_at,
    )


async def is_first(tx: Connection, user_id: UUID) -> bool:
    """Inside a transaction that makes an account: return whether it is the first of all.

    Of two that are made at the same moment one waits here for the other.
    """
    return await resolved.put(tx, _FIRST, str(user_id)) == str(user_id)


class People:
    """The accounts of one database, for those who run it.

    Args:
        db: the database.
        clock: time and identifiers.
        keeper: hashes passwords.
        audit: the log.
    """

    def __init__(self, db: Database, clock: Clock, keeper: Passwords, audit: Audit) -> None:
        self._db = db
        self._clock = clock
        self._keeper = keeper
        self._audit = audit

    async def none_yet(self) -> bool:
        """Return whether no account was ever made."""
        return await resolved.get(self._db, _FIRST) is None

    async def all(self, *, after: UUID | None = None, limit: int = 1_000) -> list[Person]:
        """Return accounts by their ids; see `store.accounts.listing`."""
        return [person(each) for each in await accounts.listing(self._db, after=after, limit=limit)]

    async def count(self) -> int:
        """Return how many accounts there are."""
        return await accounts.count(self._db)

    async def get(self, user_id: UUID) -> Person:
        """Return one.

        Raises:
            NotFound: nobody has this id.
        """
        return person(await self._get(self._db, user_id))

    async def named(self, email: str) -> Person:
        """Return the account with an address.

        Raises:
            NotFound: nobody has it.
            BadAddress: it is no e-mail address.
        """
        if found := await accounts.by_email(self._db, folded(email)):
            return person(found)
        raise NotFound(f"no account {email!r}", hint="scout user list shows them all")

    async def add(
        self,
        email: str,
        password: str,
        asker: Asker,
        *,
        admin: bool = False,
        metadata: dict[str, Any] | None = None,
        confirmed: bool = True,
    ) -> Account:
        """Make an account; the first of all is an admin's.

        Args:
            email: who.
            password: at least eight characters, and not a common one.
            asker: who makes it.
            admin: an admin's, whether the first or not.
            metadata: what the user says of themselves.
            confirmed: whether the address is known to be theirs; the first one always is.

        Raises:
            AccountExists: somebody has the address.
            InvalidInput: an address or password that cannot be used.
            TooMany: too many passwords are being hashed.
        """
        address = folded(email)
        hashed = await self._keeper.hash(passwords.checked(password, address))
        now, fresh = self._clock.now(), self._clock.uuid()
        async with self._db.transaction() as tx:
            if await accounts.by_email(tx, address):
                raise AccountExists
            first = await is_first(tx, fresh)
            account = Account(
                id=fresh,
                email=address,
                password_hash=hashed,
                role="admin" if admin or first else "user",
                user_metadata=metadata or {},
                email_confirmed_at=now if confirmed or first else None,
                created_at=now,
                updated_at=now,
            )
            try:
                await accounts.add(tx, account)
            except Conflict:
                raise AccountExists from None
            await self._audit.write(tx, "signup", asker, user_id=fresh, target=account.role)
        return account

    async def own(self, email: str, password: str, asker: Asker) -> Person:
        """Let the owner of the command line's scouts sign in, as an admin.

        Raises:
            AccountExists: somebody else has the address.
            InvalidInput: an address or password that cannot be used.
        """
        address = folded(email)
        hashed = await self._keeper.hash(passwords.checked(password, address))
        now = self._clock.now()
        async with self._db.transaction() as tx:
            owner = await users.local_owner(tx)
            holder = await accounts.by_email(tx, address)
            if holder is not None and holder.id != owner.id:
                raise AccountExists
            await is_first(tx, owner.id)
            patch = AccountPatch(
                email=address, password_hash=hashed, role="admin", email_confirmed_at=now
            )
            await accounts.change(tx, owner.id, patch, now)
            await self._audit.write(tx, "user.own", asker, user_id=owner.id)
            return person(await self._get(tx, owner.id))

    async def set_password(self, user_id: UUID, password: str, asker: Asker) -> None:
        """Give somebody a new password and end all their sessions.

        Raises:
            NotFound: nobody has this id.
            WeakPassword: it cannot be used.
        """
        account = await self._get(self._db, user_id)
        hashed = await self._keeper.hash(passwords.checked(password, account.email or ""))
        async with self._db.transaction() as tx:
            patch = AccountPatch(password_hash=hashed)
            await accounts.change(tx, user_id, patch, self._clock.now())
            await sessions.delete_of_user(tx, user_id)
            await self._audit.write(tx, "user.password", asker, user_id=user_id)

    async def sign_out(self, user_id: UUID, asker: Asker) -> int:
        """End all sessions of somebody; return how many there were."""
        async with self._db.transaction() as tx:
            ended = await sessions.delete_of_user(tx, user_id)
            await self._audit.write(tx, "logout", asker, user_id=user_id, target="global")
        return ended

    async def set_role(self, user_id: UUID, role: Literal["user", "admin"], asker: Asker) -> None:
        """Make somebody an admin, or no longer.

        Raises:
            NotFound: nobody has this id.
            Conflict: no admin would be left.
        """
        async with self._db.transaction() as tx:
            await self._get(tx, user_id)
            if role == "user":
                await _keep_an_admin(tx, user_id)
            await accounts.change(tx, user_id, AccountPatch(role=role), self._clock.now())
            await self._audit.write(tx, "user.role", asker, user_id=user_id, target=role)

    async def disable(self, user_id: UUID, asker: Asker) -> None:
        """Keep somebody out; what they have stays.

        Raises:
            NotFound: nobody has this id.
            Conflict: no admin would be left.
        """
        async with self._db.transaction() as tx:
            account = await self._get(tx, user_id)
            if account.role == "admin":
                await _keep_an_admin(tx, user_id)
            now = self._clock.now()
            await accounts.change(tx, user_id, AccountPatch(disabled_at=now), now)
            await sessions.delete_of_user(tx, user_id)
            await self._audit.write(tx, "user.disable", asker, user_id=user_id)

    async def enable(self, user_id: UUID, asker: Asker) -> None:
        """Let somebody in again.

        Raises:
            NotFound: nobody has this id.
        """
        async with self._db.transaction() as tx:
            await self._get(tx, user_id)
            await accounts.change(tx, user_id, AccountPatch(disabled_at=None), self._clock.now())
            await self._audit.write(tx, "user.enable", asker, user_id=user_id)

    async def remove(self, user_id: UUID, asker: Asker) -> Person:
        """Delete an account with everything it has: scouts, runs, findings, keys.

        Raises:
            NotFound: nobody has this id.
            Conflict: no admin would be left, a scout is running, or the command line's scouts are
                theirs.
        """
        async with self._db.transaction() as tx:
            account = await self._get(tx, user_id)
            if account.is_local:
                raise Conflict(
                    "the scouts of the command line belong to this account",
                    hint="scout user disable keeps it from signing in",
                )
            if account.role == "admin":
                await _keep_an_admin(tx, user_id)
            if await accounts.is_running(tx, user_id, await tx.now()):
                raise Conflict("a scout of theirs is running", hint="try again when it has ended")
            await accounts.delete(tx, user_id)
            await self._audit.write(tx, "user.remove", asker, user_id=user_id)
        return person(account)

    async def _get(self, db: Connection, user_id: UUID) -> Account:
        found = await accounts.get(db, user_id)
        if found is None or found.email is None:
            raise NotFound(f"no account {user_id}", hint="scout user list shows them all")
        return found


async def _keep_an_admin(tx: Connection, user_id: UUID) -> None:
    if not await accounts.other_admins(tx, user_id):
        raise Conflict(
            "this is the last admin", hint="make another one first: scout user add EMAIL --admin"
        )
