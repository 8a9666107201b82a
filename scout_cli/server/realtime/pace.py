"""How often something may happen: a bucket that fills again."""

from __future__ import annotations

import asyncio


class Pace:
    """So many a second, and so many at once.

    Args:
        rate: a second, on average.
        most: at once.
    """

    def __init__(self, rate: float, most: float) -> None:
        self._rate = rate
        self._most = self._left = most
        self._seen = asyncio.get_running_loop().time()

    def allows(self) -> bool:
        """Count one more; return whether there was room for it."""
        now = asyncio.get_running_loop().time()
        self._left = min(self._most, self._left + (now - self._seen) * self._rate)
        self._seen = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
