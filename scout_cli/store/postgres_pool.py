"""The connections of a PostgreSQL database; those used last are at hand without asking the pool.

The driver's pool takes two tasks and a timer to lend a connection and take it back, about as long
as a short statement itself takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from scout_cli.store.postgres_errors import translated

_WAIT_SECONDS = 30.0
_CLOSE_SECONDS = 10.0
_AT_HAND_SECONDS = 60.0
"""Then the pool has them back, which closes what nobody uses and what has served long enough."""


class Connections:
    """Lends the connections of a pool, each to one user at a time.

    Args:
        pool: of asyncpg; from now on it is ours.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._at_hand: list[Any] = []
        self._waiting = 0
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self._returning: asyncio.Future[Any] | None = None

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Any]:
        """Lend a connection for the block.

        Raises:
            DatabaseUnavailable: none was free for half a minute, or none can be made.
        """
        connection = await self._taken()
        well = False
        try:
            yield connection
            well = True
        finally:
            # Whoever waits stands in the pool's line, and what went wrong is the pool's to mend.
            if well and not self._waiting and not self._closing and _is_idle(connection):
                self._keep(connection)
            else:
                with translated():
                    await self._pool.release(connection)

    async def _taken(self) -> Any:
        while self._at_hand:
            connection = self._at_hand.pop()
            if _is_idle(connection):
                return connection
            await self._pool.release(connection)
        self._waiting += 1
        try:
            with translated():
                return await self._pool.acquire(timeout=_WAIT_SECONDS)
        finally:
            self._waiting -= 1

    def _keep(self, connection: Any) -> None:
        self._at_hand.append(connection)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_AT_HAND_SECONDS, self._give_back)

    def _give_back(self) -> None:
        """Return what is at hand to the pool, in the background."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        kept, self._at_hand = self._at_hand, []
        releases = (self._pool.release(each) for each in kept)
        # One that fails was closed by it.
        self._returning = asyncio.gather(*releases, return_exceptions=True)

    async def close(self) -> None:
        """Close every connection, waiting for those in use for ten seconds."""
        self._closing = True
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                if self._returning is not None:
                    await self._returning
                self._give_back()
                await self._pool.close()
        except (TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError, OSError):
            self._pool.terminate()


def _is_idle(connection: Any) -> bool:
    """Return whether a connection is open, and outside of a transaction."""
    try:
        return not (connection.is_closed() or connection.is_in_transaction())
    except asyncpg.InterfaceError:
        return False  # the server closed it, and the pool has it back
