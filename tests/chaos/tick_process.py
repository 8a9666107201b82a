"""The real `scout` command line, with the harbours of `world` as its outside.

`python -m tests.chaos.tick_process tick --json` is what cron would start.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from scout_cli.app import App
from scout_cli.cli import scout
from scout_cli.service.deliveries import Deliveries
from scout_cli.service.kit import Kit
from scout_cli.store import queue
from tests.chaos import world

DELAY = 0.1
"""Seconds before each answer of search engine and web, so that a kill finds somebody at work."""


class HarbourApp(App):
    """The app in a world of harbours, as impatient with channels as it is with runs."""

    async def kit(self) -> Kit:
        """Return the built-in engine and the harbours."""
        return world.kit(DELAY)

    async def deliveries(self, write: Callable[[str], object] | None = None) -> Deliveries:
        """Return what sends messages, with the lease of the settings."""
        made = await super().deliveries(write)
        made._rules = replace(made._rules, lease=timedelta(seconds=self.settings.lease))
        return made


def main() -> None:
    """Run `scout`; a run may lose its process as often as it will, as none of them is to blame."""
    queue.MAX_CRASHES = 10_000
    extra: dict[str, Any] = {"obj": HarbourApp.open}
    scout.main(**extra)


if __name__ == "__main__":
    main()
