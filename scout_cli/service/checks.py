"""What `scout doctor` says of one part, and the bound in time that every attempt has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeAlias, TypeVar

from msgspec import field

from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput, ScoutError

T = TypeVar("T")

Status = Literal["ok", "warn", "fail"]


class Check(Record, frozen=True, kw_only=True):
    """What became of trying one part."""

    name: str
    """Unique among the checks of one examination, such as `search ddgs/brave`."""
    ok: bool
    """Whether the part does its work."""
    detail: str
    hint: str = ""
    """What to do about it, usually a command; for a part that works, what would help."""
    warn: bool = False
    """It works, and something about it should be known; warnings do not fail an examination."""
    data: dict[str, Any] = field(default_factory=dict)
    """The same for programs: numbers, names, and the `code` of an error."""

    @property
    def status(self) -> Status:
        """Return `fail`, `warn` or `ok`."""
        if not self.ok:
            return "fail"
        return "warn" if self.warn else "ok"


Tell: TypeAlias = Callable[[Check], None]
"""Receives each check as it is finished."""


def failed(name: str, error: ScoutError, **data: Any) -> Check:
    """Return the check of a part that gave `error`."""
    told = {"code": error.code, **data}
    return Check(name=name, ok=False, detail=error.message, hint=error.hint, data=told)


def is_configuration(check: Check) -> bool:
    """Return whether a failed check is about what the user wrote, not about the world outside."""
    return not check.ok and check.data.get("code") in (InvalidInput.code, "config")


async def attempt(
    name: str, tell: Tell, seconds: float, work: Callable[[], Awaitable[T]], *, late: str = ""
) -> T | None:
    """Do `work` within `seconds`; a failure and a delay become a failed check.

    Args:
        name: of the check that tells of a failure.
        tell: receives it.
        seconds: the bound; `work` is cancelled at its end.
        work: tells of its own successes.
        late: what to do when the bound was reached.

    Returns:
        What `work` returned, None when it failed.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work()
    except TimeoutError:
        data = {"code": "timeout", "bound_seconds": seconds}
        detail = f"did not end within {seconds:g} s"
        tell(Check(name=name, ok=False, detail=detail, hint=late, data=data))
    except ScoutError as error:
        tell(failed(name, error))
    return None
