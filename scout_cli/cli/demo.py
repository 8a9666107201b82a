"""`scout demo`: a scout at work for three days, in seconds."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from typing import Self

import click

from scout_cli.cli import brief, progress, streams
from scout_cli.cli.progress import Progress
from scout_cli.cli.session import Session, drive, pass_session
from scout_cli.core.events import Event, RunFinished
from scout_cli.core.job import Result
from scout_cli.demo import play


@click.command("demo")
@click.option("--quiet", "-q", is_flag=True, help="Print only the briefs and the closing words.")
@click.option("--json", "as_json", is_flag=True, help="Print days and events as JSON Lines.")
@pass_session
def command(session: Session, *, quiet: bool, as_json: bool) -> None:
    """Watch a scout work for three days on a small web of its own.

    Day 1 brings news, day 2 none, day 3 the same story from another outlet and one new fact. The
    web is served by this command on this machine; model and embedder are those of the settings.

    \b
    Example:
      scout demo
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    settings = session.load().settings
    with _Stage(quiet=quiet, as_json=as_json) as stage:
        story = drive(lambda: play.play(settings, stage))
    if not as_json:
        streams.put("\n" + "\n".join(streams.block(row) for row in story.explanation()))


class _Stage:
    """Shows each day as `scout run` shows a run."""

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self._quiet = quiet
        self._as_json = as_json
        self._stack = ExitStack()
        self._progress: Progress = progress.Silent()
        self._seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self._stack.close()

    def day(self, number: int, moment: datetime) -> None:
        if self._as_json:
            streams.put_json({"event": "day", "at": moment, "number": number})
        else:
            streams.put(f"{'' if number == 1 else chr(10)}Day {number}, {moment:%A %d %B %Y}")
            streams.flush()
        shown = progress.choose(as_json=self._as_json, quiet=self._quiet)
        self._progress = self._stack.enter_context(shown)

    async def event(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self._seconds = event.seconds
        await self._progress.see(event)

    def result(self, result: Result) -> None:
        self._stack.close()
        if self._as_json:
            return
        streams.put("")
        brief.show(result, "")
        streams.put(brief.closing(result, self._seconds))
        streams.flush()
