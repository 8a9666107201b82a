"""The Retry-After header, which pages and receivers of news alike may send."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds(text: str, *, longest: float) -> float | None:
    """Read a Retry-After header: seconds or a date (RFC 9110, section 10.2.3).

    Args:
        text: its value, empty when there was none.
        longest: seconds beyond which nobody waits.

    Returns:
        Seconds from now, 0 for the past; None for what is neither.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), longest)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), longest)
