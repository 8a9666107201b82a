"""Sessions: opened by a sign-in, kept alive by refresh tokens, ended by a logout.

A refresh token counts. Two old ones are taken besides the newest: the one before it, because an
answer can be lost on its way, and any within ten seconds of the last count, because several tabs
ask at the same moment. Anything older means that somebody copied it: the session ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core.models import Record, User
from scout_cli.core.ports import Clock
from scout_cli.errors import NotFound
from scout_cli.service.accounts import limits
from scout_cli.service.accounts.access_tokens import AccessTokens
from scout_cli.service.accounts.limits import Limits
from scout_cli.service.accounts.people import Person, person
from scout_cli.service.accounts.refresh_tokens import RefreshTokens
from scout_cli.service.accounts.refusals import BadRefreshToken
from scout_cli.service.audit import Asker, Audit
from scout_cli.service.callers import Caller
from scout_cli.store import accounts, sessions
from scout_cli.store.accounts import Account, AccountPatch
from scout_cli.store.database import Database
from scout_cli.store.sessions import Method, Session

IDLE = timedelta(days=30)
"""How long a session lives without a refresh."""
REUSE = timedelta(seconds=10)
"""How long after a count older refresh tokens are taken."""

Scope = Literal["local", "others", "global"]


class SessionView(Record, frozen=True, kw_only=True):
    """A session as its owner sees it, without what proves it."""

    id: UUID
    method: Method
    """How its owner was known."""
    address: str
    """From where it was opened."""
    agent: str
    """How the program introduced itself."""
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    """When it ends without a refresh."""
    current: bool
    """Whether it is the one that asks."""


class SignedIn(Record, frozen=True, kw_only=True):
    """A session as its owner gets it."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - what RFC 6750 calls it
    expires_in: int
    """Seconds for which the access token is good."""
    expires_at: int
    """The same as seconds since 1970."""
    refresh_token: str
    user: Person


class Sessions:
    """The sessions of one database.

    Args:
        db: the database.
        clock: time and identifiers.
        access: makes access tokens.
        refreshing: makes refresh tokens.
        limits_: the allowances.
        audit: the log.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        access: AccessTokens,
        refreshing: RefreshTokens,
        limits_: Limits,
        audit: Audit,
    ) -> None:
        self._db = db
        self._clock = clock
        self._access = access
        self._refreshing = refreshing
        self._limits = limits_
        self._audit = audit

    async def open(self, user: User, method: Method, asker: Asker) -> SignedIn:
        """Open a session.

        Args:
            user: whose.
            method: how they were known.
            asker: from where.
        """
        now = self._clock.now()
        session = Session(
            id=self._clock.uuid(),
            user_id=user.id,
            counted_at=now,
            method=method,
            address=asker.address[:100],
            agent=asker.agent[:200],
            created_at=now,
            expires_at=now + IDLE,
        )
        async with self._db.transaction() as tx:
            await sessions.add(tx, session)
            await accounts.change(tx, user.id, AccountPatch(last_sign_in_at=now), now)
            await self._audit.write(tx, "login", asker, user_id=user.id, target=method)
        return self._signed_in(replace(user, last_sign_in_at=now), session, now)

    async def refresh(self, token: str, asker: Asker) -> SignedIn:
        """Return new tokens for a refresh token; the same ones for all who ask at the same moment.

        Raises:
            BadRefreshToken: it is not good, or was used before; then its session has ended.
            TooMany: too many refreshes from this network.
        """
        given = self._refreshing.read(token)
        await self._limits.take(limits.refresh(asker.address))
        now = self._clock.now()
        session = await sessions.get(self._db, given.session_id)
        user = await accounts.get(self._db, session.user_id) if session else None
        if session is None or user is None or user.disabled_at or session.expires_at <= now:
            raise BadRefreshToken
        if given.number == session.count:
            counted = await sessions.counted(self._db, session, now, now + IDLE)
            if counted is not None:
                return self._signed_in(user, counted, counted.counted_at)
            session = await sessions.get(self._db, given.session_id)  # somebody was faster
            if session is None:
                raise BadRefreshToken
        return await self._again(user, session, given.number, now, asker)

    async def _again(
        self, user: Account, session: Session, count: int, now: datetime, asker: Asker
    ) -> SignedIn:
        """Answer a token that was used before, or end its session."""
        recent = now - session.counted_at < REUSE
        behind = session.count - count
        if behind == 1 or (behind > 1 and recent):
            return self._signed_in(user, session, session.counted_at if recent else now)
        async with self._db.transaction() as tx:
            await sessions.delete(tx, session.id)
            await self._audit.write(
                tx, "token.reuse", asker, user_id=user.id, result="session ended"
            )
        raise BadRefreshToken

    async def of(self, caller: Caller) -> list[SessionView]:
        """Return the sessions of whoever asks that have not run out, newest first."""
        found, now = await sessions.of_user(self._db, caller.user_id), self._clock.now()
        return [_view(each, caller) for each in found if each.expires_at > now]

    async def end_one(self, user_id: UUID, session_id: UUID, asker: Asker) -> None:
        """End one session of somebody.

        Raises:
            NotFound: they have none of that id.
        """
        async with self._db.transaction() as tx:
            found = await sessions.get(tx, session_id)
            if found is None or found.user_id != user_id:
                raise NotFound("no such session", hint="list them to see the ids")
            await sessions.delete(tx, session_id)
            await self._audit.write(tx, "logout", asker, user_id=user_id, target=str(session_id))

    async def end(self, user_id: UUID, session_id: UUID, scope: Scope, asker: Asker) -> None:
        """Sign somebody out.

        Args:
            user_id: who.
            session_id: the session that asks.
            scope: that one, all others, or all.
            asker: from where.
        """
        async with self._db.transaction() as tx:
            if scope == "local":
                await sessions.delete(tx, session_id)
            else:
                kept = session_id if scope == "others" else None
                await sessions.delete_of_user(tx, user_id, but=kept)
            await self._audit.write(tx, "logout", asker, user_id=user_id, target=scope)

    async def end_all(self, asker: Asker) -> int:
        """Sign everybody out; return how many sessions there were."""
        async with self._db.transaction() as tx:
            ended = await sessions.delete_all(tx)
            await self._audit.write(tx, "logout", asker, target="everybody")
        return ended

    def _signed_in(self, user: User, session: Session, issued_at: datetime) -> SignedIn:
        signed = self._access.sign(user, session, issued_at)
        left = signed.expires_at - self._clock.now()
        return SignedIn(
            access_token=signed.token,
            expires_in=round(left.total_seconds()),
            expires_at=int(signed.expires_at.timestamp()),
            refresh_token=self._refreshing.make(session.id, session.count),
            user=person(user),
        )


def _view(session: Session, caller: Caller) -> SessionView:
    return SessionView(
        id=session.id,
        method=session.method,
        address=session.address,
        agent=session.agent,
        created_at=session.created_at,
        refreshed_at=session.counted_at,
        expires_at=session.expires_at,
        current=session.id == caller.session_id,
    )
