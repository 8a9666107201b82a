"""A terminal of a test's own: its width, what is typed into it, all that it was sent."""

from __future__ import annotations

import os
import pty
import re
import select
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Seen(NamedTuple):
    """How a command ended and what a person saw of it."""

    code: int
    text: str
    """Without colours and cursor movements."""

    @property
    def lines(self) -> list[str]:
        """Return the lines without blanks at their ends."""
        return [line.rstrip() for line in self.text.splitlines()]


def on_terminal(
    words: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    *,
    width: int = 80,
    answers: Sequence[tuple[str, str]] = (),
) -> Seen:
    """Run a command line on a terminal of its own.

    Args:
        words: the command line.
        env: its environment.
        cwd: its folder.
        width: columns of the terminal.
        answers: what to wait for, and what to type then.
    """
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execvpe(words[0], words, {**env, "TERM": "xterm-256color", "COLUMNS": str(width)})
    seen, ahead = b"", b""
    for wanted, typed in answers:
        text, ahead = _read_until(descriptor, wanted.encode(), ahead)
        seen += text
        # Ctrl-C between the prompt and the read behind it waits for the next key: C's own race.
        time.sleep(0.2)
        os.write(descriptor, typed.encode())
    seen += _read_until(descriptor, None, ahead)[0]
    os.close(descriptor)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Seen(code, _ANSI.sub("", seen.decode()))


def _read_until(
    descriptor: int, wanted: bytes | None, found: bytes = b"", seconds: float = 30
) -> tuple[bytes, bytes]:
    """Return what came up to the end of `wanted`, and what came behind it; None wants all."""
    end = time.monotonic() + seconds
    while wanted is None or wanted not in found:
        assert time.monotonic() < end, f"{wanted!r} did not come: {found!r}"
        if select.select([descriptor], [], [], 0.2)[0]:
            try:
                piece = os.read(descriptor, 65_536)
            except OSError:
                piece = b""
            if not piece:
                return found, b""
            found += piece
    at = found.index(wanted) + len(wanted)
    return found[:at], found[at:]
