"""Links to pictures of pages that work without signing in, for a while.

An `<img>` sends no token, so that the link itself is the proof. It stays the same for an hour,
since the page asks for all rows again and again, and is good for one to two.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from scout_cli.core import base64url
from scout_cli.errors import NotFound

_HOUR = 3_600
_MAC = 24
"""Bytes of the proof."""
_LONGEST = 300


def token(name: str, secret: str, now: datetime) -> str:
    """Return the token of a picture.

    Args:
        name: as `Screenshots` gives it.
        secret: the newest that signs.
        now: the present.
    """
    until = (int(now.timestamp()) // _HOUR + 2) * _HOUR
    text = f"{until:x}/{name}".encode()
    return base64url.encode(_proof(text, secret) + text)


def picture(given: str, secrets: Sequence[str], now: datetime) -> str:
    """Return the name of the picture that a token is for.

    Args:
        given: the token.
        secrets: the secrets that are good.
        now: the present.

    Raises:
        NotFound: it is none, or too old.
    """
    gone = NotFound("no such picture, or not any more")
    if len(given) > _LONGEST:
        raise gone
    try:
        data = base64url.decode(given)
    except ValueError:
        raise gone from None
    proof, text = data[:_MAC], data[_MAC:]
    if not any(hmac.compare_digest(proof, _proof(text, each)) for each in secrets):
        raise gone
    until, _, name = text.decode().partition("/")
    if datetime.fromtimestamp(int(until, 16), UTC) <= now:
        raise gone
    return name


def _proof(text: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"scout picture\0" + text, sha256)[:_MAC]
