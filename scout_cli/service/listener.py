"""Who hears what a worker does: a terminal, a log, the server."""

from __future__ import annotations

from typing import Protocol

from scout_cli.core.events import Event
from scout_cli.core.models import Execution, Record
from scout_cli.errors import ScoutError
from scout_cli.service.scheduler import Planned


class Ended(Record, frozen=True, kw_only=True):
    """How one execution left this worker."""

    execution: Execution
    title: str
    outcome: str
    """An `Outcome`, `later` for one that is tried again, `given_back`, `lost` or `failed`."""
    message: str = ""
    seconds: float = 0.0


class Listener(Protocol):
    """Hears what a worker does."""

    async def planned(self, planned: Planned) -> None:
        """The clock was looked at."""
        ...

    async def started(self, execution: Execution, title: str) -> None:
        """An execution begins."""
        ...

    async def event(self, execution: Execution, event: Event) -> None:
        """An agent said something."""
        ...

    async def ended(self, ended: Ended) -> None:
        """An execution left this worker."""
        ...

    async def trouble(self, error: ScoutError) -> None:
        """Something outside a run could not be done; it is tried again."""
        ...
