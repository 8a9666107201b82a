"""Channels that tell somebody, each chosen by the scheme of a URL; one file per provider.

    mailto://me@example.org                       e-mail through the SMTP server of `smtp_url`
    resend://KEY@api.resend.com?to=me@example.org e-mail through an HTTP API with idempotency keys
    webhook+https://host/path?secret=whsec_...    signed JSON (Standard Webhooks)
    ntfy://ntfy.sh/topic                          ntfy, also ntfy+http:// for one's own server
    tgram://BOT_TOKEN/CHAT_ID                     Telegram
    console://                                    a line writer, for terminals and tests

Any other scheme goes to Apprise, where that is installed and the caller allows it. Outbox, retries
and digests are not known here: a channel makes one attempt and says what became of it. A URL may
hold secrets, so none of it but what `describe` returns ever stands in a message.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal, Protocol

from scout_cli import plug
from scout_cli.core.models import Digest, Record
from scout_cli.core.ports import Channel
from scout_cli.errors import ConfigError, MissingPackage, Refused
from scout_cli.notify import address

SCHEMES = {
    "mailto": "scout_cli.notify.mail:read",
    "resend": "scout_cli.notify.resend:read",
    "resend+https": "scout_cli.notify.resend:read",
    "resend+http": "scout_cli.notify.resend:read",
    "webhook+https": "scout_cli.notify.webhook:read",
    "webhook+http": "scout_cli.notify.webhook:read",
    "ntfy": "scout_cli.notify.ntfy:read",
    "ntfy+https": "scout_cli.notify.ntfy:read",
    "ntfy+http": "scout_cli.notify.ntfy:read",
    "tgram": "scout_cli.notify.telegram:read",
    "console": "scout_cli.notify.console:read",
}
_APPRISE = {"apprise": "scout_cli.notify.apprise:read"}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:.", re.IGNORECASE)

Doubt = Literal["resend", "hold"]
"""What to do when a crash leaves it unknown whether a message went out."""


class GuardedSessions(Protocol):
    """Where guarded HTTP sessions come from; `net.sessions.Sessions` fits."""

    @property
    def guard(self) -> Any:
        """Return the `net.guard.Guard` that decides which addresses may be dialled."""
        ...

    def guarded(self) -> Any:
        """Return an `aiohttp.ClientSession` behind that guard; its owner closes it."""
        ...


class ChannelSettings(Record, frozen=True, kw_only=True):
    """What channels need besides their URL."""

    sessions: GuardedSessions
    """HTTP; private networks are open as far as its guard opens them."""
    smtp_url: str = ""
    """`smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`."""
    mail_from: str = ""
    """The sender, `scout@example.org` or `Scout <scout@example.org>`."""
    webhook_secret: str = ""
    """Signs for webhooks whose URL names no secret; `whsec_` and base64."""
    host: str = ""
    """The host in Message-ID and List-Id; empty for the domain of `mail_from`."""
    apprise: bool = False
    """The URL comes from the configuration or the owner's command line: Apprise may have it.

    Its hundred services dial where they like, past the guard, so URLs of other people never go
    there.
    """
    write: Callable[[str], object] | None = None
    """Takes the text of `console://`, without a line break at the end."""
    telegram_api: str = "https://api.telegram.org"
    """Root of the Bot API, for those who run one of their own."""
    timeout: float = 10.0
    """Seconds for one HTTP request, connecting included."""
    mail_timeout: float = 60.0
    """Seconds to reach an SMTP server and name both ends, and again to hand over the message."""
    now: Callable[[], float] = time.time
    """Seconds since 1970, for the time stamp of webhook signatures."""


class ChannelOptions(Record, frozen=True, kw_only=True):
    """What a channel URL says to scout itself, in its query."""

    digest: Digest | None = None
    """`digest=daily|weekly`: gather the news of this channel into one message."""
    doubt: Doubt = "resend"
    """`doubt=resend|hold`: what to do when a crash leaves it unknown whether a message went out."""


class Target(Protocol):
    """A channel URL that was read: where messages will go."""

    @property
    def name(self) -> str:
        """Return what people may see of it: no secret."""
        ...

    def open(self, settings: ChannelSettings) -> Channel:
        """Return the channel. Nothing is asked of the network yet.

        Raises:
            ConfigError: a setting that it needs is missing or broken.
        """
        ...


def open_channel(url: str, settings: ChannelSettings) -> Channel:
    """Return the channel that `url` names. Nothing is asked of the network yet.

    Args:
        url: with or without scout's own query parameters.
        settings: what it needs besides; `settings.apprise` says whether Apprise may have the URL.

    Raises:
        ConfigError: no such scheme, a URL that cannot be used, or a setting that is missing.
        MissingPackage: the package of this channel is not installed.
    """
    return _read(split_url(url)[0], apprise=settings.apprise).open(settings)


def check_channel(url: str, *, apprise: bool = False) -> None:
    """Check, without network, that `url` names a channel and is complete.

    Args:
        url: with or without scout's own query parameters.
        apprise: as in `ChannelSettings`.

    Raises:
        ConfigError: it does not; the message holds no part of the URL but its scheme.
        MissingPackage: the package of this channel is not installed.
    """
    _read(split_url(url)[0], apprise=apprise)


def check_guest(url: str, mailbox: str) -> None:
    """Check, without network, that somebody who does not own this machine may name a channel.

    Args:
        url: with or without scout's own query parameters.
        mailbox: the confirmed address of their account, the only one that mail goes to; empty for
            none.

    Raises:
        ConfigError: they may not; the message holds no part of the URL but its scheme.
    """
    check_channel(url)
    scheme = plug.scheme_of(url)
    if scheme == "console":
        raise ConfigError("notify: console:// is a terminal", hint="For example: ntfy://...")
    target: Any = _own(split_url(url)[0])
    if scheme == "mailto" and target.recipient.casefold() != mailbox.casefold():
        raise ConfigError(
            "notify: mail goes to the address of your own account only",
            hint=f"mailto://{mailbox}" if mailbox else "confirm the address of your account",
        )
    _refuse_private(getattr(target, "url", ""), scheme)


def _refuse_private(url: str, scheme: str) -> None:
    """Refuse what a guard that nothing was opened in refuses; it asks again when it dials."""
    if not url:
        return
    from scout_cli.net.guard import Guard  # noqa: PLC0415 - reading a URL needs no HTTP

    try:
        Guard().check(url)
    except Refused as error:
        hint = "a host of the public internet"
        raise ConfigError(f"notify: {scheme}:// leads where it may not", hint=hint) from error


def describe(url: str) -> str:
    """Return what people may see of a channel, such as `ntfy ntfy.sh/topic`; never raises.

    Of a URL that cannot be used, that is its scheme. Apprise is not asked: its services are named
    by their scheme.
    """
    scheme = plug.scheme_of(url) if _SCHEME.match(url) else "?"
    try:
        if scheme in SCHEMES:
            return _own(split_url(url)[0]).name
    except (ConfigError, MissingPackage):
        return f"{scheme}://***"
    return f"{scheme} (through Apprise)" if scheme != "?" else "***"


def split_url(url: str) -> tuple[str, ChannelOptions]:
    """Return `url` without scout's own query parameters, and what they say.

    The rest stays as it is written: order, spelling and repeated parameters.

    Raises:
        ConfigError: one of them has a value that scout does not know, or stands there twice.
    """
    bare, found = address.take(url, ("digest", "doubt"))
    known = {"digest": ("daily", "weekly"), "doubt": ("resend", "hold")}
    for name, value in found.items():
        if value not in known[name]:
            allowed = " or ".join(f"{name}={word}" for word in known[name])
            raise ConfigError(f"notify: the URL's {name} is not one scout knows", hint=allowed)
    options: dict[str, Any] = found
    return bare, ChannelOptions(**options)


def _read(url: str, *, apprise: bool) -> Target:
    if not _SCHEME.match(url):
        raise ConfigError("notify: not a URL", hint="For example: mailto://me@example.org")
    return _own(url) if plug.scheme_of(url) in SCHEMES else _foreign(url, allowed=apprise)


def _own(url: str) -> Target:
    target: Target = plug.load(url, SCHEMES, setting="notify")(url)
    return target


def _foreign(url: str, *, allowed: bool) -> Target:
    scheme = plug.scheme_of(url)
    near = difflib.get_close_matches(scheme, SCHEMES, n=1, cutoff=0.75)
    if not allowed:
        plug.load(f"{scheme}:", SCHEMES, setting="notify")
    if find_spec("apprise") is None:
        if near:
            plug.load(f"{scheme}:", SCHEMES, setting="notify")
        raise MissingPackage(
            f"notify: {scheme}:// goes through Apprise, which is not installed",
            hint="pip install 'scout-watch[apprise]'",
            retryable=False,
        )
    target: Target = plug.load("apprise:", _APPRISE, setting="notify")(url)
    return target
