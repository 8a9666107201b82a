"""E-mail addresses and network addresses, as accounts and limits compare them."""

from __future__ import annotations

import re
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from scout_cli.service.accounts.refusals import BadAddress

LONGEST = 254
"""Bytes of an address that mail servers carry (RFC 5321, 4.5.3.1.3, less the brackets)."""

_LOCAL = re.compile(r"(?=.{1,64}$)[^\s\x00-\x20\x7f-\x9f\"(),:;<>@\[\\\]]+")
_LABEL = re.compile(r"(?!-)(?:[^\W_]|-){1,63}(?<!-)")


def folded(email: str) -> str:
    """Return an e-mail address as accounts are found by: trimmed, in lower case.

    An international name stays as it is written. Two that look alike are two.

    Raises:
        BadAddress: it is none, or one that mail servers do not agree about.
    """
    text = email.strip(" ").lower() if len(email) <= 2 * LONGEST else ""
    local, _, domain = text.rpartition("@")
    labels = domain.split(".")
    sound = text.isprintable() and len(text.encode()) <= LONGEST and len(labels) > 1
    atoms = _LOCAL.fullmatch(local) and all(local.split("."))
    if not (sound and atoms and all(map(_LABEL.fullmatch, labels))):
        raise BadAddress
    return text


def network_of(address: str) -> str:
    """Return what limits count as one caller: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network((int(found), 64), strict=False))
    return str(found)


def digest_of(text: str) -> str:
    """Return the name of something that should not stand in the clear."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
