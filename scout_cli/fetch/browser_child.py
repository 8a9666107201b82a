"""The rendering child: `python -m scout_cli.fetch.browser_child PARENT_PID FOLDER`.

It drives the browser and does nothing else. When its pipe closes or its parent dies, it ends the
browser, removes the folder with the profile, and goes.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import queue
import resource
import signal
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from scout_cli.core.models import Record
from scout_cli.fetch import groups, scratch, wire
from scout_cli.fetch.child import take_pipes

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer orders from standard input until it closes."""
    parent, folder = int(sys.argv[1]), Path(sys.argv[2])
    orders, answers = take_pipes()
    _vanish_with(parent, folder)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    begin = wire.receive(orders, wire.Begin)
    if begin is None:
        _vanish(folder)
        return
    inbox: queue.SimpleQueue[wire.Render] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, inbox, folder), daemon=True).start()
    asyncio.run(_serve(begin, inbox, answers))


def _vanish_with(parent: int, folder: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _vanish(folder))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        _vanish(folder)


def _vanish(folder: Path) -> None:
    """End the browser with all its processes, remove what it wrote, and end."""
    groups.end(folder, spare=os.getpid())
    scratch.remove(folder)
    os._exit(0)


def _listen(orders: BinaryIO, inbox: queue.SimpleQueue[wire.Render], folder: Path) -> None:
    """Hand on orders; vanish with the pipe, even in the middle of a page."""
    while (order := wire.receive(orders, wire.Render)) is not None:
        inbox.put(order)
    _vanish(folder)


async def _serve(
    begin: wire.Begin, inbox: queue.SimpleQueue[wire.Render], answers: BinaryIO
) -> None:
    # Three seconds of imports: after the pipe is watched, so that an early end is noticed.
    from scout_cli.fetch.rendering import Rendering  # noqa: PLC0415

    async with Rendering(begin) as browser:
        _send(answers, wire.Ready(version=version("crawl4ai")))
        while True:
            order = await asyncio.to_thread(inbox.get)
            _send(answers, await browser.render(order))


def _send(answers: BinaryIO, message: Record) -> None:
    answers.write(wire.pack(message))
    answers.flush()


if __name__ == "__main__":
    main()
