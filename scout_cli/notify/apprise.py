"""Every other scheme, through Apprise: its hundred services, with less known about each.

Apprise says only whether it worked, so that every failure counts as one to retry, and it keeps no
ids. Its log names what it sends to, secrets included in places, and is silenced.

Source: https://github.com/caronc/apprise/wiki/Development_API
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import apprise

from scout_cli.core.models import Record
from scout_cli.core.news import Delivery, Notice
from scout_cli.core.ports import Promise
from scout_cli.errors import ConfigError
from scout_cli.notify import ChannelSettings, address
from scout_cli.notify.plain import plain
from scout_cli.notify.safe import safe

_EXAMPLE = "slack://... as https://github.com/caronc/apprise/wiki writes it"
_DEADLINE = 60.0


class Target(Record, frozen=True, kw_only=True):
    """A URL of Apprise's that was read."""

    url: str
    scheme: str

    @property
    def name(self) -> str:
        """Return the scheme, and that Apprise has it."""
        return f"{self.scheme} (through Apprise)"

    def open(self, settings: ChannelSettings) -> AppriseChannel:  # noqa: ARG002 - needs none
        """Return the channel."""
        return AppriseChannel(self)


def read(url: str) -> Target:
    """Read a URL that Apprise knows.

    Raises:
        ConfigError: Apprise does not know it, or it is incomplete.
    """
    address.plain(url, _EXAMPLE)
    scheme = url.partition(":")[0].lower()
    _silence()
    if apprise.Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True) is None:
        raise ConfigError(
            f"notify: Apprise cannot use this {scheme}:// URL", hint=f"For example: {_EXAMPLE}"
        )
    return Target(url=url, scheme=scheme)


class AppriseChannel:
    """One service.

    Args:
        target: the URL.
        deadline: seconds for one message; a thread that is still at it then is left to itself.
    """

    promise: Promise = "at_least_once"
    pause = 0.0

    def __init__(self, target: Target, *, deadline: float = _DEADLINE) -> None:
        self._target = target
        self._deadline = deadline
        self.name = target.name

    async def send(self, notice: Notice, committing: Callable[[], Awaitable[None]]) -> Delivery:
        """Hand one message to Apprise, as plain text."""
        told = safe(notice)
        service = apprise.Apprise(asset=_asset())
        if not service.add(self._target.url):
            return Delivery(outcome="refused", detail=f"{self.name}: the URL cannot be used")
        await committing()
        try:
            async with asyncio.timeout(self._deadline):
                worked = await _in_thread(lambda: _notify(service, told))
        except TimeoutError:
            detail = f"{self.name} did not finish within {self._deadline:g} s"
            return Delivery(outcome="retry", detail=detail)
        if not worked:
            return Delivery(outcome="retry", detail=f"{self.name} did not work; it says no more")
        return Delivery(outcome="sent")

    async def close(self) -> None:
        """Have nothing to close."""


def _notify(service: Any, told: Notice) -> bool:
    text = apprise.NotifyFormat.TEXT
    return bool(service.notify(body=plain(told), title=told.subject, body_format=text))


async def _in_thread(work: Callable[[], bool]) -> bool:
    """Run `work` in a daemon thread; unlike a thread pool's, it never delays the exit."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bool] = loop.create_future()

    def settle(worked: bool) -> None:  # noqa: FBT001 - the result itself
        if not done.done():
            done.set_result(worked)

    def run() -> None:
        try:
            worked = work()
        except Exception:  # noqa: BLE001 - a plug-in may raise anything; it did not work
            worked = False
        try:
            loop.call_soon_threadsafe(settle, worked)
        except RuntimeError:
            return  # the loop has ended meanwhile

    threading.Thread(target=run, name="apprise", daemon=True).start()
    return await done


def _asset() -> Any:
    return apprise.AppriseAsset(app_id="scout", app_desc="scout", async_mode=False)


def _silence() -> None:
    # urllib3, which Apprise asks with, logs the addresses asked.
    for name in ("apprise", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
