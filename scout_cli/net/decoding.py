"""Content-Encoding undone in small steps, so that a compressed bomb stops early."""

from __future__ import annotations

import zlib
from typing import Protocol

ACCEPTED = "gzip, deflate"
"""The value of Accept-Encoding that `decoder` understands.

Brotli and zstd save little on one page and their decoders offer no bound in every version.
"""

_STEP = 65_536
_MEMBERS = 64
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Garbled(Exception):
    """The body is not what its Content-Encoding says."""


class Decoder(Protocol):
    """Turns received bytes into decoded ones."""

    def feed(self, data: bytes, room: int) -> bytes:
        """Return decoded bytes, stopping soon after `room` bytes.

        Raises:
            Garbled: the data cannot be decoded.
        """
        ...

    @property
    def complete(self) -> bool:
        """Return whether the data may end here."""
        ...


def decoder(encoding: str) -> Decoder:
    """Return the decoder for the value of a Content-Encoding header.

    Raises:
        Garbled: an encoding that was not offered.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return _Plain()
    if name in {"gzip", "x-gzip", "deflate"}:
        return _Inflate()
    raise Garbled(f"the server answered in an encoding that was not asked for: {name[:40]!r}")


class _Plain:
    complete = True

    def feed(self, data: bytes, room: int) -> bytes:
        return data[: room + 1]


class _Inflate:
    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._members = 0
        self._started = False

    @property
    def complete(self) -> bool:
        return self._inflate.eof or not self._started

    def feed(self, data: bytes, room: int) -> bytes:
        out = bytearray()
        held_back = False
        while (data or held_back) and len(out) <= room:
            if self._inflate.eof and not self._next_member(data):
                break
            piece = self._step(data)
            out += piece
            data = self._inflate.unused_data or self._inflate.unconsumed_tail
            held_back = len(piece) == _STEP and not self._inflate.eof
            self._started = True
        return bytes(out)

    def _step(self, data: bytes) -> bytes:
        try:
            return self._inflate.decompress(data, _STEP)
        except zlib.error as error:
            if self._started:
                raise Garbled("the compressed answer is damaged") from error
        # Some servers send "deflate" without the zlib frame, and browsers accept it.
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            return self._inflate.decompress(data, _STEP)
        except zlib.error as error:
            raise Garbled("the compressed answer is damaged") from error

    def _next_member(self, data: bytes) -> bool:
        self._members += 1
        if self._members > _MEMBERS:
            raise Garbled("the compressed answer has too many parts")
        if not data.startswith(b"\x1f\x8b"):
            return False  # padding after the last member, which gzip allows
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        return True
