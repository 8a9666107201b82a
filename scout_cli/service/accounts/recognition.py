"""Who a bearer token is from; what was looked up is believed for at most five seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from scout_cli.core.ports import Clock
from scout_cli.service.accounts.access_tokens import AccessTokens
from scout_cli.service.accounts.refusals import BadToken, SessionGone
from scout_cli.service.accounts.tokens import PREFIX, hash_of
from scout_cli.service.callers import Caller
from scout_cli.store import sessions, tokens
from scout_cli.store.database import Database

_BELIEVED = 5.0
"""Seconds; a logout on another process is noticed within them."""
_KEPT = 4_096
"""Callers that are remembered at a time."""
_LONGEST = 100
_NOTED = timedelta(minutes=1)
"""Between two notes that a token was used."""


class _Seen(NamedTuple):
    caller: Caller
    ends_at: datetime | None
    until: float


class Recognition:
    """Looks callers up.

    Args:
        db: the database.
        clock: time.
        access: reads access tokens.
    """

    def __init__(self, db: Database, clock: Clock, access: AccessTokens) -> None:
        self._db = db
        self._clock = clock
        self._access = access
        self._seen: dict[str, _Seen] = {}

    async def caller(self, bearer: str) -> Caller:
        """Return who asks.

        Args:
            bearer: an access token, or a key that a person made for a program.

        Raises:
            BadToken: it is neither.
            SessionGone: its session or account is not there any more.
        """
        if bearer.startswith(PREFIX):
            return await self._program(bearer)
        claims = self._access.read(bearer)
        name = str(claims.session_id)
        if (seen := self._fresh(name)) is None:
            seen = self._keep(name, *await self._session(claims.session_id))
        if seen.user_id != claims.user_id:
            raise BadToken
        return seen

    def ends_at(self, bearer: str) -> datetime | None:
        """Return when an access token ends; None for a key that a person made for a program.

        Raises:
            BadToken: it is neither.
        """
        return None if bearer.startswith(PREFIX) else self._access.read(bearer).expires_at

    def forget(self) -> None:
        """Look everybody up again: something about sessions or accounts was changed here."""
        self._seen.clear()

    async def _session(self, session_id: UUID) -> tuple[Caller, datetime]:
        known = await sessions.known(self._db, session_id)
        if known is None or known.disabled_at or known.expires_at <= self._clock.now():
            raise SessionGone
        caller = Caller(
            user_id=known.user_id, email=known.email, role=known.role, session_id=session_id
        )
        return caller, known.expires_at

    async def _program(self, token: str) -> Caller:
        if len(token) > _LONGEST:
            raise BadToken
        name = hash_of(token)
        if seen := self._fresh(name):
            return seen
        known = await tokens.known(self._db, name)
        now = self._clock.now()
        if known is None or known.kind != "api" or known.disabled_at:
            raise BadToken
        if known.expires_at is not None and known.expires_at <= now:
            raise BadToken
        if known.used_at is None or now - known.used_at > _NOTED:
            await tokens.used(self._db, known.id, now)
        caller = Caller(
            user_id=known.user_id,
            email=known.email,
            role=known.role,
            scopes=frozenset(known.scopes),
            token_id=known.id,
        )
        return self._keep(name, caller, known.expires_at)

    def _fresh(self, name: str) -> Caller | None:
        seen = self._seen.get(name)
        if seen is None or self._clock.monotonic() >= seen.until:
            return None
        return None if seen.ends_at and seen.ends_at <= self._clock.now() else seen.caller

    def _keep(self, name: str, caller: Caller, ends_at: datetime | None) -> Caller:
        if len(self._seen) >= _KEPT:
            self._seen.clear()
        self._seen[name] = _Seen(caller, ends_at, self._clock.monotonic() + _BELIEVED)
        return caller
