"""How queued executions come to the workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from uuid import UUID


class Executor(Protocol):
    """How queued executions come to the workers.

    A local one does nothing: workers claim from the database themselves. Another one carries the
    ids of executions to workers on many machines, and nothing else: what it loses is offered again,
    and what it brings twice is claimed once.
    """

    @property
    def name(self) -> str:
        """Return what it is, for people."""
        ...

    @property
    def concurrency(self) -> int | None:
        """Return how many executions a worker runs at the same time; None for the setting's."""
        ...

    @property
    def tables(self) -> str:
        """Return the SQL that makes its tables in the database; empty for a local one."""
        ...

    async def offer(self, ids: Sequence[UUID]) -> None:
        """Bring executions to the workers; one that is on its way already is not brought twice.

        Raises:
            DatabaseUnavailable: its database does not answer, or lacks its tables.
        """
        ...

    async def work(
        self, take: Callable[[UUID], Awaitable[None]], concurrency: int, *, stays: bool
    ) -> None:
        """Give `take` one execution after the other, `concurrency` at the same time.

        Args:
            take: claims and runs one; it returns when the next one may come.
            concurrency: calls of `take` at the same time.
            stays: whether to wait for more when there is none left.

        Raises:
            DatabaseUnavailable: its database does not answer; call it again.
        """
        ...

    async def tidy(self) -> None:
        """Forget what workers left behind that went away.

        Raises:
            DatabaseUnavailable: its database does not answer.
        """
        ...

    async def close(self) -> None:
        """Give back connections. Closing twice is harmless."""
        ...
