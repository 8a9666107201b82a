"""What a worker says: a line when a run ends, or an event on a line of its own as JSON."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from scout_cli.cli import streams, times
from scout_cli.cli.streams import ExitCode
from scout_cli.core.events import Event
from scout_cli.core.models import Execution
from scout_cli.errors import ScoutError
from scout_cli.service.listener import Ended
from scout_cli.service.scheduler import Planned

_FINE = {"new", "nothing_new", "degraded", "given_back"}


class Teller:
    """Hears a worker and prints.

    Args:
        as_json: print JSON Lines.
        quiet: print only what went wrong.
    """

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self.ended_badly = 0
        self.runs = 0

    async def planned(self, planned: Planned) -> None:
        """Say what a look at the clock found, if it found anything."""
        if self._as_json:
            if planned != Planned():
                streams.put_json({"event": "planned", **_fields(planned)})
        elif planned.taken_back:
            streams.say(f"taken back from workers that went away: {planned.taken_back}")

    async def started(self, execution: Execution, title: str) -> None:
        """Say that a run begins."""
        if self._as_json:
            streams.put_json(_about("started", execution, title))

    async def event(self, execution: Execution, event: Event) -> None:
        """Pass over what agents say: `scout history --steps` keeps it."""

    async def ended(self, ended: Ended) -> None:
        """Say how a run ended."""
        self.runs += 1
        fine = ended.outcome in _FINE
        self.ended_badly += not fine
        if self._as_json:
            about = _about("ended", ended.execution, ended.title)
            more = {"outcome": ended.outcome, "message": ended.message, "seconds": ended.seconds}
            streams.put_json({**about, **more})
        elif not (self._quiet and fine):
            why = f": {ended.message}" if ended.message else ""
            outcome = ended.outcome.replace("_", " ")
            took = times.lasted(ended.seconds)
            name = str(ended.execution.scout_id)[:8]
            streams.put(f"{name}  {streams.line(f'{ended.title}: {outcome}{why}')}  ({took})")
            streams.flush()

    async def trouble(self, error: ScoutError) -> None:
        """Say what is tried again."""
        streams.error(error.message, "scout tries again", code=error.code, as_json=self._as_json)


async def until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Do `work` until it is done or a signal says stop; a second signal ends the process at once.

    Args:
        work: receives the event that the first signal sets.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(ExitCode.INTERRUPTED)
        stop.set()
        streams.say("stopping: what runs may finish; once more ends at once")

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await work(stop)


def _about(event: str, execution: Execution, title: str) -> dict[str, Any]:
    return {
        "event": event,
        "execution_id": execution.id,
        "scout_id": execution.scout_id,
        "title": title,
        "slot_at": execution.slot_at,
        "attempt": execution.attempt,
    }


def _fields(planned: Planned) -> dict[str, int]:
    return {name: getattr(planned, name) for name in planned.__struct_fields__}
