"""`console://`: the plain text, given to a writer; for terminals and tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from scout_cli.core.models import Record
from scout_cli.core.news import Delivery, Notice
from scout_cli.core.ports import Promise
from scout_cli.errors import ConfigError
from scout_cli.notify import ChannelSettings
from scout_cli.notify.plain import plain
from scout_cli.notify.safe import safe


class Target(Record, frozen=True, kw_only=True):
    """The console."""

    name: str = "console"

    def open(self, settings: ChannelSettings) -> ConsoleChannel:
        """Return the channel.

        Raises:
            ConfigError: there is nothing to write to.
        """
        if settings.write is None:
            raise ConfigError(
                "notify: console:// has no terminal here", hint="use another channel, as ntfy://"
            )
        return ConsoleChannel(settings.write)


def read(url: str) -> Target:
    """Read `console://`.

    Raises:
        ConfigError: something follows the scheme.
    """
    if url.lower() != "console://":
        raise ConfigError("notify: console: takes nothing", hint="For example: console://")
    return Target()


class ConsoleChannel:
    """A writer of lines.

    Args:
        write: takes the text of one message.
    """

    name = "console"
    promise: Promise = "at_least_once"
    pause = 0.0

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    async def send(self, notice: Notice, committing: Callable[[], Awaitable[None]]) -> Delivery:
        """Write one message."""
        told = safe(notice)
        await committing()
        try:
            self._write(f"{told.subject}\n\n{plain(told)}\n")
        except (OSError, ValueError) as error:
            return Delivery(outcome="retry", detail=f"cannot write: {type(error).__name__}")
        return Delivery(outcome="sent")

    async def close(self) -> None:
        """Leave the writer to its owner."""
