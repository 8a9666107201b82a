"""How channel URLs are written: read by hand, since secrets in them need no escaping to us.

Nothing raised here repeats any part of a URL: it may be the secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Never
from urllib.parse import unquote

from msgspec import field

from scout_cli.core.models import Record
from scout_cli.errors import ConfigError

_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]\\%]+)(?::(?P<port>[0-9]{1,5}))?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")


class Address(Record, frozen=True, kw_only=True):
    """The parts of a channel URL. User, password and parameters are decoded."""

    scheme: str
    user: str = ""
    password: str = ""
    host: str
    """With the brackets of an IPv6 address."""
    port: int | None = None
    path: str = ""
    """As written, with its leading slash."""
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def netloc(self) -> str:
        """Return host and port as they stand in a web address."""
        return f"{self.host}:{self.port}" if self.port else self.host


def read(url: str, *, example: str, known: Collection[str] = ()) -> Address:
    """Take a channel URL apart.

    Args:
        url: without scout's own parameters.
        example: a URL of this kind, for the error.
        known: the query parameters that mean something.

    Raises:
        ConfigError: no host, a broken port, or a parameter that means nothing.
    """
    plain(url, example)
    head, query = _cut(url)
    scheme, _, rest = head.partition(":")
    authority, slash, path = rest.removeprefix("//").partition("/")
    account, _, place = authority.rpartition("@")
    user, _, password = account.partition(":")
    found = _HOST.fullmatch(place)
    if found is None or int(found["port"] or 0) > 65_535:
        _wrong(scheme, "the host is missing or cannot be read", example)
    parameters = {unquote(name): unquote(value) for name, value in _pairs(query)}
    if not parameters.keys() <= set(known):
        _wrong(scheme, f"a parameter is none of: {', '.join(known) or 'none is known'}", example)
    return Address(
        scheme=scheme.lower(),
        user=unquote(user),
        password=unquote(password),
        host=found["host"].lower(),
        port=int(found["port"]) if found["port"] else None,
        path=slash + path,
        parameters=parameters,
    )


def take(url: str, names: Collection[str]) -> tuple[str, dict[str, str]]:
    """Return `url` without the query parameters called `names`, and their decoded values.

    Raises:
        ConfigError: one of them stands there twice.
    """
    bare, found = take_all(url, names)
    if any(len(values) > 1 for values in found.values()):
        twice = next(name for name, values in found.items() if len(values) > 1)
        raise ConfigError(f"notify: the URL says {twice}= twice")
    return bare, {name: values[0] for name, values in found.items()}


def take_all(url: str, names: Collection[str]) -> tuple[str, dict[str, list[str]]]:
    """Return `url` without the query parameters called `names`, and all their decoded values."""
    head, mark, tail = url.partition("?")
    query, hash_, fragment = tail.partition("#")
    if "#" in head or not mark:
        return url, {}
    found: dict[str, list[str]] = {}
    kept: list[str] = []
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        if name in names:
            found.setdefault(name, []).append(unquote(value))
        else:
            kept.append(piece)
    rest = "&".join(kept)
    return head + (f"?{rest}" if rest else "") + hash_ + fragment, found


def plain(url: str, example: str) -> None:
    """Refuse a URL with spaces, control characters or halves of characters.

    Raises:
        ConfigError: it has some.
    """
    if _FORBIDDEN.search(url):
        _wrong(url.partition(":")[0], "it contains a space or a control character", example)


def _cut(url: str) -> tuple[str, str]:
    head, _, query = url.partition("#")[0].partition("?")
    return head, query


def _pairs(query: str) -> list[tuple[str, str]]:
    pieces = (piece.partition("=") for piece in query.split("&") if piece)
    return [(name, value) for name, _, value in pieces]


def _wrong(scheme: str, what: str, example: str) -> Never:
    raise ConfigError(f"notify: {scheme}: {what}", hint=f"For example: {example}")
