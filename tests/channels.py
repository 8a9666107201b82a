"""Every kind of channel, with a server to send to, for the tests of the port."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from scout_cli.notify import ChannelSettings, open_channel
from scout_cli.testing import MemoryChannel
from tests.channel_servers import MailServer, Receiver, Says
from tests.notices import notice

TOKEN = "123456789:AAHsecretSECRETsecretSECRETsecret00"
KEY = "re_Secret_0123456789"
WORD = "tk_secret0123456789"
SIGNING = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
PASSWORD = "pw-secret-0123456789"
SECRETS = (TOKEN, TOKEN.partition(":")[2], KEY, WORD, SIGNING, SIGNING[6:], PASSWORD, "hushhush")

HTTP = ("webhook", "resend", "ntfy", "telegram")
SENDING = (*HTTP, "apprise", "mail", "console", "memory")
URLS = {
    "webhook": f"webhook+http://{{host}}/hushhush?secret={SIGNING}",
    "resend": f"resend+http://{KEY}@{{host}}?to=me@example.org&from=scout@example.org",
    "ntfy": f"ntfy+http://:{WORD}@{{host}}/topic",
    "telegram": f"tgram://{TOKEN}/-1001234567890",
    "apprise": f"json://me:{PASSWORD}@{{host}}/hushhush",
    "mail": "mailto://me@example.org",
    "console": "console://",
}
GOOD = {
    "webhook": Says(body=b"thanks"),
    "resend": Says.json({"id": "provider-1"}),
    "ntfy": Says.json({"id": "provider-1", "event": "message"}),
    "telegram": Says.json({"ok": True, "result": {"message_id": 1, "chat": {"id": 5}}}),
    "apprise": Says(),
}


@dataclass
class World:
    """A channel, what it sends to, and how often it committed."""

    channel: Any
    arrived: Any
    commits: int = 0
    early: bool = False
    """Something had arrived when it committed."""

    async def committing(self):
        """Note the commitment."""
        self.commits += 1
        self.early = self.early or bool(self.arrived())

    async def send(self, told=None):
        """Send one message."""
        return await self.channel.send(told or notice(), self.committing)


@asynccontextmanager
async def server_of(kind, says):
    """Open what a channel of `kind` sends to; yield its host and what arrived."""
    if kind == "mail":
        async with MailServer(login=("me", PASSWORD)) as server:
            yield server.host, lambda: server.got
    elif kind in ("console", "memory"):
        yield "", list
    else:
        async with Receiver(*(says or (GOOD[kind],))) as server:
            yield server.host, lambda: server.got


@asynccontextmanager
async def opened(kind, host, arrived, *, private=None, **more):
    """Open a channel of `kind` to `host`."""
    if kind == "memory":
        channel = MemoryChannel()
        yield World(channel, lambda: channel.kept)
        return
    written = []
    guard = Guard([host] if private is None and host else private or False)
    async with Sessions(guard, "scout-test") as sessions:
        settings = ChannelSettings(
            sessions=sessions,
            smtp_url=f"smtp://me:{PASSWORD}@{host}",
            mail_from="Scout <scout@example.org>",
            apprise=True,
            write=written.append,
            telegram_api=f"http://{host}",
            **more,
        )
        channel = open_channel(URLS[kind].format(host=host), settings)
        yield World(channel, (lambda: written) if kind == "console" else arrived)
        await channel.close()


@asynccontextmanager
async def world(kind, *says, **more):
    """Open a channel of `kind` and a server that says `says`."""
    async with (
        server_of(kind, says) as (host, arrived),
        opened(kind, host, arrived, **more) as made,
    ):
        yield made


def identity(kind, got):
    """Return what a receiver could know a repeat by, or the whole message."""
    if kind == "mail":
        return got.parsed["Message-ID"]
    if kind in ("webhook", "resend"):
        return got.headers["idempotency-key"]
    return got if kind in ("console", "memory") else got.body


def silent(caplog, *texts):
    """Check that no secret stands in the logs or in `texts`."""
    told = "\n".join([*map(repr, texts), caplog.text])
    assert [secret for secret in SECRETS if secret in told] == []
