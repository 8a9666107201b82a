"""Mail addresses and the SMTP server, as settings and URLs write them.

One recipient per channel: every recipient has deliveries, retries and an end of its own.
"""

from __future__ import annotations

import re
from email.headerregistry import Address as Mailbox
from ipaddress import ip_address

from scout_cli.core.models import Record
from scout_cli.errors import ConfigError
from scout_cli.notify import address
from scout_cli.notify.safe import header

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"(?=.{{1,64}}$){_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(r"(?=.{1,253}$)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?!-)[a-z0-9-]{1,63}(?<!-)")
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<spec>[^<>]+)>")
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_EXAMPLE = "smtp+starttls://user:password@mail.example.org:587"


class Server(Record, frozen=True, kw_only=True):
    """An SMTP server of the operator's."""

    host: str
    """Without brackets."""
    port: int
    tls: bool
    """From the first byte."""
    starttls: bool
    user: str = ""
    password: str = ""


def mailbox(text: str, *, what: str) -> Mailbox:
    """Return the address that `text` is: `me@example.org` or `Name <me@example.org>`.

    Args:
        text: one address.
        what: how the error names it.

    Raises:
        ConfigError: it is none, or more than one, or has letters that mail servers do not take.
    """
    named = _NAMED.fullmatch(text.strip())
    name, spec = (named["name"], named["spec"]) if named else ("", text)
    local, _, domain = spec.strip().rpartition("@")
    domain = _ascii(domain.lower())
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise ConfigError(
            f"{what}: not one mail address in plain letters", hint="For example: me@example.org"
        )
    return Mailbox(display_name=header(name.strip().strip('"')), addr_spec=f"{local}@{domain}")


def server(url: str) -> Server:
    """Return the server that the setting `smtp_url` means.

    Raises:
        ConfigError: it cannot be used, or would send a password in the clear.
    """
    scheme = url.partition(":")[0].lower()
    if scheme not in _PORTS:
        raise ConfigError("smtp_url: not an SMTP server", hint=f"For example: {_EXAMPLE}")
    where = address.read(url, example=_EXAMPLE)
    host = where.host.strip("[]")
    if scheme == "smtp" and where.password and not _is_loopback(host):
        raise ConfigError(
            "smtp_url: the password would travel without encryption",
            hint="write smtp+starttls:// or smtps:// in front",
        )
    return Server(
        host=host,
        port=where.port or _PORTS[scheme],
        tls=scheme == "smtps",
        starttls=scheme == "smtp+starttls",
        user=where.user,
        password=where.password,
    )


def _ascii(domain: str) -> str:
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
