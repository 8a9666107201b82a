"""What one watcher of the database wants to hear of, and what it has not fetched yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal, TypeAlias
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.store.changed_rows import RowNow
from scout_cli.store.changes import Change, Position

Why: TypeAlias = Literal["overflow", "retention"]

QUEUE = 256
"""Changes that wait for one watcher."""


class Told(Record, frozen=True, kw_only=True):
    """One change, with the row as it was shortly after it."""

    cursor: str
    change: Change
    record: RowNow | None = None
    """None for a row that is gone, for a kind of row that has no short form, and unless asked."""


class Reset(Record, frozen=True, kw_only=True):
    """Changes were missed: read everything again, then go on from here."""

    cursor: str
    why: Why


Item: TypeAlias = Told | Reset


class Wanted(Record, frozen=True, kw_only=True):
    """What a watcher wants to hear of."""

    user_id: UUID | None = None
    """Whose rows; None for everybody's."""
    tables: frozenset[str] = frozenset()
    """Of these; empty for all."""
    execution_id: UUID | None = None
    scout_id: UUID | None = None
    """Steps and events do not name their scout: they are not heard of then."""
    records: bool = False
    """Rows are wanted, not only that they changed."""

    def takes(self, change: Change) -> bool:
        """Return whether a change is wanted."""
        return (
            (self.user_id is None or change.user_id == self.user_id)
            and (not self.tables or change.table_name in self.tables)
            and (self.execution_id is None or change.execution_id == self.execution_id)
            and (self.scout_id is None or change.scout_id == self.scout_id)
        )


class Subscription:
    """What one watcher has not fetched yet.

    Args:
        wanted: what it hears of.
        start: what it has heard of already.
        most: changes that wait at the most.
    """

    __slots__ = ("_bell", "_most", "_rung", "_seen", "_waiting", "over", "wanted")

    def __init__(self, wanted: Wanted, start: Position, most: int = QUEUE) -> None:
        self.wanted = wanted
        self._most = most
        self._waiting: list[Item] = []
        self._seen = start
        # A bare future, and no queue: there are thousands of these, and most only wait.
        self._bell: asyncio.Future[bool] | None = None
        self._rung = False
        self.over = False
        """The feed was closed: nothing comes any more."""

    @property
    def cursor(self) -> str:
        """Return the place in the stream up to which everything was fetched or is waiting."""
        return str(self._seen)

    async def wait(self, seconds: float) -> bool:
        """Wait for something to fetch, for the end, or for `wake`.

        Args:
            seconds: at the longest.

        Returns:
            Whether it came before that.
        """
        if not (self._waiting or self.over or self._rung):
            loop = asyncio.get_running_loop()
            self._bell = loop.create_future()
            timer = loop.call_later(max(0.0, seconds), self._ring, False)  # noqa: FBT003 - its argument
            try:
                await self._bell
            finally:
                timer.cancel()
                self._bell = None
        woken = bool(self._waiting or self.over or self._rung)
        self._rung = False
        return woken

    def fetch(self) -> list[Item]:
        """Return what waits, oldest first."""
        items, self._waiting = self._waiting, []
        return items

    def wake(self) -> None:
        """End a `wait` although nothing came."""
        self._rung = True
        self._ring(True)  # noqa: FBT003 - see above

    def _ring(self, woken: bool) -> None:  # noqa: FBT001 - what `call_later` calls
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(woken)

    def put(self, told: Told) -> None:
        """Add a change that it has not heard of yet; when too many wait, it must start anew."""
        position = told.change.position
        if position <= self._seen:
            return
        self._seen = position
        if len(self._waiting) >= self._most or self._must_start_anew():
            self._begin_anew("overflow")
        else:
            self._waiting.append(told)
        self.wake()

    def precede(self, missed: Sequence[Item]) -> None:
        """Put what it missed before what waits already."""
        if missed and isinstance(missed[0], Reset):
            self._begin_anew(missed[0].why)
        elif len(missed) + len(self._waiting) > self._most:
            self._begin_anew("overflow")
        elif not self._must_start_anew():
            self._waiting[:0] = missed

    def reset(self, position: Position) -> None:
        """Say that changes up to a position were lost."""
        self._seen = position
        self._begin_anew("retention")
        self.wake()

    def _must_start_anew(self) -> bool:
        return bool(self._waiting) and isinstance(self._waiting[0], Reset)

    def _begin_anew(self, why: Why) -> None:
        self._waiting.clear()
        self._waiting.append(Reset(cursor=str(self._seen), why=why))

    def end(self) -> None:
        """Say that nothing comes any more."""
        self.over = True
        self.wake()
