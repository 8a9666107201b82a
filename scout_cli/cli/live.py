"""Progress for a person at a terminal: steps as they end, what is under way, time and tokens."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich import live
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from scout_cli.cli import streams, times
from scout_cli.cli.progress import Tally
from scout_cli.core.events import Event

_SHOWN = 6
"""Steps under way that are listed; the rest is a number, so that the display stays small."""
_SPIN = "|/-\\"


class Live:
    """A small moving display below the lines about what ended, all on stderr."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._console = streams.console(sys.stderr)
        self._live = live.Live(
            self,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        """Begin to show."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the moving part away; what ended stays."""
        self._live.stop()

    async def see(self, event: Event) -> None:
        """Show one event."""
        said = self._tally.take(event)
        if said is None:
            return
        text = Text("  " if said.good else "! ", style="" if said.good else "yellow")
        text.append(streams.line(said.text))
        self._console.print(text, overflow="ellipsis", no_wrap=True)

    def note(self, text: str) -> None:
        """Show one line that is no event."""
        self._console.print(Text(f"  {streams.line(text)}", style="dim"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what is under way; rich calls this eight times a second."""
        tally = self._tally
        spin = _SPIN[int(tally.seconds * 8) % len(_SPIN)]
        running = list(tally.open.values())
        for step in running[:_SHOWN]:
            text = Text(f"{spin} {streams.line(step.description)}", style="cyan")
            text.truncate(options.max_width - 1, overflow="ellipsis")
            yield text
        if len(running) > _SHOWN:
            yield Text(f"{spin} and {len(running) - _SHOWN} more", style="cyan")
        spent = f"  {times.lasted(tally.seconds)}, pages: {tally.pages}, facts: {tally.facts}"
        yield Text(f"{spent}, tokens: {tally.tokens + tally.streamed:,}", style="dim")
