"""Reading .xz with a bound on memory: the file names its dictionary, and may ask for gigabytes."""

from __future__ import annotations

import lzma
from typing import IO

_MEMORY = 128 * 2**20
_CHUNK = 2**16


class Unpacking:
    """The unpacked bytes of an .xz file.

    Args:
        file: the packed bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lzma = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY)

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end.

        Raises:
            EOFError: the file ends in the middle.
            LZMAError: it is damaged, or wants more memory than it gets.
        """
        while not self._lzma.eof:
            packed = self._file.read(_CHUNK) if self._lzma.needs_input else b""
            if self._lzma.needs_input and not packed:
                raise EOFError("the compressed data ends in the middle")
            if part := self._lzma.decompress(packed, size):
                return part
        if self._lzma.unused_data or self._file.read(1):
            raise lzma.LZMAError("something follows the compressed data")
        return b""

    def close(self) -> None:
        """Do nothing: the file belongs to whoever opened it."""
