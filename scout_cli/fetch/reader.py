"""The parent's end of the reading child: one process, one document at a time, killed when late."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar

import msgspec

from scout_cli.fetch import offspring
from scout_cli.fetch.offspring import Child
from scout_cli.fetch.wire import Entries, Order, ReadFeed, Reading, ReadPage, Ready, Task

T = TypeVar("T")


class ReaderFailed(Exception):
    """The child gave no answer.

    Args:
        kind: `timeout` it took too long, `died` it ended, `absent` it did not start.
        detail: for people, one line.
    """

    def __init__(self, kind: Literal["timeout", "died", "absent"], detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class Reader:
    """Reads documents in a child process that is started once and replaced when it fails.

    Args:
        page_seconds: how long one document may take.
        start_seconds: how long the child may take to import what it needs.
        memory: address space of the child, bytes; not enforced on macOS.
    """

    def __init__(
        self,
        *,
        page_seconds: float = 20.0,
        start_seconds: float = 120.0,
        memory: int = 2 * 1024**3,
    ) -> None:
        self._page_seconds = page_seconds
        self._start_seconds = start_seconds
        self._memory = memory
        self._lock = asyncio.Lock()
        self._child: Child | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Return the process id of the child, None when none runs."""
        return self._child.process.pid if self._child else None

    async def warm_up(self) -> None:
        """Start the child and wait until it can read.

        Raises:
            ReaderFailed: it does not start.
        """
        async with self._lock:
            await self._running()

    async def page(self, task: ReadPage) -> Reading:
        """Read one document.

        Raises:
            ReaderFailed: no answer; the next document gets a new child.
        """
        return await self._ask(task, Reading)

    async def feed(self, task: ReadFeed) -> Entries:
        """Read one feed.

        Raises:
            ReaderFailed: no answer; the next document gets a new child.
        """
        return await self._ask(task, Entries)

    async def close(self) -> None:
        """End the child; a document that is being read fails, and no other is begun."""
        self._closed = True
        await self._end()

    async def _ask(self, task: Task, answer: type[T]) -> T:
        order = Order(task=task, seconds=self._page_seconds)
        async with self._lock:
            child = await self._running()
            return await self._in_time(child, child.ask(order, answer), self._page_seconds)

    async def _running(self) -> Child:
        if self._closed:
            raise ReaderFailed("absent", "the page reader is closed")
        if self._child is not None and self._child.process.returncode is not None:
            await self._end()
        return self._child or await self._begin()

    async def _begin(self) -> Child:
        child = self._child = await offspring.start("child", str(self._memory), kind="reader")
        if self._closed:  # meanwhile
            await self._end()
            raise ReaderFailed("absent", "the page reader is closed")
        try:
            await self._in_time(child, child.hear(Ready), self._start_seconds)
        except ReaderFailed as failed:
            raise ReaderFailed("absent", f"the page reader did not start: {failed}") from failed
        return child

    async def _in_time(self, child: Child, answer: Coroutine[Any, Any, T], seconds: float) -> T:
        """Return the child's answer; without one, even when cancelled, the child ends.

        A child that was interrupted would give its answer to the next question.
        """
        answered = False
        try:
            async with asyncio.timeout(seconds):
                result = await answer
            answered = True
        except TimeoutError as error:
            raise ReaderFailed("timeout", f"reading took longer than {seconds:g} s") from error
        except (EOFError, OSError, ValueError, msgspec.MsgspecError) as error:
            raise ReaderFailed("died", f"the page reader stopped{child.last_words()}") from error
        finally:
            if not answered:
                await self._end()
        return result

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            await asyncio.shield(child.collect())
