"""What a channel's server answers, and what that means for the message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from scout_cli.core.models import Record
from scout_cli.core.news import Delivery, DeliveryOutcome
from scout_cli.notify import ChannelSettings

Committing = Callable[[], Awaitable[None]]

_RETRY = frozenset({408, 425, 429})
_FOR_EVER = frozenset({301, 308})


class Answer(Record, frozen=True, kw_only=True):
    """What a server said, or why nothing can be known of it."""

    status: int = 0
    """0 when there was no answer."""
    body: bytes = b""
    """The first 64 KiB."""
    retry_after: float | None = None
    failure: Delivery | None = None
    """Set when there was no answer."""


async def post(
    settings: ChannelSettings,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    committing: Committing,
) -> Answer:
    """Send one request, once; failures of the far side are answers.

    Args:
        settings: sessions and time limit.
        url: where to; checked by the guard.
        body: JSON, UTF-8.
        headers: besides those of the body.
        committing: awaited when connected and before the body leaves; what it raises is raised.
    """
    # Here, because reading a URL, which every command may do, needs no HTTP.
    from scout_cli.notify.exchange import Post  # noqa: PLC0415 - see above

    return await Post(settings, url, body, headers).send(committing)


def verdict(answer: Answer, host: str, *, said: str = "") -> Delivery:
    """Return what an answer means by its status (RFC 9110), for a receiver without other rules.

    Args:
        answer: of a `Post`.
        host: who answered, for people.
        said: the server's own words, cleaned.
    """
    if answer.failure is not None:
        return answer.failure
    outcome = _outcome(answer.status)
    words = f": {said}" if said else ""
    return Delivery(
        outcome=outcome,
        detail="" if outcome == "sent" else f"{host} answered HTTP {answer.status}{words}",
        retry_after=answer.retry_after if outcome == "retry" else None,
    )


def _outcome(status: int) -> DeliveryOutcome:
    if 200 <= status < 300:
        return "sent"
    if status == 410:
        return "gone"
    # A redirect that is not for ever may be a server in repair; it is not followed either way.
    lasting = status in _FOR_EVER or 400 <= status < 500
    return "refused" if lasting and status not in _RETRY else "retry"
