"""Reading an archive that may come from anyone.

The reader takes exactly what `archive_file` makes: plain files, in the order of the manifest, of
the sizes and hashes that it names.
"""

from __future__ import annotations

import gzip
import lzma
import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Protocol, cast

from scout_cli.core import shape
from scout_cli.errors import InvalidInput, Refused
from scout_cli.store.archive_file import FORMAT, MANIFEST, MAX_LINE, VERSION, Entry, Manifest
from scout_cli.store.archive_schema import newest, tables
from scout_cli.store.archive_xz import Unpacking

_MAX_MANIFEST = 2**20
_MAX_SWELLING = 2_000
"""How many times its own size a compressed archive may unpack to, beyond `_ROOM`."""
_ROOM = 64 * 2**20
_BLOCK = 512
_CHUNK = 2**18
_MEMBER = re.compile(rb"manifest\.json|[a-z][a-z0-9_]{0,62}\.jsonl")


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Reader:
    """An archive that is being read, from its beginning to its end, once.

    Args:
        stream: the unpacked bytes.
        size: of the file, in bytes, packed as it is.
    """

    def __init__(self, stream: _Source, size: int) -> None:
        self._stream = stream
        self.manifest = self._manifest()
        self._check_tables()
        self._check_size(size)

    def _manifest(self) -> Manifest:
        size = self._header(MANIFEST)
        if size > _MAX_MANIFEST:
            raise unusable(f"its manifest has {size} bytes")
        text = self._exactly(size)
        self._exactly(-size % _BLOCK)
        try:
            found = shape.decode(text, Manifest, what=MANIFEST)
        except InvalidInput as error:
            raise unusable(error.message) from error
        if (found.format, found.version) != (FORMAT, VERSION):
            raise Refused(
                f"it is of another format: {found.format[:40]!r} {found.version}", hint=_UPGRADE
            )
        if found.schema > newest():
            raise Refused(
                f"the archive was made by a newer scout ({found.scout[:40]}, tables of version"
                f" {found.schema}; this scout knows {newest()})",
                hint=_UPGRADE,
            )
        return found

    def _check_tables(self) -> None:
        expected = [table.name for table in tables(self.manifest.schema)]
        given = [entry.table for entry in self.manifest.tables]
        if given != expected:
            odd = next((name for name in given if name not in expected), "")
            what = f"a table {odd[:60]!r} that scout has not" if odd else "other tables than scout"
            raise unusable(f"its manifest names {what}")

    def _check_size(self, size: int) -> None:
        whole = sum(entry.bytes for entry in self.manifest.tables)
        if whole > _ROOM + size * _MAX_SWELLING:
            raise unusable(f"{size} bytes claim to unpack to {whole}")

    def lines(self, entry: Entry) -> Iterator[bytes]:
        """Yield the lines of a table; when the last was taken, size, count and hash were right.

        Args:
            entry: the manifest's next one.

        Raises:
            InvalidInput: they are not; what was taken so far is worth nothing.
        """
        size = self._header(f"{entry.table}.jsonl")
        if size != entry.bytes:
            raise unusable(f"{entry.table} has {size} bytes, and its manifest says {entry.bytes}")
        digest, rows, rest = sha256(), 0, b""
        while size:
            chunk = self._exactly(min(size, _CHUNK))
            size -= len(chunk)
            digest.update(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > MAX_LINE:
                raise unusable(f"{entry.table} has a line of more than {MAX_LINE // 2**20} MiB")
            rows += len(whole)
            yield from whole
        if rest or rows != entry.rows or digest.hexdigest() != entry.sha256:
            raise unusable(f"{entry.table} is not what its manifest says: rows or SHA-256 differ")
        self._exactly(-entry.bytes % _BLOCK)

    def end(self) -> None:
        """Make sure that nothing follows the last table."""
        rest = b""
        while chunk := self._read(_CHUNK):
            rest += chunk
            if len(rest) > _CHUNK or rest.strip(b"\0"):
                raise unusable("something follows its last table")

    def _header(self, expected: str) -> int:
        block = self._exactly(_BLOCK)
        total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
        if block[148:156].strip(b" \0") != b"%06o" % total:
            raise unusable(f"where {expected} should begin is none of the files that scout writes")
        name = block[:100].rstrip(b"\0")
        if block[156:157] not in (b"0", b"\0") or block[345:500].strip(b"\0"):
            raise unusable(f"{_shown(name)} is no plain file")
        if not _MEMBER.fullmatch(name) or name != expected.encode():
            raise unusable(f"it holds {_shown(name)} where {expected} should be")
        return _octal(block[124:136])

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._read(size)
            if not part:
                raise unusable("it ends too early")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise unusable(f"it cannot be unpacked: {error}") from error


_UPGRADE = "upgrade scout: pip install --upgrade scout-watch"


def unusable(what: str) -> InvalidInput:
    """Return the error of an archive that is damaged or made up."""
    return InvalidInput(
        f"the archive cannot be used: {what}", hint="take another one; nothing was changed"
    )


def _shown(name: bytes) -> str:
    return ascii(name[:60].decode("utf-8", "replace"))


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]{1,12}", digits):
        raise unusable("a header of it has no size")
    return int(digits, 8)


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open an archive, compressed or not; its manifest is read and checked.

    Raises:
        InvalidInput: no archive, or one that is damaged or made up.
        Refused: it was made by a newer scout.
    """
    with ExitStack() as stack:
        file = stack.enter_context(_opened(path))
        size = os.fstat(file.fileno()).st_size
        yield Reader(stack.enter_context(closing(_unpacked(file))), size)


def _opened(path: Path) -> IO[bytes]:
    try:
        # A pipe without a writer would let us wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidInput(
            f"{path}: {error.strerror or error}", hint="scout backup FILE makes one"
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidInput(f"{path} is not a regular file", hint="give a file")
    return os.fdopen(descriptor, "rb")


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    if start == b"\xfd7zXZ\0":
        return cast("IO[bytes]", Unpacking(file))
    if start.startswith(b"SQLite"):
        raise InvalidInput(
            "it is an SQLite database, not an archive",
            hint="use it as it is: SCOUT_DATABASE_URL=sqlite:////absolute/path.db",
        )
    return file
