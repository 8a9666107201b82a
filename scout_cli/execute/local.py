"""Workers claim from the database themselves: no queue beside it, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from scout_cli.execute.address import concurrency_of


class Local:
    """Leaves everything to the database.

    Args:
        concurrency: executions at the same time in one worker; None for the setting's.
    """

    name = "local"
    tables = ""

    def __init__(self, concurrency: int | None) -> None:
        self._concurrency = concurrency

    @property
    def concurrency(self) -> int | None:
        """Return how many executions a worker runs at the same time; None for the setting's."""
        return self._concurrency

    async def offer(self, ids: Sequence[UUID]) -> None:
        """Do nothing: workers look into the database."""

    async def work(
        self, take: Callable[[UUID], Awaitable[None]], concurrency: int, *, stays: bool
    ) -> None:
        """Refuse: nothing comes this way."""
        raise NotImplementedError("workers claim from the database")

    async def tidy(self) -> None:
        """Do nothing: there is nothing beside the database."""

    async def close(self) -> None:
        """Do nothing: nothing is open."""


def open_local(url: str, _: str) -> Local:
    """Return the executor of a `local://` URL.

    Raises:
        ConfigError: it says more than a number of executions.
    """
    return Local(concurrency_of(url))
