"""The process groups of a browser: which processes they hold, what these take, and their end.

A browser is a dozen processes in a group of its own, away from the child that started it. Both
groups are written into the folder of the child, the browser's by its launcher before anything
else, so that whoever finds the folder can end what belongs to it. A process that left its group, as
crash reporters do, is known by its home: the folder.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GROUP = "group"
"""The file in a browser's folder that names its process groups, a line each."""

_PROC = Path("/proc")
_HAS_PROC = (_PROC / "self" / "stat").exists()
_ANON = re.compile(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)
_GONE = 5.0
"""Seconds in which killed processes are gone, on any machine that still works."""


def record(folder: Path, group: int) -> None:
    """Write down a process group that belongs to `folder`."""
    with (folder / GROUP).open("a") as file:
        file.write(f"{group}\n")


def recorded(folder: Path) -> list[int]:
    """Return the process groups that were written down in `folder`."""
    try:
        lines = (folder / GROUP).read_text().split()
    except OSError:
        return []
    return [int(line) for line in lines if line.isdigit()]


def end(folder: Path, *, spare: int = 0) -> None:
    """Kill what was started from `folder` and wait until it is gone.

    A number alone is not trusted: it may have been given to somebody else meanwhile.

    Args:
        folder: of a browser.
        spare: one process that stays.
    """
    ours = [
        group
        for group in recorded(folder)
        if group > 1 and any(_names(pid, folder) for pid in members(group))
    ]
    until = time.monotonic() + _GONE
    while time.monotonic() < until:
        left = {*members(*ours)} - {spare} or {*_at_home(folder)} - {spare}
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def members(*groups: int) -> list[int]:
    """Return the running processes of these groups; one that only waits to be buried is gone."""
    if _HAS_PROC:
        return [pid for pid, state, group in _listed() if group in groups and state not in "ZX"]
    command = ["/bin/ps", "-axo", "pid=,pgid=,stat="]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - fixed
    rows = [line.split() for line in said.splitlines()]
    return [int(pid) for pid, group, stat in rows if int(group) in groups and stat[0] != "Z"]


def memory(*groups: int) -> int:
    """Return the bytes that these groups hold for themselves: 0 where no /proc tells.

    Code and files that many processes map do not count; what a page can make grow does.
    """
    total = 0
    for pid in members(*groups) if _HAS_PROC else ():
        with suppress(OSError):
            total += sum(map(int, _ANON.findall((_PROC / str(pid) / "status").read_text())))
    return total * 1024


def _listed() -> Iterator[tuple[int, str, int]]:
    """Yield number, state and group of every process."""
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                stat = (entry / "stat").read_text()
                state, _, group = stat.rpartition(")")[2].split()[:3]
                yield int(entry.name), state, int(group)


def _at_home(folder: Path) -> Iterator[int]:
    """Yield the running processes whose home is `folder`, in whatever group: none without /proc."""
    home = b"\0HOME=" + os.fsencode(folder) + b"\0"
    for pid, state, _ in _listed() if _HAS_PROC else ():
        with suppress(OSError):
            if state not in "ZX" and home in b"\0" + (_PROC / str(pid) / "environ").read_bytes():
                yield pid


def _names(pid: int, folder: Path) -> bool:
    """Return whether a process was started with `folder` in its command line."""
    with suppress(OSError):
        if _HAS_PROC:
            return os.fsencode(folder) in (_PROC / str(pid) / "cmdline").read_bytes()
        command = ["/bin/ps", "-wwo", "command=", "-p", str(pid)]
        said = subprocess.run(command, capture_output=True, check=False).stdout  # noqa: S603 - fixed
        return os.fsencode(folder) in said
    return False
