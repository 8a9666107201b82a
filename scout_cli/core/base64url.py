"""Base64 for addresses and tokens, without padding.

Source: RFC 4648, 5; RFC 7515, appendix C.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(data: bytes) -> str:
    """Return bytes as text that may stand in an address."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes that a text stands for.

    Raises:
        ValueError: it is not the one text that `encode` writes for any bytes. Two spellings of a
            token would be two tokens to whoever compares texts.
    """
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("this is not base64url without padding")
    return data
