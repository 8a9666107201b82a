"""Base64url without padding: every byte string has one text, and every other text is refused."""

from __future__ import annotations

import pytest

from scout_cli.core import base64url

# RFC 4648, 10, in the alphabet of its section 5.
VECTORS = {b"": "", b"f": "Zg", b"fo": "Zm8", b"foo": "Zm9v", b"\xfb\xff": "-_8"}


@pytest.mark.parametrize(("data", "text"), VECTORS.items())
def test_bytes_and_text_stand_for_each_other(data, text):
    """The vectors of the standard come out, and go in again."""
    assert base64url.encode(data) == text
    assert base64url.decode(text) == data


@pytest.mark.parametrize("text", ["Zg==", "Zh", "Z", "Zm9v\n", "Zm 9v", "+/8", "Zé", "=", "%"])
def test_no_other_spelling_is_taken(text):
    """Padding, spare bits, blanks and the other alphabet are all refused the same."""
    with pytest.raises(ValueError):  # noqa: PT011 - binascii's errors are its own
        base64url.decode(text)
