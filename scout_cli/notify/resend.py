"""E-mail by HTTP: `resend://KEY@api.resend.com?to=me@example.org`, and services built alike.

The service keeps ids (`Idempotency-Key`) for 24 hours, so that a message comes once as long as
all its attempts fall within 23; whoever retries for longer must hold it instead.

Source: https://resend.com/docs/api-reference/emails/send-email and
https://resend.com/docs/dashboard/emails/idempotency-keys
"""

from __future__ import annotations

from email.headerregistry import Address as Mailbox

from msgspec import Struct

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.core.news import Delivery, Notice
from scout_cli.core.ports import Promise
from scout_cli.errors import ConfigError, InvalidInput
from scout_cli.notify import ChannelSettings, address
from scout_cli.notify.letter import letter
from scout_cli.notify.mailbox import mailbox
from scout_cli.notify.message import list_headers
from scout_cli.notify.plain import plain
from scout_cli.notify.posting import Answer, Committing, post, verdict
from scout_cli.notify.safe import line, safe

_EXAMPLE = "resend://re_KEY@api.resend.com?to=me@example.org"
_BUSY = "concurrent_idempotent_requests"

KEY_WINDOW = 23 * 3_600.0
"""Seconds from the first attempt within which a repeat is recognised, an hour kept in hand."""


class _Said(Struct, frozen=True, kw_only=True):
    """An answer. Other fields are let through: the service adds some with its releases."""

    id: str = ""
    name: str = ""
    message: str = ""


class Target(Record, frozen=True, kw_only=True):
    """A recipient and a service that were read."""

    url: str
    host: str
    key: str
    to: str
    sender: str = ""

    @property
    def name(self) -> str:
        """Return recipient and service, without the key."""
        return f"e-mail {self.to} through {self.host}"

    def open(self, settings: ChannelSettings) -> ResendChannel:
        """Return the channel.

        Raises:
            ConfigError: neither the URL nor `mail_from` names a sender.
        """
        sender = self.sender or settings.mail_from
        if not sender:
            raise ConfigError(
                "notify: resend: the sender is missing", hint="set mail_from, or add &from=..."
            )
        return ResendChannel(self, settings, mailbox(sender, what="notify: resend: from"))


def read(url: str) -> Target:
    """Read `resend://KEY@host?to=...&from=...`; a path replaces the usual `/emails`.

    Raises:
        ConfigError: it cannot be used.
    """
    where = address.read(url, example=_EXAMPLE, known=("to", "from"))
    key, to = where.user or where.password, where.parameters.get("to", "")
    if not key or (where.user and where.password):
        raise ConfigError("notify: resend: the key is missing", hint=f"For example: {_EXAMPLE}")
    sender = where.parameters.get("from", "")
    if sender:
        mailbox(sender, what="notify: resend: from")
    scheme = "http" if where.scheme == "resend+http" else "https"
    path = where.path if where.path.strip("/") else "/emails"
    return Target(
        url=f"{scheme}://{where.netloc}{path}",
        host=where.netloc,
        key=key,
        to=mailbox(to, what="notify: resend: to").addr_spec,
        sender=sender,
    )


class ResendChannel:
    """One recipient, reached through one service.

    Args:
        target: recipient, service and key.
        settings: sessions and time limit.
        sender: stands in From.
    """

    promise: Promise = "once"
    pause = 0.0

    def __init__(self, target: Target, settings: ChannelSettings, sender: Mailbox) -> None:
        self._target = target
        self._settings = settings
        self._sender = sender
        self.name = target.name

    async def send(self, notice: Notice, committing: Committing) -> Delivery:
        """Send one message."""
        headers = {"Authorization": f"Bearer {self._target.key}", "Idempotency-Key": notice.id}
        body = self._body(notice)
        return self._told(await post(self._settings, self._target.url, body, headers, committing))

    async def close(self) -> None:
        """Have nothing to close: the sessions are their owner's."""

    def _body(self, notice: Notice) -> bytes:
        told = safe(notice)
        host = self._settings.host or self._sender.domain
        whole = {
            "from": str(self._sender),
            "to": [self._target.to],
            "subject": told.subject,
            "html": letter(told),
            "text": plain(told),
            "headers": list_headers(notice, host),
        }
        return shape.encode(whole)

    def _told(self, answer: Answer) -> Delivery:
        said = _said(answer)
        words = line(said.message, 200).replace(self._target.key, "***")
        result = verdict(answer, self._target.host, said=words)
        if result.outcome == "sent":
            if not said.id:
                detail = f"{self._target.host} answered something that is not Resend's"
                return Delivery(outcome="retry", detail=detail)
            return Delivery(outcome="sent", provider_id=line(said.id, 64))
        if answer.status == 409 and said.name == _BUSY:
            return Delivery(outcome="retry", detail=result.detail)
        return result


def _said(answer: Answer) -> _Said:
    try:
        return shape.decode(answer.body, _Said, what="the answer")
    except InvalidInput:
        return _Said()
