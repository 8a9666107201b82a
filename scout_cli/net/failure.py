"""The one way in which a fetch fails."""

from __future__ import annotations

from typing import Literal

from scout_cli.errors import ScoutError

Kind = Literal[
    "refused",
    "robots",
    "unreachable",
    "timeout",
    "redirects",
    "too_large",
    "garbled",
    "asked_to_wait",
]
"""What went wrong: `robots` is a page that its site lets no program read, `garbled` an answer that
is not HTTP or cannot be decompressed, `asked_to_wait` a host that named a time (Retry-After) longer
than we wait."""


class FetchFailed(ScoutError):
    """A URL could not be fetched.

    Args:
        kind: what went wrong, for programs.
        detail: the same for people, one line.
        hint: what may help.
        status: the HTTP status, when one was received.
        final_url: the URL of the hop that failed.
        wait: seconds the host asked us to wait, when it did.
    """

    code = "fetch_failed"

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        hint: str = "",
        status: int | None = None,
        final_url: str = "",
        wait: float | None = None,
    ) -> None:
        super().__init__(detail, hint=hint)
        self.kind = kind
        self.status = status
        self.final_url = final_url
        self.wait = wait
