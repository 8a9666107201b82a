"""The reading child: `python -m scout_cli.fetch.child PARENT_PID FOLDER MEMORY`.

It parses what the web sent, and can do nothing else: its environment is empty, its memory is
bounded, it may not connect, start programs or outlive its parent.
"""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
import queue
import resource
import signal
import sys
import threading
from typing import Any, BinaryIO

from scout_cli.fetch import wire

_PR_SET_PDEATHSIG = 1
_MAX_FILE = 16 * 1024 * 1024
_FORBIDDEN = frozenset(
    "socket.connect socket.bind socket.getaddrinfo subprocess.Popen os.system os.exec "
    "os.posix_spawn os.fork os.forkpty".split()
)
_SPARE = 2
"""Seconds after the parent's own deadline at which the child ends itself."""


def main() -> None:
    """Answer orders from standard input until it closes."""
    parent, memory = int(sys.argv[1]), int(sys.argv[3])
    orders, answers = take_pipes()
    die_with(parent)
    _bound(memory)
    inbox: queue.SimpleQueue[wire.Order] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, inbox), daemon=True).start()
    asyncio.run(_serve(inbox, answers))


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for us: what a library prints must not reach the parent."""
    orders, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    os.close(nowhere)
    return os.fdopen(orders, "rb"), os.fdopen(answers, "wb")


def die_with(parent: int) -> None:
    """Have the system kill this process when its parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _bound(memory: int) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_FILE, _MAX_FILE))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _forbid(event: str, _: tuple[Any, ...]) -> None:
    if event in _FORBIDDEN:
        raise PermissionError(f"{event}: the reading child may not")


def _listen(orders: BinaryIO, inbox: queue.SimpleQueue[wire.Order]) -> None:
    """Hand on orders; end the process with the pipe, even in the middle of a page."""
    while (order := wire.receive(orders, wire.Order)) is not None:
        inbox.put(order)
    os._exit(0)


async def _serve(inbox: queue.SimpleQueue[wire.Order], answers: BinaryIO) -> None:
    from importlib.metadata import version  # noqa: PLC0415 - see below

    # Imported after the bounds are set, since importing runs other people's code too.
    from scout_cli.fetch import documents, feeds  # noqa: PLC0415
    from scout_cli.fetch.markdown import Markdown  # noqa: PLC0415

    async with Markdown() as markdown:
        sys.addaudithook(_forbid)
        _send(answers, wire.Ready(version=version("crawl4ai")))
        while True:
            order = inbox.get()
            signal.alarm(math.ceil(order.seconds) + _SPARE)
            if isinstance(order.task, wire.ReadFeed):
                _send(answers, _feed(feeds.read, order.task))
            else:
                _send(answers, await _page(documents.read, order, markdown))
            signal.alarm(0)


async def _page(read: Any, order: wire.Order, markdown: Any) -> wire.Reading:
    try:
        reading: wire.Reading = await read(order.task, markdown, seconds=order.seconds)
    except (ValueError, RecursionError, MemoryError) as error:
        return wire.Reading(
            verdict="unreadable", detail=f"the page cannot be read ({type(error).__name__})"
        )
    return reading


def _feed(read: Any, task: wire.ReadFeed) -> wire.Entries:
    try:
        entries: wire.Entries = read(task)
    except (ValueError, RecursionError, MemoryError) as error:
        return wire.Entries(
            is_feed=False, detail=f"the feed cannot be read ({type(error).__name__})"
        )
    return entries


def _send(answers: BinaryIO, message: wire.Ready | wire.Reading | wire.Entries) -> None:
    answers.write(wire.pack(message))
    answers.flush()


if __name__ == "__main__":
    main()
