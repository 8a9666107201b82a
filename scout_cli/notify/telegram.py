"""Telegram: `tgram://BOT_TOKEN/CHAT_ID`, by `sendMessage` of the Bot API.

Telegram keeps no ids: after a crash a message may come twice, and the short id at its end lets a
person see that. The token is part of the address asked, so no address is ever repeated.

Source: https://core.telegram.org/bots/api#sendmessage and #html-style
"""

from __future__ import annotations

import re
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.core.news import Delivery, NewsItem, Notice
from scout_cli.core.ports import Promise
from scout_cli.errors import ConfigError, InvalidInput
from scout_cli.notify import ChannelSettings, address
from scout_cli.notify.fitting import Block, fit
from scout_cli.notify.letter import anchor
from scout_cli.notify.outline import REPEAT, Group, groups
from scout_cli.notify.posting import Answer, Committing, post, verdict
from scout_cli.notify.safe import cut, line, safe

_EXAMPLE = "tgram://123456:ABC-DEF.../-1001234567890"
_URL = re.compile(
    r"tgram://(?P<token>[0-9]{3,20}:[A-Za-z0-9_-]{10,100})/(?P<chat>-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64})/?",
    re.IGNORECASE,
)
_ROOM = 4_096
"""UTF-16 code units of a message, counted after the markup is read."""
_LONGEST_TEXT = 1_000
_MOST_LINKS = 5
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class _Parameters(Struct, frozen=True, kw_only=True):
    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class _Result(Struct, frozen=True, kw_only=True):
    message_id: int = 0


class _Said(Struct, frozen=True, kw_only=True):
    """An answer. Other fields are let through: the Bot API adds some with its releases."""

    ok: bool = False
    result: _Result | None = None
    description: str = ""
    parameters: _Parameters = _Parameters()


class Target(Record, frozen=True, kw_only=True):
    """A chat that was read."""

    token: str
    chat: str

    @property
    def name(self) -> str:
        """Return the chat, without the token."""
        return f"telegram {self.chat}"

    def open(self, settings: ChannelSettings) -> TelegramChannel:
        """Return the channel."""
        return TelegramChannel(self, settings)


def read(url: str) -> Target:
    """Read `tgram://BOT_TOKEN/CHAT_ID`.

    Raises:
        ConfigError: it cannot be used.
    """
    address.plain(url, _EXAMPLE)
    found = _URL.fullmatch(unquote(url))
    if found is None:
        raise ConfigError(
            "notify: tgram: not a bot's token and a chat", hint=f"For example: {_EXAMPLE}"
        )
    return Target(token=found["token"], chat=found["chat"])


class TelegramChannel:
    """One chat.

    Args:
        target: bot and chat.
        settings: sessions, time limit and the root of the API.
    """

    promise: Promise = "at_least_once"
    pause = 1.0

    def __init__(self, target: Target, settings: ChannelSettings) -> None:
        self._target = target
        self._settings = settings
        self.name = target.name

    async def send(self, notice: Notice, committing: Committing) -> Delivery:
        """Send one message."""
        body = shape.encode(message(notice, self._target.chat))
        root = self._settings.telegram_api.rstrip("/")
        url = f"{root}/bot{self._target.token}/sendMessage"
        answer = await post(self._settings, url, body, {}, committing)
        return self._told(answer, urlsplit(root).netloc)

    async def close(self) -> None:
        """Have nothing to close: the sessions are their owner's."""

    def _told(self, answer: Answer, host: str) -> Delivery:
        said = _said(answer)
        result = verdict(answer, host, said=self._words(said))
        if answer.failure is not None or result.outcome == "retry":
            wait = said.parameters.retry_after or result.retry_after
            return Delivery(outcome=result.outcome, detail=result.detail, retry_after=wait)
        if result.outcome == "sent":
            if not said.ok or said.result is None:
                return Delivery(
                    outcome="retry", detail=f"{host} answered something that is not Telegram's"
                )
            return Delivery(outcome="sent", provider_id=str(said.result.message_id))
        # The token is no more (401), or never was (404).
        gone = answer.status in (401, 404)
        return Delivery(outcome="gone" if gone else result.outcome, detail=result.detail)

    def _words(self, said: _Said) -> str:
        moved = said.parameters.migrate_to_chat_id
        told = line(said.description, 200).replace(self._target.token, "***")
        return f"{told} (the chat is now {moved})" if moved else told


def message(notice: Notice, chat: str) -> dict[str, Any]:
    """Return what is sent: escaped HTML that fits into one message."""
    told = safe(notice)
    footer = f"#{short_id(notice.id)}"
    blocks = [_block(f"<b>{escape(told.subject)}</b>", told.subject)]
    shown = groups(told)
    for group in shown:
        headed = len(shown) > 1 or group.title != told.subject
        blocks += _group(group, headed=headed)
    room = _ROOM - _units(f"\n\n{footer}")
    return {
        "chat_id": chat,
        "text": f"{fit(blocks, room, size=_units)}\n\n{footer}",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }


def short_id(notice_id: str) -> str:
    """Return five letters and digits by which a person recognises a message."""
    number = int.from_bytes(sha256(notice_id.encode()).digest()[:5], "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(0, 25, 5))


def _group(group: Group, *, headed: bool) -> list[Block]:
    blocks = (
        [_block(f"<b>{escape(group.title)}</b>", group.title)] if headed and group.title else []
    )
    for part in group.parts:
        head = ": ".join(text for text in (part.day, part.summary) if text)
        blocks += [_block(escape(head), head)] if head else []
        blocks += map(_item, part.items)
        remarks = " ".join(part.remarks)
        blocks += [_block(f"<i>{remarks}</i>", remarks)] if remarks else []
    return blocks


def _item(item: NewsItem) -> Block:
    label = REPEAT if item.possible_repeat else ""
    text = f"• {label}{cut(item.text, _LONGEST_TEXT)}"
    links = item.links[:_MOST_LINKS]
    hosts = [cut(link.host, 60) for link in links]
    others = len(item.links) - len(links)
    also = f" and {others} more" if others else ""
    html = ", ".join(anchor(link, host) for link, host in zip(links, hosts, strict=True))
    by, plainly = (f" ({html}{also})", f" ({', '.join(hosts)}{also})") if links else ("", "")
    return Block(text=escape(text) + by, size=_units(text + plainly), items=1)


def _block(html: str, text: str) -> Block:
    return Block(text=html, size=_units(text))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _said(answer: Answer) -> _Said:
    try:
        return shape.decode(answer.body, _Said, what="the answer")
    except InvalidInput:
        return _Said()
