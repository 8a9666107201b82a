"""What one page sent, received and was refused on its way through the proxy."""

from __future__ import annotations

from typing import Literal

from scout_cli.core.models import Record

_KEPT = 100
"""Refusals that are kept; the others are only counted."""


class Denial(Record, frozen=True, kw_only=True):
    """A request of a page that led nowhere."""

    host: str
    """As the page named it: never an address that a name led to."""
    kind: Literal["refused", "failed"]
    reason: str


class Spent(Exception):
    """The page has used up what one page may use."""


class Traffic:
    """The account of one page.

    Args:
        requests: connections that a page may open.
        received: bytes that it may receive, all connections together.
        sent: bytes that it may send.
    """

    def __init__(
        self,
        *,
        requests: int = 1_000,
        received: int = 32 * 1024 * 1024,
        sent: int = 2 * 1024 * 1024,
    ) -> None:
        self._most = (requests, received, sent)
        self.requests = 0
        self.received = 0
        self.sent = 0
        self.refused = 0
        """How many requests the guard refused."""
        self.spent = ""
        """What ran out, empty while nothing did."""
        self.denials: list[Denial] = []

    def count_request(self) -> None:
        """Count a connection.

        Raises:
            Spent: it is one too many.
        """
        self.requests += 1
        if self.requests > self._most[0]:
            self._end(f"it asked for more than {self._most[0]:,} things")

    def count_received(self, size: int) -> None:
        """Count bytes that came.

        Raises:
            Spent: they are too many.
        """
        self.received += size
        if self.received > self._most[1]:
            self._end(f"it loads more than {self._most[1] // 1024 // 1024} MiB")

    def count_sent(self, size: int) -> None:
        """Count bytes that went.

        Raises:
            Spent: they are too many.
        """
        self.sent += size
        if self.sent > self._most[2]:
            self._end(f"it sends more than {self._most[2] // 1024 // 1024} MiB")

    def refuse(self, host: str, reason: str) -> None:
        """Note that the guard refused to connect to `host`."""
        self.refused += 1
        self._note(Denial(host=host, kind="refused", reason=reason))

    def fail(self, host: str, reason: str) -> None:
        """Note that `host` could not be reached."""
        self._note(Denial(host=host, kind="failed", reason=reason))

    def about(self, host: str) -> Denial | None:
        """Return the last denial of a request to `host`, None when it had none."""
        return next((one for one in reversed(self.denials) if one.host == host), None)

    def _note(self, denial: Denial) -> None:
        if len(self.denials) < _KEPT:
            self.denials.append(denial)

    def _end(self, why: str) -> None:
        self.spent = self.spent or why
        raise Spent(why)
