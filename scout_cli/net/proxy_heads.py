"""The heads that pass through the proxy: read strictly, and written anew, never copied.

What two programs could read differently (two lengths, folded lines, bare line feeds) is refused:
the far side must see the request that was checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from yarl import URL

from scout_cli.core.models import Record

LONGEST = 256 * 1024
"""Of one head, bytes."""

_METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT".split())
_LINE = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]{1,65536}) HTTP/1\.1")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9]\d\d)(?: [^\r\n]*)?")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]\\]+):(\d{1,5})")
_HOP = frozenset(
    b"connection proxy-connection keep-alive proxy-authorization proxy-authenticate te trailer "
    b"upgrade alt-svc http2-settings".split()
)
"""Fields between two neighbours (RFC 9110, section 7.6.1), and those that lead around a proxy."""

Fields = tuple[tuple[bytes, bytes], ...]


class Malformed(ValueError):
    """Not a request that a browser makes."""


class Request(Record, frozen=True, kw_only=True):
    """What the browser asks for."""

    method: str
    url: str
    """Absolute; for CONNECT the origin with the scheme https."""
    host: str
    fields: Fields = ()
    length: int = 0
    """Bytes of body that follow."""


def parse(raw: bytes) -> Request:
    """Read the head of a request to a proxy.

    Raises:
        Malformed: it is not in absolute-form or authority-form, or not strictly written.
    """
    first, *lines = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
    match = _LINE.fullmatch(first)
    if match is None or match[1].decode() not in _METHODS:
        raise Malformed("no request line")
    method, target = match[1].decode(), match[2].decode()
    fields = tuple(_fields(lines))
    if method == "CONNECT":
        authority = _AUTHORITY.fullmatch(target)
        if authority is None:
            raise Malformed("no authority")
        host = authority[1].strip("[]").lower()
        return Request(method=method, url=f"https://{target}/", host=host)
    return Request(
        method=method, url=target, host=_host(target), fields=fields, length=_length(fields)
    )


def request_head(request: Request) -> bytes:
    """Return the head that the far side sees: origin-form, one request, no hop's own fields."""
    target = URL(request.url, encoded=True)
    path = target.raw_path_qs or "/"
    fields = [pair for pair in request.fields if pair[0].lower() not in _HOP | {b"host"}]
    authority = target.raw_authority.rpartition("@")[2]
    lines = [f"{request.method} {path} HTTP/1.1".encode(), f"Host: {authority}".encode()]
    return _joined([*lines, *(b"%b: %b" % pair for pair in fields), b"Connection: close"])


def is_final(head: bytes) -> bool:
    """Return whether `head` is of an answer proper, and not of an interim one (1xx)."""
    match = _STATUS.match(head)
    return match is not None and int(match[1]) >= 200


def reply_head(head: bytes) -> bytes:
    """Return the head of an answer as the browser sees it: the connection ends after it."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [line for line in lines if line.partition(b":")[0].strip().lower() not in _HOP]
    return _joined([first, *kept, b"Connection: close"])


def _host(target: str) -> str:
    if not target.lower().startswith("http://"):
        raise Malformed("a request to a proxy names a whole http:// address")
    try:
        return (URL(target, encoded=True).raw_host or "").lower()
    except ValueError as error:
        raise Malformed("the address cannot be read") from error


def _fields(lines: Iterable[bytes]) -> Iterable[tuple[bytes, bytes]]:
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise Malformed("a field that cannot be read")
        yield match[1], match[2]


def _length(fields: Fields) -> int:
    said = [value for name, value in fields if name.lower() == b"content-length"]
    if any(name.lower() == b"transfer-encoding" for name, _ in fields):
        raise Malformed("a body without a length")
    if not said:
        return 0
    if len(said) > 1 or not said[0].isdigit() or len(said[0]) > 12:
        raise Malformed("a length that cannot be read")
    return int(said[0])


def _joined(lines: Iterable[bytes]) -> bytes:
    return b"\r\n".join([*lines, b"", b""])
