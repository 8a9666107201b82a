"""Signed webhooks: `webhook+https://host/path?secret=whsec_...`.

The body is JSON, versioned; the headers are those of Standard Webhooks, so that any of its
libraries verifies them. A receiver that keeps the ids it has seen is told once.

Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime
from typing import Literal, Never

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.core.news import Delivery, News, Notice
from scout_cli.core.ports import Promise
from scout_cli.errors import ConfigError
from scout_cli.notify import ChannelSettings, address
from scout_cli.notify.posting import Committing, post, verdict
from scout_cli.notify.safe import safe

_EXAMPLE = "webhook+https://example.org/hooks/scout?secret=whsec_..."
_MAKE_ONE = "make one: echo whsec_$(openssl rand -base64 32)"
_SHORTEST = 24


class Data(Record, frozen=True, kw_only=True):
    """What a message says."""

    id: str
    subject: str
    news: tuple[News, ...]


class Payload(Record, frozen=True, kw_only=True):
    """The body. Fields may be added within a version; none changes its meaning or goes."""

    type: str
    """`scout.news`, `scout.paused` and so on: `scout.` and the kind of the message."""
    version: Literal[1] = 1
    timestamp: datetime
    """When the message was made; the same on every attempt."""
    data: Data


class Target(Record, frozen=True, kw_only=True):
    """A webhook that was read."""

    url: str
    """Without secrets of scout's own."""
    host: str
    keys: tuple[bytes, ...] = ()

    @property
    def name(self) -> str:
        """Return its host; the path of a webhook is often a secret."""
        return f"webhook {self.host}"

    def open(self, settings: ChannelSettings) -> WebhookChannel:
        """Return the channel.

        Raises:
            ConfigError: the setting `webhook_secret` is needed and broken.
        """
        default = settings.webhook_secret
        keys = self.keys or ((_key(default, "webhook_secret"),) if default else ())
        return WebhookChannel(self, settings, keys)


def read(url: str) -> Target:
    """Read `webhook+https://host/path`; its secret stands before the host or in the query.

    Several `secret=` sign with each of them, for the days in which a secret is changed.

    Raises:
        ConfigError: it cannot be used.
    """
    bare, hash_, fragment = url.partition("#")
    if hash_:
        name, _, value = fragment.partition("=")
        if name != "secret":
            _wrong("a webhook's URL has no #fragment")
        bare += f"{'&' if '?' in bare else '?'}secret={value}"
    bare, found = address.take_all(bare, ("secret",))
    head, _, query = bare.partition("?")
    where = address.read(head, example=_EXAMPLE)
    address.plain(query, _EXAMPLE)
    if where.password:
        _wrong("a user name and password are not sent to webhooks")
    secrets = [*([where.user] if where.user else []), *found.get("secret", [])]
    scheme = where.scheme.partition("+")[2]
    return Target(
        url=f"{scheme}://{where.netloc}{where.path or '/'}{'?' if query else ''}{query}",
        host=where.netloc,
        keys=tuple(_key(secret, "notify: webhook") for secret in secrets),
    )


class WebhookChannel:
    """One webhook.

    Args:
        target: where it is.
        settings: sessions, time limit and clock.
        keys: sign with each of these; without any, messages go unsigned.
    """

    promise: Promise = "once"
    pause = 0.0

    def __init__(self, target: Target, settings: ChannelSettings, keys: tuple[bytes, ...]) -> None:
        self._target = target
        self._settings = settings
        self._keys = keys

    @property
    def name(self) -> str:
        """Return its host, and that it is unsigned when it is."""
        return self._target.name if self._keys else f"{self._target.name} (unsigned)"

    async def send(self, notice: Notice, committing: Committing) -> Delivery:
        """Post one message."""
        body = payload(notice)
        moment = str(int(self._settings.now()))
        headers = {
            "webhook-id": notice.id,
            "webhook-timestamp": moment,
            "Idempotency-Key": notice.id,
            **self._signature(notice.id, moment, body),
        }
        answer = await post(self._settings, self._target.url, body, headers, committing)
        return verdict(answer, self._target.host)

    async def close(self) -> None:
        """Have nothing to close: the sessions are their owner's."""

    def _signature(self, id_: str, moment: str, body: bytes) -> dict[str, str]:
        signed = f"{id_}.{moment}.".encode() + body
        proofs = [hmac.digest(key, signed, "sha256") for key in self._keys]
        value = " ".join(f"v1,{base64.b64encode(proof).decode()}" for proof in proofs)
        return {"webhook-signature": value} if value else {}


def payload(notice: Notice) -> bytes:
    """Return the body of a message, the same on every attempt."""
    told = safe(notice)
    data = Data(id=told.id, subject=told.subject, news=told.news)
    whole = Payload(type=f"scout.{told.kind}", timestamp=told.created_at, data=data)
    return shape.encode(whole)


def _key(secret: str, where: str) -> bytes:
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < _SHORTEST:
        raise ConfigError(
            f"{where}: the secret is not base64 of at least {_SHORTEST} bytes", hint=_MAKE_ONE
        )
    return key


def _wrong(what: str) -> Never:
    raise ConfigError(f"notify: webhook: {what}", hint=f"For example: {_EXAMPLE}")
