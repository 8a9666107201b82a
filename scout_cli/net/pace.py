"""Courtesy: how often and how many at once one host is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

_MAX_HOSTS = 1_024


class _Host:
    def __init__(self, per_host: int, spacing: float) -> None:
        self.slots = asyncio.Semaphore(per_host)
        self.spacing = spacing
        self.users = 0
        self.free_at = 0.0
        """The moment, in monotonic seconds, from which the next request may start."""
        self.held = False
        """The host itself asked for the wait."""


class Pace:
    """Keeps requests to one host few and apart.

    Args:
        per_host: requests at the same time.
        spacing: seconds between the starts of two requests, where a host asks for no more.
    """

    def __init__(self, *, per_host: int, spacing: float) -> None:
        self._per_host = per_host
        self._spacing = spacing
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait until `host` may be asked, and hold one of its places."""
        entry = self._entry(host)
        entry.users += 1
        try:
            async with entry.slots:
                start = max(monotonic(), entry.free_at)
                entry.free_at = start + entry.spacing
                entry.held = False
                if (early := start - monotonic()) > 0:
                    await asyncio.sleep(early)
                yield
        finally:
            entry.users -= 1

    def space(self, host: str, seconds: float) -> None:
        """Start the requests to `host` at least `seconds` apart from now on."""
        self._entry(host).spacing = max(self._spacing, seconds)

    def spacing(self, host: str) -> float:
        """Return the seconds between the starts of two requests to `host`."""
        entry = self._hosts.get(host)
        return entry.spacing if entry is not None else self._spacing

    def hold_back(self, host: str, seconds: float) -> None:
        """Remember that `host` asked for `seconds` of silence."""
        entry = self._entry(host)
        entry.free_at = max(entry.free_at, monotonic() + seconds)
        entry.held = True

    def silence(self, host: str) -> float:
        """Return the seconds of silence that `host` asked for and that are still to come."""
        entry = self._hosts.get(host)
        return max(0.0, entry.free_at - monotonic()) if entry is not None and entry.held else 0.0

    def _entry(self, host: str) -> _Host:
        if len(self._hosts) >= _MAX_HOSTS and host not in self._hosts:
            self._forget()
        return self._hosts.setdefault(host, _Host(self._per_host, self._spacing))

    def _forget(self) -> None:
        now = monotonic()
        idle = [h for h, entry in self._hosts.items() if not entry.users and entry.free_at <= now]
        for host in idle:
            del self._hosts[host]
