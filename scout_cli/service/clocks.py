"""The clocks: the machine's own, and one that can be repeated for recordings."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID


class SystemClock:
    """The machine's clock and random identifiers."""

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def uuid(self) -> UUID:
        """Return a random identifier."""
        return uuid.uuid4()


class SeededClock:
    """A clock whose identifiers follow from a seed, and which may stand still.

    A recorded run and its replay use the same seed, so both give the same result.

    Args:
        seed: any text; the same seed gives the same identifiers in the same order.
        at: the moment that `now` always returns; None for the real one.
    """

    def __init__(self, seed: str, at: datetime | None = None) -> None:
        self._seed = seed
        self._at = at
        self._count = 0

    def now(self) -> datetime:
        """Return the recorded moment, or the present one."""
        return self._at or datetime.now(UTC)

    def monotonic(self) -> float:
        """Return real seconds: the deadline holds in a replay too."""
        return time.monotonic()

    def uuid(self) -> UUID:
        """Return the next identifier of the seed."""
        self._count += 1
        digest = sha256(f"{self._seed}/{self._count}".encode()).digest()
        return UUID(bytes=digest[:16], version=4)
