"""Failures of an answer whose status has been sent: the stream itself tells of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from scout_cli.errors import ScoutError
from scout_cli.server.middleware import LOG


async def in_stream(
    work: Awaitable[object], trouble: Callable[[str], Awaitable[object]], failed: str
) -> None:
    """Do `work`, and tell in the stream what goes wrong with it.

    Args:
        work: writes the answer.
        trouble: writes a message into the stream.
        failed: what the log says of a fault of scout's own.

    Raises:
        ConnectionError: whoever asked has gone.
    """
    try:
        await work
    except ScoutError as error:
        await trouble(error.message)
    except ConnectionError:
        raise
    except Exception:  # noqa: BLE001 - logged with its traceback, and told in the stream
        LOG.exception(failed)
        await trouble("something went wrong that is scout's own fault")
