"""Ways to tell somebody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

from scout_cli.core.news import Delivery, Notice

Promise = Literal["once", "at_least_once"]
"""What may be claimed of a channel after a crash between sending and noting it: `once` for a
receiver that keeps the ids it has seen, else the message may come a second time."""


class Channel(Protocol):
    """A way to tell somebody. One is opened for a URL, used for some messages, and closed."""

    @property
    def name(self) -> str:
        """Return what people may see of the channel, such as `ntfy ntfy.sh/my-topic`: no secret."""
        ...

    @property
    def promise(self) -> Promise:
        """Return what may be claimed of it."""
        ...

    @property
    def pause(self) -> float:
        """Return the seconds to wait between two messages; 0 for none."""
        ...

    async def send(self, notice: Notice, committing: Callable[[], Awaitable[None]]) -> Delivery:
        """Send one message; every failure of the far side is an outcome, none is raised.

        Args:
            notice: what to say.
            committing: awaited once, right before the first byte after which the message may have
                arrived; whoever raises there stops the sending. Connecting, logging in and naming
                recipients come before it. When it was not awaited, the message was not sent.
        """
        ...

    async def close(self) -> None:
        """Give back connections. Closing twice is harmless."""
        ...
