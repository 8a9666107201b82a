"""ntfy: `ntfy://ntfy.sh/topic`, or `ntfy+http://host:port/topic` for a server of one's own.

Published as JSON, never as headers: those cannot hold every letter. ntfy keeps no ids, so that a
message may come twice after a crash.

Source: https://docs.ntfy.sh/publish/#publish-as-json
"""

from __future__ import annotations

import base64
import re
from typing import Any

from msgspec import Struct

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.core.news import Delivery, Notice
from scout_cli.core.ports import Promise
from scout_cli.errors import ConfigError, InvalidInput
from scout_cli.notify import ChannelSettings, address, plain
from scout_cli.notify.fitting import Block, fit
from scout_cli.notify.posting import Answer, Committing, post, verdict
from scout_cli.notify.safe import cut, line, safe

_EXAMPLE = "ntfy://ntfy.sh/my-topic"
_TOPIC = re.compile(r"/([-_A-Za-z0-9]{1,64})/?")
_ROOM = 4_000
"""Bytes of a message; ntfy turns one of more than 4,096 into an attachment."""
_LONGEST_TEXT = 600
_LONGEST_BLOCK = 2_000
_TAGS = {"news": "mag", "test": "wave", "heartbeat": "green_heart"}


class _Said(Struct, frozen=True, kw_only=True):
    """An answer. Other fields are let through: ntfy adds some with its releases."""

    id: str = ""
    error: str = ""


class Target(Record, frozen=True, kw_only=True):
    """A topic that was read."""

    url: str
    host: str
    topic: str
    authorization: str = ""
    secret: str = ""
    """What must not be shown when the server repeats it."""

    @property
    def name(self) -> str:
        """Return host and topic."""
        return f"ntfy {self.host}/{self.topic}"

    def open(self, settings: ChannelSettings) -> NtfyChannel:
        """Return the channel."""
        return NtfyChannel(self, settings)


def read(url: str) -> Target:
    """Read `ntfy://host/topic`; a token or `user:password` may stand before the host.

    Raises:
        ConfigError: it cannot be used.
    """
    where = address.read(url, example=_EXAMPLE)
    topic = _TOPIC.fullmatch(where.path)
    if topic is None:
        raise ConfigError("notify: ntfy: the topic is missing", hint=f"For example: {_EXAMPLE}")
    scheme = "http" if where.scheme == "ntfy+http" else "https"
    return Target(
        url=f"{scheme}://{where.netloc}/",
        host=where.netloc,
        topic=topic[1],
        authorization=_authorization(where),
        secret=where.password or where.user,
    )


class NtfyChannel:
    """One topic.

    Args:
        target: where it is.
        settings: sessions and time limit.
    """

    promise: Promise = "at_least_once"
    pause = 0.0

    def __init__(self, target: Target, settings: ChannelSettings) -> None:
        self._target = target
        self._settings = settings
        self.name = target.name

    async def send(self, notice: Notice, committing: Committing) -> Delivery:
        """Publish one message."""
        granted = self._target.authorization
        headers = {"Authorization": granted} if granted else {}
        body = shape.encode(message(notice, self._target.topic))
        answer = await post(self._settings, self._target.url, body, headers, committing)
        return self._told(answer)

    async def close(self) -> None:
        """Have nothing to close: the sessions are their owner's."""

    def _told(self, answer: Answer) -> Delivery:
        said = _said(answer)
        words = line(said.error, 150)
        if self._target.secret:
            words = words.replace(self._target.secret, "***")
        result = verdict(answer, self._target.host, said=words)
        if result.outcome == "sent" and not said.id:
            detail = f"{self._target.host} answered something that is not ntfy's"
            return Delivery(outcome="retry", detail=detail)
        return Delivery(
            outcome=result.outcome,
            detail=result.detail,
            provider_id=line(said.id, 64) if result.outcome == "sent" else "",
            retry_after=result.retry_after,
        )


def message(notice: Notice, topic: str) -> dict[str, Any]:
    """Return what is published: plain text, the first link to click on."""
    told = safe(notice)
    first = next((link.url for news in told.news for item in news.items for link in item.links), "")
    blocks = [_block(rows) for rows in plain.blocks(told)]
    whole = {
        "topic": topic,
        "title": told.subject,
        "message": fit(blocks, _ROOM, size=_bytes, gap="\n"),
        "tags": [_TAGS.get(told.kind, "warning")],
        "markdown": False,
    }
    return whole | ({"click": first} if first else {})


def _block(rows: list[str]) -> Block:
    text, *proofs = rows
    room = _LONGEST_BLOCK - _bytes(text := cut(text, _LONGEST_TEXT))
    shown = [proof for proof in proofs if (room := room - _bytes(proof) - 1) >= 0]
    whole = "\n".join([text, *shown])
    return Block(text=whole, size=_bytes(whole), items=int(text.startswith("- ")))


def _bytes(text: str) -> int:
    return len(text.encode())


def _said(answer: Answer) -> _Said:
    try:
        return shape.decode(answer.body, _Said, what="the answer")
    except InvalidInput:
        return _Said()


def _authorization(where: address.Address) -> str:
    token = where.password if not where.user else where.user if not where.password else ""
    if token:
        return f"Bearer {token}"
    if where.user:
        pair = f"{where.user}:{where.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    return ""
