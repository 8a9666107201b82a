"""Work side by side, of which the first error is the one that counts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from scout_cli.core.trail import OutOfTime


async def together(work: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Run side by side; the first error ends the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    return [task.result() for task in tasks]


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    """Return the error that explains the others: running out of time comes last."""
    leaves: list[BaseException] = []
    waiting: list[BaseException] = [errors]
    while waiting:
        error = waiting.pop(0)
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions
        else:
            leaves.append(error)
    return min(leaves, key=lambda error: isinstance(error, OutOfTime))
