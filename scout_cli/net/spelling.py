"""How a URL may be spelled: two parsers must read it alike, and nothing in it may be in disguise.

Most ways around an address check are spellings that two programs read differently. What no honest
page needs (user names, backslashes, octal addresses, look-alike digits) is refused, not repaired.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from yarl import URL

from scout_cli.errors import Refused
from scout_cli.net import addresses

MAX_LENGTH = 4_096
"""Longest URL that is fetched, characters."""

_AUTHORITY = re.compile(r"(?i:https?)://([^/?#]*)")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_SMUGGLED = re.compile(r"%0[0ad]", re.IGNORECASE)
_DOTS = "。．｡"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


def parse(url: str) -> URL:
    """Return `url` as aiohttp will dial it, without its fragment.

    Raises:
        Refused: not http or https, too long, or spelled so that two readers may disagree.
    """
    if len(url) > MAX_LENGTH:
        raise Refused(f"The URL is longer than {MAX_LENGTH:,} characters")
    if _FORBIDDEN.search(url):
        raise Refused("The URL contains a space, a backslash or a control character")
    match = _AUTHORITY.match(url)
    if match is None:
        raise Refused("Only http:// and https:// URLs are fetched")
    _check_authority(match[1])
    target = _parse_twice(url)
    _check_host(target.raw_host or "")
    if _SMUGGLED.search(target.raw_path):
        raise Refused("The URL's path contains an encoded line break or NUL")
    return target.with_fragment(None)


def _check_authority(authority: str) -> None:
    if "@" in authority:
        raise Refused("The URL contains a user name")
    if not authority or "%" in authority or any(dot in authority for dot in _DOTS):
        raise Refused("The URL's host cannot be read")
    if not authority.isascii() and unicodedata.normalize("NFKC", authority).isascii():
        raise Refused("The URL's host is spelled with look-alike characters")


def _parse_twice(url: str) -> URL:
    try:
        target, second = URL(url), urlsplit(url)
        same = _same_host(second.hostname or "", target) and second.port == target.explicit_port
    except ValueError as error:
        raise Refused("The URL cannot be parsed") from error
    if not same or target.user is not None or target.scheme not in {"http", "https"}:
        raise Refused("The URL can be read in more than one way")
    return target


def _same_host(name: str, target: URL) -> bool:
    address = addresses.parse(name)
    if address is not None:
        return address == addresses.parse(target.raw_host or "")
    return name.lower() in {target.host, target.raw_host}


def _check_host(host: str) -> None:
    if ":" in host:
        if addresses.parse(host) is None:
            raise Refused("The URL's address cannot be read")
        return
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        if addresses.parse(host) is None:
            raise Refused("The URL's host is a number that is not a plain IPv4 address")
        return
    if len(host) > 253 or any(not _LABEL.fullmatch(one) or one == "xn--" for one in labels):
        raise Refused("The URL's host is not a valid name")
