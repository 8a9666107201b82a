"""Files and archives of strangers, opened with care.

Nothing is unpacked to disk. Of an archive one member is read, up to a bound; an archive that lies
about its sizes, is encrypted, or has two members of that name is refused.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple

from scout_cli.errors import InvalidInput

MAX_TEXT = 64 * 2**20
"""Bytes that are read, of a file or of a member of an archive."""
_DIRECTORY = 64 * 2**20
"""Bytes of an archive's list of members."""
_MAX_SWELLING = 200
_ROOM = 2**20
_END = b"PK\x05\x06"
_LONGEST_END = 22 + 65_535
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class File(NamedTuple):
    """A file that somebody named."""

    name: str
    data: bytes
    """Its content; the path is read again for an archive."""
    path: Path | None = None

    @property
    def is_zip(self) -> bool:
        """Return whether it is a zip archive."""
        return self.data[:4] in (b"PK\x03\x04", b"PK\x05\x06")

    def text(self) -> str:
        """Return its text.

        Raises:
            InvalidInput: it is not UTF-8.
        """
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidInput(f"{self.name}: it is not a text in UTF-8") from error


def open_file(path: Path) -> File:
    """Read a file; of an archive only the beginning.

    Raises:
        InvalidInput: it cannot be read, is no regular file, or is too large.
    """
    with _opened(path) as stream:
        start = stream.read(4)
        if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            return File(str(path), start, path)
        data = start + stream.read(MAX_TEXT)
    return given(str(path), data)


def given(name: str, data: bytes) -> File:
    """Return bytes that came by another way, such as standard input, as a file.

    Raises:
        InvalidInput: there are too many of them.
    """
    if len(data) > MAX_TEXT:
        raise InvalidInput(f"{name}: it is larger than {MAX_TEXT // 2**20} MiB")
    return File(name, data)


def member(file: File, name: str) -> bytes | None:
    """Return one member of a zip archive, None when it has none of that name.

    Raises:
        InvalidInput: the archive is damaged or made to do harm.
    """
    with BytesIO(file.data) if file.path is None else _opened(file.path) as stream:
        _check_directory(file, stream)
        try:
            with zipfile.ZipFile(stream) as archive:
                return _member(file, archive, name)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            raise unusable(file, str(error) or "it is damaged") from error
        except (NotImplementedError, RuntimeError, struct.error, MemoryError) as error:
            raise unusable(file, "it is packed in a way that nobody expects") from error


def _member(file: File, archive: zipfile.ZipFile, name: str) -> bytes | None:
    fitting = [each for each in archive.infolist() if each.filename == name]
    if not fitting:
        return None
    (info, *more) = fitting
    if more:
        raise unusable(file, f"it holds {name} twice")
    if info.flag_bits & 1 or info.compress_type not in _METHODS:
        raise unusable(file, f"its {name} is encrypted or packed in an unusual way")
    if info.file_size > min(MAX_TEXT, _ROOM + _MAX_SWELLING * info.compress_size):
        raise unusable(file, f"its {name} claims to unpack to {info.file_size} bytes")
    with archive.open(info) as stream:
        # One more than it says: a member that is longer than that is a lie.
        data = stream.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise unusable(file, f"its {name} has another size than it says")
    return data


def _check_directory(file: File, stream: IO[bytes]) -> None:
    """Refuse an archive whose list of members would fill the memory, before it is read."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _LONGEST_END))
    tail = stream.read(_LONGEST_END)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise unusable(file, "it ends too early")
    if struct.unpack("<I", tail[at + 12 : at + 16])[0] > _DIRECTORY:
        raise unusable(file, "it has too many members")
    stream.seek(0)


def unusable(file: File, what: str) -> InvalidInput:
    """Return the error of a file that is damaged or made up."""
    return InvalidInput(f"{file.name} cannot be used: {what}", hint="nothing was changed")


def _opened(path: Path) -> IO[bytes]:
    try:
        # A pipe without a writer would let us wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{path}: {reason}", hint="give a file") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidInput(f"{path} is not a regular file", hint="give a file")
    return os.fdopen(descriptor, "rb")
