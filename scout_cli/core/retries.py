"""Which failures of a run are tried again, when, and which count against the scout.

A fault of the platform (model down, search limited, no network, database gone) is tried again and
never pauses a scout. What only a person can mend is not tried again. The rest is the scout's own.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from scout_cli.core.models import Problem, Record

MAX_CRASHES = 3
"""A run whose process died so often has failed."""
MAX_FAILURES = 3
"""A scout that failed so often in a row by its own fault is paused."""

_MINUTES = {
    "model_unavailable": (1, 5, 15, 15),
    "database_unavailable": (1, 5, 15, 15),
    "search_limited": (15, 15, 15),
    "search_unavailable": (1, 5, 15, 15),
    "page_unreachable": (5, 15),
    "feed_unreachable": (5, 15),
    "page_timeout": (15,),
    "feed_timeout": (15,),
    "bad_output": (1,),
}
_FOR_A_PERSON = {"config", "invalid", "missing_package", "not_found", "interrupted", "fence_lost"}
_PLATFORM = {
    "model_unavailable",
    "database_unavailable",
    "search_limited",
    "search_unavailable",
    "page_unreachable",
    "feed_unreachable",
}


class Decision(Record, frozen=True, kw_only=True):
    """What follows from a failure."""

    retry_in: timedelta | None
    """None: this run is not tried again."""
    attributable: bool
    """Whether it is the scout's own failure, which counts towards its pause."""


def decide(problem: Problem, attempt: int, seed: str) -> Decision:
    """Return what to do about a failed attempt.

    Args:
        problem: what went wrong; its code names the class.
        attempt: how often the run was started, 1 the first time.
        seed: makes the waits of runs differ by up to a fifth, the same way every time.
    """
    own = problem.code not in _PLATFORM | _FOR_A_PERSON
    waits = _MINUTES.get(problem.code, ()) if problem.retryable else ()
    if attempt > len(waits):
        return Decision(retry_in=None, attributable=own)
    minutes = waits[max(attempt, 1) - 1]
    return Decision(
        retry_in=timedelta(minutes=minutes * _spread(f"{seed} {attempt}")), attributable=own
    )


def _spread(seed: str) -> float:
    """Return a factor between 0.8 and 1.2."""
    return 0.8 + 0.4 * int.from_bytes(sha256(seed.encode()).digest()[:4]) / 2**32
