"""Try one part of scout and say in a line whether it works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from scout_cli.core.models import Record
from scout_cli.errors import ScoutError


class Check(Record, frozen=True, kw_only=True):
    """What became of trying one part."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    """For a failure: what to do about it."""


async def check(name: str, probe: Callable[[], Awaitable[str]]) -> Check:
    """Run a probe that returns what it found in one line, or raises what is wrong."""
    try:
        return Check(name=name, ok=True, detail=await probe())
    except ScoutError as error:
        return Check(name=name, ok=False, detail=error.message, hint=error.hint)
