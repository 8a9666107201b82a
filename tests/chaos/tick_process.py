"""The real `scout` command line, with the harbours of `world` as its outside.

`python -m tests.chaos.tick_process tick --json` is what cron would start.
"""

from __future__ import annotations

from typing import Any

from scout_cli.app import App
from scout_cli.cli import scout
from scout_cli.service.kit import Kit
from scout_cli.store import takeover
from tests.chaos import world

DELAY = 0.1
"""Seconds before each answer of search engine and web, so that a kill finds somebody at work."""


class HarbourApp(App):
    """The app in a world of harbours."""

    async def kit(self) -> Kit:
        """Return the built-in engine and the harbours."""
        return world.kit(DELAY)


def main() -> None:
    """Run `scout`; a run may lose its process as often as it will, as none of them is to blame."""
    takeover.MAX_CRASHES = 10_000
    extra: dict[str, Any] = {"obj": HarbourApp.open}
    scout.main(**extra)


if __name__ == "__main__":
    main()
