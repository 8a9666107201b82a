"""A bar for work whose size is known: moving on a terminal, a line every tenth part elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scout_cli.cli import streams

Move = Callable[[int, int], None]
"""Takes how much is done, and of how much."""


@contextmanager
def bar(what: str, *, quiet: bool) -> Iterator[Move]:
    """Yield what moves the bar, all on stderr.

    Args:
        what: the work, such as `Vectors`.
        quiet: show nothing.
    """
    if quiet:
        yield lambda _done, _of: None
    elif streams.is_terminal(sys.stderr):
        with _moving(what) as move:
            yield move
    else:
        yield _Tenths(what).move


class _Tenths:
    def __init__(self, what: str) -> None:
        self._what = what
        self._told = -1

    def move(self, done: int, of: int) -> None:
        tenth = 10 * done // of if of else 10
        if tenth > self._told and of:
            self._told = tenth
            streams.say(f"{self._what}: {done:,} of {of:,}")


@contextmanager
def _moving(what: str) -> Iterator[Move]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415 - only a person's terminal needs it

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = streams.console(sys.stderr)
    with Progress(f"{what} ", *columns, console=console, transient=True) as shown:
        task = shown.add_task(what)
        yield lambda done, of: shown.update(task, completed=done, total=of)
