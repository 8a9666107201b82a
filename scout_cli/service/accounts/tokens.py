"""Keys that people make for their programs and feeds: shown once, kept as a hash."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from msgspec.structs import asdict

from scout_cli.core.models import Record
from scout_cli.core.ports import Clock
from scout_cli.errors import Conflict, InvalidInput, NotFound
from scout_cli.service.accounts.refusals import BadToken
from scout_cli.service.audit import Asker, Audit
from scout_cli.service.callers import Scope
from scout_cli.store import tokens
from scout_cli.store.database import Database
from scout_cli.store.tokens import HashedToken, Kind, Token

__all__ = ["FEED_PREFIX", "PREFIX", "FeedKey", "NewToken", "Token", "Tokens", "hash_of"]

PREFIX = "sct_"
FEED_PREFIX = "scf_"
_PREFIXES: dict[Kind, str] = {"api": PREFIX, "feed": FEED_PREFIX}
_MOST = 100
"""Keys of one user."""
_NAME = 100


class NewToken(Token, frozen=True, kw_only=True):
    """A key with the key itself, which nobody can see again."""

    token: str


class FeedKey(Record, frozen=True, kw_only=True):
    """What the token in the address of a feed opens."""

    user_id: UUID
    scout_id: UUID | None
    """None for all of the user's scouts."""


def hash_of(token: str) -> str:
    """Return what is stored of a key."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()


class Tokens:
    """The keys of one database.

    Args:
        db: the database.
        clock: time and identifiers.
        audit: the log.
    """

    def __init__(self, db: Database, clock: Clock, audit: Audit) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit

    async def create(
        self,
        user_id: UUID,
        name: str,
        asker: Asker,
        *,
        scopes: Sequence[Scope] = ("read", "write"),
        kind: Kind = "api",
        scout_id: UUID | None = None,
        expires_at: datetime | None = None,
    ) -> NewToken:
        """Make a key; it is in the answer and nowhere else.

        Args:
            user_id: whose; the caller has seen to it that they may.
            name: what it is for.
            asker: who makes it.
            scopes: what it is good for.
            kind: for programs, or for the address of a feed.
            scout_id: the only scout that a feed's key opens; the caller has seen that it is theirs.
            expires_at: when it ends; None for never.

        Raises:
            InvalidInput: no name, no scope, or an end that has passed.
            Conflict: they have a hundred.
        """
        name = " ".join(name.split())
        now = self._clock.now()
        if not 0 < len(name) <= _NAME or not scopes:
            raise InvalidInput(f"a token has a name of 1 to {_NAME} characters, and a scope")
        if expires_at is not None and expires_at <= now:
            raise InvalidInput("expires_at has passed already", hint="leave it out for no end")
        token = _PREFIXES[kind] + secrets.token_urlsafe(32)
        made = HashedToken(
            id=self._clock.uuid(),
            user_id=user_id,
            kind=kind,
            name=name,
            scopes=sorted(set(scopes)),
            scout_id=scout_id,
            created_at=now,
            expires_at=expires_at,
            hash=hash_of(token),
        )
        async with self._db.transaction() as tx:
            if await tokens.count(tx, user_id) >= _MOST:
                raise Conflict(f"there are {_MOST} tokens already", hint="scout token rm ID")
            await tokens.add(tx, made)
            await self._audit.write(
                tx, "token.create", asker, user_id=user_id, target=f"{kind} {made.id}"
            )
        shown = {name: value for name, value in asdict(made).items() if name != "hash"}
        return NewToken(**shown, token=token)

    async def all(self, user_id: UUID, kind: Kind = "api") -> list[Token]:
        """Return the keys of a user, oldest first, without the keys themselves."""
        return await tokens.of_user(self._db, user_id, kind)

    async def find(self, user_id: UUID, name: str) -> Token:
        """Return the key of a user that has this name, or whose id begins so.

        Raises:
            NotFound: none does.
            InvalidInput: several do.
        """
        mine, begins = await self.all(user_id), name.strip().lower()
        found = [each for each in mine if each.name == name]
        found = found or [each for each in mine if str(each.id).startswith(begins or "-")]
        if not found:
            raise NotFound(f"no token {name!r}", hint="scout token list shows yours")
        if len(found) > 1:
            raise InvalidInput(f"{name!r} means {len(found)} tokens", hint="give the id")
        return found[0]

    async def remove(self, user_id: UUID, token_id: UUID, asker: Asker) -> None:
        """Withdraw a key; it is good for nothing within five seconds.

        Raises:
            NotFound: the user has none with this id.
        """
        async with self._db.transaction() as tx:
            if not await tokens.delete(tx, user_id, token_id):
                raise NotFound("no such token", hint="scout token list shows yours")
            await self._audit.write(
                tx, "token.remove", asker, user_id=user_id, target=str(token_id)
            )

    async def feed(self, token: str) -> FeedKey:
        """Return what the token in the address of a feed opens.

        Raises:
            BadToken: it is unknown, withdrawn or too old.
        """
        known = await tokens.known(self._db, hash_of(token))
        now = self._clock.now()
        if known is None or known.kind != "feed" or known.disabled_at:
            raise BadToken
        if known.expires_at is not None and known.expires_at <= now:
            raise BadToken
        return FeedKey(user_id=known.user_id, scout_id=known.scout_id)
