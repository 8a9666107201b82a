"""Entity tags: what a program read, so that it changes nothing that it has not seen.

A tag is strong and follows from the bytes of the answer.

Source: RFC 9110, 8.8.3 and 13.1.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

from aiohttp import web

from scout_cli.core import shape
from scout_cli.errors import Changed
from scout_cli.server.calls import Call, Reply

_CACHE = "private, no-cache"


def tag_of(body: bytes) -> str:
    """Return the tag of an answer."""
    return f'"{base64.urlsafe_b64encode(sha256(body).digest()[:15]).decode()}"'


def tagged(call: Call[Any, Any], value: Any, *, status: int | None = None, at: str = "") -> Reply:
    """Return `value` with its tag; nothing but the tag to whoever has it already.

    Args:
        call: the request.
        value: what to answer.
        status: None for the route's own.
        at: where a thing that was made can be found.
    """
    body = shape.encode(value)
    headers = {"ETag": tag_of(body), "Cache-Control": _CACHE}
    if at:
        headers["Location"] = at
    reads = call.request.method in ("GET", "HEAD")
    if reads and _names(call.request, "If-None-Match", headers["ETag"]):
        return Reply(status=304, headers=headers)
    return Reply(value=body, status=status, headers=headers)


def conditional(call: Call[Any, Any]) -> bool:
    """Return whether a request is to change only what its sender has seen."""
    return "If-Match" in call.request.headers


def require(call: Call[Any, Any], value: Any) -> None:
    """Refuse a change to something that is not as its sender has seen it.

    Raises:
        Changed: `If-Match` names other tags than that of `value`.
    """
    if conditional(call) and not _names(call.request, "If-Match", tag_of(shape.encode(value))):
        raise Changed("this was changed since you read it", hint="read it again")


def _names(request: web.Request, header: str, tag: str) -> bool:
    given = request.headers.getall(header, [])
    tags = [each.strip() for line in given for each in line.split(",")]
    if header == "If-None-Match":  # weak comparison: RFC 9110, 13.1.2
        tags = [each.removeprefix("W/") for each in tags]
    return tag in tags or "*" in tags
