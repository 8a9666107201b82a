"""Where a conversation is typed and shown: a terminal, lines of text, or JSON Lines."""

from __future__ import annotations

import select
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import click

from scout_cli.cli import streams, wishes
from scout_cli.core.chatting import (
    ChatEvent,
    ChatFinished,
    ChatStarted,
    ConfigUpdated,
    TextDelta,
)
from scout_cli.core.interview import MAX_MESSAGE
from scout_cli.core.models import ChatMessage, Scout
from scout_cli.core.setting_up import missing

if TYPE_CHECKING:  # rich only for a person's terminal
    from rich.status import Status

_LABELS = {
    "goal": "what to look for",
    "title": "a title",
    "description": "a description",
    "search_queries": "search queries",
    "location": "a place (or “anywhere”)",
    "frequency": "a rhythm",
}
_SHOWN = 4
"""Messages of an earlier conversation that are shown again."""
_PASTE = 0.05
"""Seconds within which further lines belong to the same paste."""


class View(Protocol):
    """Reads what a person says and shows what they hear."""

    patient: bool
    """Whether the conversation goes on after an error."""
    as_json: bool

    def read(self) -> str | None:
        """Return the next message, None when there is none."""
        ...

    def opened(self, scout: Scout, said: Sequence[ChatMessage]) -> None:
        """Show where an earlier conversation ended."""
        ...

    async def see(self, event: ChatEvent) -> None:
        """Show one event."""
        ...

    def settle(self) -> None:
        """End what moves: the answer is there, or will not come."""
        ...

    def hint(self, text: str) -> None:
        """Show what is not part of the conversation."""
        ...

    def agrees(self, question: str) -> bool:
        """Return whether the person says yes; without a person nobody does."""
        ...

    def closed(self, scout: Scout | None) -> None:
        """Show how the scout stands."""
        ...


def choose(*, as_json: bool) -> View:
    """Return how to talk on the streams that this process has."""
    if as_json:
        return JsonLines()
    if streams.is_terminal(sys.stdin) and streams.is_terminal(sys.stdout):
        return Terminal()
    return Lines()


class Lines:
    """One line of standard input is one message; answers are lines of standard output."""

    patient = False
    as_json = False

    def read(self) -> str | None:
        """Return the next line that is not empty, None at the end.

        A line that is too long to be a message comes in full, and is refused as one.
        """
        if sys.stdin is None or sys.stdin.closed:
            return None
        line = sys.stdin.readline(8 * MAX_MESSAGE)
        return line.rstrip("\r\n") if line else None

    def opened(self, scout: Scout, said: Sequence[ChatMessage]) -> None:
        """Show nothing: who pipes knows."""

    async def see(self, event: ChatEvent) -> None:
        """Write what was said when it is complete, and what was written down."""
        if isinstance(event, ChatFinished):
            streams.put(streams.block(event.text))
        elif isinstance(event, ConfigUpdated):
            for row in noted(event):
                streams.say(f"  {row}")

    def settle(self) -> None:
        """Do nothing: nothing moves."""

    def hint(self, text: str) -> None:
        """Say it beside the data."""
        streams.say(text)

    def agrees(self, question: str) -> bool:  # noqa: ARG002 - the Protocol's
        """Return False: nobody is asked."""
        return False

    def closed(self, scout: Scout | None) -> None:
        """Say what comes next."""
        for row in next_steps(scout):
            streams.say(row)


class JsonLines(Lines):
    """Every event is a line of JSON, and one at the end says how the scout stands."""

    as_json = True

    async def see(self, event: ChatEvent) -> None:
        """Write one event."""
        streams.put_json(event)

    def hint(self, text: str) -> None:
        """Say nothing: a program listens."""

    def closed(self, scout: Scout | None) -> None:
        """Write the scout, and what it still needs."""
        streams.put_json(
            {
                "event": "chat_closed",
                "scout": wishes.shown(scout) if scout else None,
                "missing": missing(scout) if scout else [],
                "complete": scout is not None and not missing(scout),
            }
        )


class Terminal:
    """A person types, with the history of the line editor, and reads along."""

    patient = True
    as_json = False

    def __init__(self) -> None:
        self._console = streams.console(sys.stdout)
        self._begun = False
        self._waiting: Status | None = None

    def read(self) -> str | None:
        """Ask for a message; pasted lines are one. None for Ctrl-D."""
        with suppress(ImportError):
            import readline  # noqa: F401, PLC0415 - gives `input` its history, where there is one
        try:
            rows = [input("you> ")]
            while select.select([sys.stdin], [], [], _PASTE)[0]:
                rows.append(input())
        except EOFError:
            self._console.print()
            return None
        return "\n".join(rows)

    def opened(self, scout: Scout, said: Sequence[ChatMessage]) -> None:
        """Show the end of the earlier conversation, and let the editor know what was typed."""
        self.hint(f"{streams.line(scout.title)}: {standing(scout)}")
        for each in said[-_SHOWN:]:
            who = "you" if each.role == "user" else "scout"
            self.hint(f"{who}> {streams.line(each.content)}")
        with suppress(ImportError):
            import readline  # noqa: PLC0415 - not everywhere

            for each in said:
                if each.role == "user":
                    readline.add_history(streams.line(each.content))

    async def see(self, event: ChatEvent) -> None:
        """Show text as it comes, and what was written down."""
        if isinstance(event, ChatStarted):
            self._waiting = self._console.status("thinking; Ctrl-C stops it")
            self._waiting.start()
            return
        self.settle()
        if isinstance(event, TextDelta):
            if not self._begun:
                self._begun = True
                self._console.print("scout> ", style="bold cyan", end="")
            self._console.print(streams.block(event.text), end="", soft_wrap=True)
        elif isinstance(event, ConfigUpdated):
            self._end_text()
            for row in noted(event):
                self._console.print(f"  {row}", style="green")
        elif isinstance(event, ChatFinished):
            self._end_text()

    def settle(self) -> None:
        """Take the sign of waiting away."""
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

    def hint(self, text: str) -> None:
        """Show it dimly."""
        self.settle()
        self._end_text()
        self._console.print(text, style="dim")

    def agrees(self, question: str) -> bool:
        """Ask."""
        try:
            return click.confirm(question, default=True, err=True)
        except click.Abort:
            return False

    def closed(self, scout: Scout | None) -> None:
        """Show what comes next."""
        for row in next_steps(scout):
            self.hint(row)

    def _end_text(self) -> None:
        if self._begun:
            self._begun = False
            self._console.print()


def noted(event: ConfigUpdated) -> list[str]:
    """Return what was written down, a line for each field."""
    rows = []
    for name, value in event.fields.items():
        if name == "schedule" and event.fields.get("frequency") == value:
            continue
        rows.append(f"{name.replace('_', ' ')}: {_shown(value)}")
    return rows


def standing(scout: Scout) -> str:
    """Return whether a scout runs, rests or is incomplete, in a few words."""
    if lacking := missing(scout):
        return "still needs " + ", ".join(_LABELS[name] for name in lacking)
    return "active" if scout.is_active else "complete, resting"


def next_steps(scout: Scout | None) -> list[str]:
    """Return what a person may type after the conversation."""
    if scout is None:
        return []
    name = str(scout.id)[:8]
    head = f"{streams.line(scout.title)}: {standing(scout)}."
    if missing(scout):
        return [head, f"Go on with: scout chat {name}"]
    if not scout.is_active:
        return [head, f"Activate it with: scout resume {name}"]
    return [head, f"Run it with: scout run {name}"]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        parts = (value.get("city"), value.get("country"))
        told = ", ".join(part for part in parts if isinstance(part, str))
        return streams.line("anywhere" if told == "any" else told)
    if isinstance(value, list):
        return streams.line("; ".join(map(str, value)))
    return streams.line(str(value))
