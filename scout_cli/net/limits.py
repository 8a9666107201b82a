"""The bounds of one HTTP request."""

from __future__ import annotations

from msgspec import field

from scout_cli.core.models import Record


class Limits(Record, frozen=True, kw_only=True):
    """Bounds of one request, redirects included. Times are seconds, sizes are bytes."""

    connect: float = 5.0
    """To open one connection."""
    headers: float = 15.0
    """From the start of one hop, name look-up included, to the end of the answer's headers."""
    idle: float = 10.0
    """Without a byte of the body."""
    total: float = 30.0
    """For all hops and the body; waiting for the host's turn does not count."""
    size: int = 5 * 1024 * 1024
    """Of the decoded body."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Other sizes for single media types, such as `application/pdf`."""
    error_size: int = 256 * 1024
    """Of the body of an answer with a status of 400 or more; what is beyond is not read."""
    cut: int | None = None
    """Read no more than so much of any body, and take what came; None refuses what is too large."""
    ratio: int = 100
    """Decoded bytes per received byte, beyond the first megabyte."""
    redirects: int = 5
    wait: float = 5.0
    """Longest Retry-After that is waited for; a longer one fails the request at once."""

    def size_of(self, media_type: str) -> int:
        """Return the allowed size of a body of this type."""
        return self.sizes.get(media_type, self.size)
