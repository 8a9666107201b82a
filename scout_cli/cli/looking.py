"""One look at the web from a command: progress, brief, one line, exit code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import click

from scout_cli.cli import brief, progress, streams
from scout_cli.cli.progress import Progress
from scout_cli.cli.streams import ExitCode
from scout_cli.core.events import Emit, Event, RunFinished, RunStarted
from scout_cli.core.job import Result

_WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.FAILED,
    ExitCode.UNAVAILABLE,
    ExitCode.NOT_FOUND,
    ExitCode.USAGE,
    ExitCode.DEGRADED,
    ExitCode.OK,
    ExitCode.NOTHING_NEW,
)


class View(NamedTuple):
    """How a run is shown."""

    as_json: bool = False
    quiet: bool = False
    exit_code: bool = False
    """Whether "nothing new" and "degraded" have exit codes of their own."""


def view_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every command that looks."""
    for option in (
        click.option("--exit-code", is_flag=True, help="End with 10: nothing new, 20: degraded."),
        click.option("--quiet", "-q", is_flag=True, help="Print only the brief."),
        click.option("--json", "as_json", is_flag=True, help="Print events as JSON Lines."),
    ):
        command = option(command)
    return command


def record_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--record` and `--replay`."""
    for option in (
        click.option(
            "--replay",
            metavar="DIR",
            type=click.Path(exists=True, file_okay=False),
            help="Repeat a recorded run without network, model or database.",
        ),
        click.option(
            "--record",
            metavar="DIR",
            type=click.Path(file_okay=False),
            help="Keep searches, pages and answers in DIR.",
        ),
    ):
        command = option(command)
    return command


async def look(
    view: View, title: str, go: Callable[[Emit], Awaitable[Result]], notes: list[str] | None = None
) -> int:
    """Watch one run, print what it found and return the exit code.

    Args:
        view: how to show it.
        title: the heading of the brief.
        go: starts the run with a sink for its events.
        notes: what the app chose for this machine, told once when the run begins.

    Raises:
        ScoutError: the run could not be done.
    """
    shown = progress.choose(as_json=view.as_json, quiet=view.quiet)
    watch = _Watch(shown, notes if notes is not None else [])
    with shown:
        result = await go(watch.see)
    if not view.as_json:
        brief.show(result, title)
    if result.outcome in ("could_not_look", "failed"):
        return _tell(result, view)
    if not (view.as_json or view.quiet):
        streams.say(brief.closing(result, watch.seconds))
    return _code(result, view)


def worst(codes: list[int]) -> int:
    """Return the exit code of several runs: the first failure in order of gravity.

    One run with something new outweighs others with nothing new.
    """
    return next((code for code in _WORST_FIRST if code in codes), ExitCode.OK)


class _Watch:
    """Keeps the run's own measure of its time on the way to the display."""

    def __init__(self, shown: Progress, notes: list[str]) -> None:
        self._shown = shown
        self._notes = notes
        self.seconds = 0.0

    async def see(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            for note in taken(self._notes):
                self._shown.note(note)
        if isinstance(event, RunFinished):
            self.seconds = event.seconds
        await self._shown.see(event)


def taken(notes: list[str]) -> list[str]:
    """Return what there is to tell and leave nothing to be told twice."""
    told = notes[:]
    notes.clear()
    return told


def _tell(result: Result, view: View) -> int:
    """Say why a run came to nothing, in the words of its first problem."""
    problem = result.problems[0] if result.problems else None
    head = "could not look" if result.outcome == "could_not_look" else "the run failed"
    message = f"{head}: {problem.message}" if problem else head
    hint = problem.hint if problem and problem.hint else "scout doctor"
    streams.error(message, hint, code=result.outcome, as_json=view.as_json)
    return ExitCode.UNAVAILABLE if result.outcome == "could_not_look" else ExitCode.FAILED


def _code(result: Result, view: View) -> int:
    if not view.exit_code:
        return ExitCode.OK
    codes = {"nothing_new": ExitCode.NOTHING_NEW, "degraded": ExitCode.DEGRADED}
    return codes.get(result.outcome, ExitCode.OK)
