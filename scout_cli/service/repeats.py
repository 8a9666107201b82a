"""A request that is sent twice under one key is carried out once.

The key is its sender's. What the first one was answered is kept for two days and answered again;
one that failed is forgotten, so that it may be sent again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from scout_cli.errors import Conflict, InvalidInput
from scout_cli.store import repeats
from scout_cli.store.database import Database
from scout_cli.store.finishing import to_the_end
from scout_cli.store.repeats import Kept

KEPT = timedelta(hours=48)
"""How long an answer is kept."""
LONGEST = 255
"""Characters of a key."""
_GIVEN_UP = timedelta(seconds=90)
"""A request that has no answer after this has lost its process: requests end within half of it."""


class Attempt:
    """One request under a key.

    Args:
        before: what an earlier one was answered; None when this one is to be carried out.
    """

    def __init__(self, before: Kept | None) -> None:
        self.before = before
        self._answer: tuple[int, bytes, dict[str, str]] | None = None

    def answered(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Say what is to be kept."""
        self._answer = status, body, headers

    def kept(self, begun: Kept) -> Kept | None:
        """Return what to keep; None when nothing was answered."""
        if self._answer is None:
            return None
        status, body, headers = self._answer
        return replace(begun, status=status, answer=body.decode(), headers=headers)


class Repeats:
    """The keys of one user.

    Args:
        db: where they are.
        user: whose.
    """

    def __init__(self, db: Database, user: UUID) -> None:
        self._db = db
        self._user = user

    @asynccontextmanager
    async def once(self, key: str, request: str) -> AsyncIterator[Attempt]:
        """Open an attempt; what it says was answered is kept, and forgotten when it raises.

        Args:
            key: the sender's.
            request: a fingerprint of the request.

        Raises:
            InvalidInput: a key that cannot be used.
            Conflict: the key was used for another request, or the first one is not answered yet.
        """
        if not 0 < len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
            raise InvalidInput(
                "the Idempotency-Key cannot be used",
                hint=f"1 to {LONGEST} printable ASCII characters, such as a UUID",
            )
        begun = Kept(user_id=self._user, key=key, request=request, created_at=await self._db.now())
        before = await self._begin(begun)
        attempt = Attempt(before)
        if before is not None:
            yield attempt
            return
        try:
            yield attempt
        except BaseException:  # a cancellation too: the key is free again
            await to_the_end(repeats.forget(self._db, begun))
            raise
        done = attempt.kept(begun)
        await to_the_end(
            repeats.finish(self._db, done) if done else repeats.forget(self._db, begun)
        )

    async def _begin(self, begun: Kept) -> Kept | None:
        """Return an earlier answer, or None when this request is to be carried out."""
        if await repeats.begin(self._db, begun):
            return None
        old = await repeats.get(self._db, self._user, begun.key)
        if old is None:
            raise _in_progress()  # forgotten a moment ago
        age = begun.created_at - old.created_at
        if age > KEPT or (not old.status and age > _GIVEN_UP):
            if await repeats.take_over(self._db, old, begun):
                return None
            raise _in_progress()
        if old.request != begun.request:
            raise Conflict(
                "this Idempotency-Key was used for another request",
                hint="a new request needs a new key",
            )
        if not old.status:
            raise _in_progress()
        return old


def _in_progress() -> Conflict:
    return Conflict(
        "a request with this Idempotency-Key is being answered", hint="send it again in a moment"
    )
