"""What a run says while it works: nothing, plain lines, JSON Lines; `live.py` has the fourth."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from scout_cli.cli import streams
from scout_cli.core.events import (
    Event,
    FactVerified,
    PageSeen,
    RunStarted,
    StepFinished,
    StepStarted,
    TokenDelta,
    Trouble,
)
from scout_cli.core.words import shorten

_BY = {
    "repair": "model, second try",
    "lines": "model, as lines",
    "fallback": "built-in, the model's answer could not be used",
    "built-in": "built-in",
}


_LONGEST = 240
"""Characters of a line; the whole text is in `scout history --steps` and in `--json`."""


class Progress(Protocol):
    """Shows one run; a context manager whose `see` is the run's sink."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, also when the run was interrupted."""
        ...

    async def see(self, event: Event) -> None:
        """Show one event."""
        ...

    def note(self, text: str) -> None:
        """Show one line that is no event."""
        ...


class Said(NamedTuple):
    """One line about the run."""

    text: str
    good: bool = True


class Tally:
    """Follows the events of one run: what is under way, what was spent."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.open: dict[int, StepStarted] = {}
        self.tokens = 0
        self.streamed = 0
        """Pieces of an answer under way; its step counts the tokens when it ends."""
        self.pages = 0
        self.facts = 0
        self._told: set[int | None] = set()
        """Steps whose trouble was told; their failing end says nothing more."""

    @property
    def seconds(self) -> float:
        """Return the seconds since the run began."""
        return time.monotonic() - self.began

    def take(self, event: Event) -> Said | None:
        """Count `event` and return what to say about it, if anything."""
        match event:
            case RunStarted():
                return Said(f"{event.model} thinks, {event.search} searches: {event.goal}")
            case StepStarted():
                self.open[event.number] = event
            case TokenDelta():
                self.streamed += 1
            case FactVerified():
                self.facts += 1
            case StepFinished():
                return self._finished(event)
            case PageSeen():
                return self._page(event)
            case Trouble():
                self._told.add(event.problem.step)
                hint = f" ({event.problem.hint})" if event.problem.hint else ""
                return Said(f"{event.problem.message}{hint}", good=False)
        return None

    def _finished(self, event: StepFinished) -> Said | None:
        started = self.open.pop(event.number, None)
        self.tokens += event.prompt_tokens + event.completion_tokens
        self.streamed = 0
        if started is None or event.kind in ("scrape", "summarize"):
            return None
        if event.status == "failed":
            if event.number in self._told:
                return None
            return Said(f"{started.description}: {event.error}", good=False)
        return Said(f"{started.description}{_outcome(event)}")

    def _page(self, event: PageSeen) -> Said:
        self.pages += 1
        where = f"{event.host}: {event.title}" if event.title else event.host
        if event.outcome == "read":
            return Said(f"Read {where}")
        if event.outcome == "unchanged":
            return Said(f"Unchanged {where}")
        reason = event.detail or event.outcome.replace("_", " ")
        return Said(f"Could not read {event.host or event.url}: {reason}", good=False)


class Silent:
    """Says nothing."""

    def __enter__(self) -> Self:
        """Begin to show nothing."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""

    async def see(self, event: Event) -> None:
        """Let it pass."""

    def note(self, text: str) -> None:
        """Let it pass."""


class JsonLines(Silent):
    """Writes every event to stdout as it is, one a line."""

    async def see(self, event: Event) -> None:
        """Write one event."""
        streams.put_json(event)


class Lines(Silent):
    """Writes a line to stderr for everything that ended."""

    def __init__(self) -> None:
        self._tally = Tally()

    async def see(self, event: Event) -> None:
        """Say what ended."""
        if said := self._tally.take(event):
            streams.say(
                f"{'  ' if said.good else '! '}{shorten(streams.line(said.text), _LONGEST)}"
            )

    def note(self, text: str) -> None:
        """Say it."""
        streams.say(f"  {streams.line(text)}")


def choose(*, as_json: bool, quiet: bool) -> Progress:
    """Return how to show a run on the streams that this process has."""
    if as_json:
        return JsonLines()
    if quiet:
        return Silent()
    if streams.is_terminal(sys.stderr):
        from scout_cli.cli.live import Live  # noqa: PLC0415 - rich only for a person's terminal

        return Live()
    return Lines()


def _outcome(event: StepFinished) -> str:
    by = _BY.get(event.answered_by or "", "")
    output = event.output if isinstance(event.output, dict) else {}
    results = output.get("searchResults")
    found = f"results: {len(results)}" if isinstance(results, list) else ""
    told = ", ".join(part for part in (found, by) if part)
    return f" ({told})" if told else ""
