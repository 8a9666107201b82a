"""When a message that did not get through is tried again, and when it is given up."""

from __future__ import annotations

from datetime import timedelta

WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600)
)
"""After the first attempt, the second, and so on; then it is given up, 17 hours later."""
LONGEST = WAITS[-1]
"""No receiver can put a message off for longer than this at a time."""
GIVE_UP_AFTER = timedelta(days=3)
"""A channel that took nothing for so long is disabled."""
_SPREAD = 0.2


def wait(attempt: int, retry_after: float | None, chance: float) -> timedelta | None:
    """Return how long to wait before the next attempt; None when there is none.

    Args:
        attempt: how often it was tried, 1 after the first time.
        retry_after: seconds that the receiver named; they count when they are more.
        chance: 0 to 1; makes the waits of messages differ by up to a fifth, both ways.
    """
    if attempt > len(WAITS):
        return None
    planned = WAITS[attempt - 1] * (1 - _SPREAD + 2 * _SPREAD * chance)
    asked = timedelta(seconds=min(retry_after or 0.0, LONGEST.total_seconds()))
    return max(planned, asked)
