"""A child process at the end of two pipes: asked one thing at a time, killed with its group."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from scout_cli.core.models import Record
from scout_cli.fetch import groups, scratch, wire
from scout_cli.fetch.tidy import one_line

T = TypeVar("T")

_LEAVE = 1.0
"""Seconds in which a child that fell silent has ended, if it is going to."""
_KILLED = re.compile(r"signal=SIGKILL|closed while reading from the driver")
"""What Playwright says of a browser, and of a driver, that was there and is no more."""
_FATAL = "FATAL:"
"""What Chromium writes before its last sentence; Playwright goes on to talk."""


class Child:
    """A running child and its folder.

    Args:
        process: leads a process group of its own.
        folder: removed with the child.
    """

    def __init__(self, process: Process, folder: Path) -> None:
        self.process = process
        self.folder = folder

    async def ask(self, order: Record, answer: type[T]) -> T:
        """Send an order and return the answer.

        Raises:
            EOFError: the child ended.
            OSError: it cannot be written to.
            ValueError: what it answered is not of that type.
        """
        assert self.process.stdin is not None
        self.process.stdin.write(wire.pack(order))
        await self.process.stdin.drain()
        return await self.hear(answer)

    async def hear(self, answer: type[T]) -> T:
        """Return what the child says next; raises as `ask` does."""
        assert self.process.stdout is not None
        prefix = await self.process.stdout.readexactly(4)
        payload = await self.process.stdout.readexactly(wire.length(prefix))
        return msgspec.json.decode(payload, type=answer)

    def kill(self) -> None:
        """End the process group at once; `collect` cleans up after it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def collect(self) -> None:
        """Bury the child, end a browser that it started, and remove its folder."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        await self.process.wait()
        if groups.recorded(self.folder):
            await asyncio.to_thread(groups.end, self.folder)
        scratch.remove(self.folder)

    async def was_killed(self) -> bool:
        """Return whether somebody else ended the child, which fell silent, or its browser."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE):
                await self.process.wait()
        return (self.process.returncode or 0) < 0 or bool(_KILLED.search(self._complaints()))

    def last_words(self) -> str:
        """Return why the child ended, or the end of what it complained of, for the error."""
        said = [line.strip() for line in self._complaints().split("\n") if line.strip()]
        fatal = [line[line.index(_FATAL) :] for line in said if _FATAL in line]
        return f": {one_line((fatal or said)[-1], 160)}" if said else ""

    def _complaints(self) -> str:
        with suppress(OSError):
            return (self.folder / "stderr").read_text(errors="replace")
        return ""


async def start(module: str, *arguments: str, kind: scratch.Kind) -> Child:
    """Start `python -m MODULE PARENT_PID FOLDER ARGUMENTS` in a process group of its own.

    Args:
        module: in `scout_cli.fetch`.
        arguments: after the number of this process and the child's folder.
        kind: of the folder.
    """
    scratch.sweep()
    folder = scratch.make(kind)
    try:
        with (folder / "stderr").open("wb") as complaints:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", f"scout_cli.fetch.{module}", str(os.getpid()), str(folder)),
                *arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=complaints,
                env=_environment(folder),
                cwd=folder,
                start_new_session=True,
            )
    except BaseException:  # a cancellation too: the folder has no owner yet
        scratch.remove(folder)
        raise
    return Child(process, folder)


def _environment(folder: Path) -> dict[str, str]:
    """Return all that a child learns of this machine: no key, no proxy, no home of a person."""
    return {
        "CRAWL4AI_NO_CLOUD_NOTICE": "1",
        "CRAWL4_AI_BASE_DIRECTORY": str(folder),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path),
        "TMPDIR": str(folder),
    }
