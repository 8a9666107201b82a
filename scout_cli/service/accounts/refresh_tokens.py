"""Refresh tokens: a session, a count, a signature over both, and a checksum over all.

Nothing of them is stored but the count, and noise is told from a token without the database.
"""

from __future__ import annotations

import hmac
import zlib
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from scout_cli.core import base64url
from scout_cli.service.accounts.refusals import BadRefreshToken

PREFIX = "scr_"
_VERSION = b"\x01"
_BODY = 1 + 16 + 4
_MAC = 16
_WHOLE = _BODY + _MAC + 4
_LONGEST = 100


class Counted(NamedTuple):
    """What a refresh token says."""

    session_id: UUID
    number: int


class RefreshTokens:
    """Makes and reads refresh tokens.

    Args:
        secrets: sign and verify; the first signs.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        # Keys of their own: what signs one kind of token must not sign another.
        self._keys = tuple(
            hmac.digest(secret.encode(), b"scout refresh token", sha256) for secret in secrets
        )

    def make(self, session_id: UUID, count: int) -> str:
        """Return the token of a session with this count."""
        body = _VERSION + session_id.bytes + count.to_bytes(4, "big")
        signed = body + _mac(self._keys[0], body)
        whole = signed + zlib.crc32(signed).to_bytes(4, "big")
        return PREFIX + base64url.encode(whole)

    def read(self, token: str) -> Counted:
        """Return what a token says.

        Raises:
            BadRefreshToken: it was not made here, or was altered.
        """
        whole = _decoded(token)
        signed, checksum = whole[:-4], whole[-4:]
        body, mac = signed[:_BODY], signed[_BODY:]
        sound = len(whole) == _WHOLE and body[:1] == _VERSION
        if not sound or zlib.crc32(signed).to_bytes(4, "big") != checksum:
            raise BadRefreshToken
        if not any(hmac.compare_digest(_mac(key, body), mac) for key in self._keys):
            raise BadRefreshToken
        return Counted(UUID(bytes=body[1:17]), int.from_bytes(body[17:], "big"))


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, sha256)[:_MAC]


def _decoded(token: str) -> bytes:
    text = token.removeprefix(PREFIX)
    if text == token or len(token) > _LONGEST or not token.isascii():
        raise BadRefreshToken
    try:
        return base64url.decode(text)
    except ValueError:
        raise BadRefreshToken from None
