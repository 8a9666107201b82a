"""What people are told: a message made of a run's news, and what became of sending it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from scout_cli.core.models import Record

MessageKind = Literal["news", "paused", "late", "heartbeat", "channel_lost", "test"]
"""`news` is what scouts are for; the others are about scout itself and never wait in a digest."""

OutboxState = Literal["pending", "sending", "sent", "dead", "unknown", "held"]
"""`unknown` may or may not have arrived, `dead` was given up, `held` waits for a person."""

DeliveryOutcome = Literal["sent", "retry", "refused", "gone"]
"""`refused` will never be taken (a 4xx); `gone` means that the channel itself is no more."""


class Link(Record, frozen=True, kw_only=True):
    """A page that proves a line."""

    number: int
    """As the brief cites it: [S3]."""
    url: str
    """http or https, checked."""
    title: str
    host: str


class NewsItem(Record, frozen=True, kw_only=True):
    """One line of news and the pages that prove it. Plain text, nothing in it is markup."""

    text: str
    links: tuple[Link, ...] = ()
    possible_repeat: bool = False


class News(Record, frozen=True, kw_only=True):
    """What one run of one scout, or scout itself, has to say."""

    scout_id: UUID | None = None
    execution_id: UUID | None = None
    title: str
    """The scout's title."""
    summary: str = ""
    """One sentence of at most 150 characters."""
    items: tuple[NewsItem, ...] = ()
    finding_ids: tuple[UUID, ...] = ()
    repeats: int = 0
    """Facts that were found again and kept in silence."""
    unread: int = 0
    """Pages that could not be read."""
    at: datetime


class Notice(Record, frozen=True, kw_only=True):
    """One message to one channel: the news of one run, or of several in a digest.

    Everything in it is untrusted text: titles come from people, lines from models and pages. An
    adapter escapes for its own format and sends no markup of theirs.
    """

    id: str
    """Stable over every attempt: hex and dashes, at most 64 characters. A receiver that keeps the
    ids it has seen is told once."""
    kind: MessageKind
    subject: str
    """One line of at most 150 characters."""
    news: tuple[News, ...]
    created_at: datetime


class Delivery(Record, frozen=True, kw_only=True):
    """What became of one attempt to send."""

    outcome: DeliveryOutcome
    detail: str = ""
    """What happened, one line, without secrets."""
    provider_id: str = ""
    """The receiver's own name for the message, when it gave one."""
    retry_after: float | None = None
    """Seconds, when the receiver named them."""
