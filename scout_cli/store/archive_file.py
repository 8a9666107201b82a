"""One file for everything: a tar of `manifest.json` and one JSON Lines file per table.

Any `tar` can list and unpack it. What is read may come from anyone, so the reader takes exactly
what the writer makes: plain files, in the order of the manifest, of the sizes and hashes it names.
Formats: POSIX ustar, RFC 1952 (gzip), the .xz format.
"""

from __future__ import annotations

import gzip
import lzma
import os
import re
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Annotated, Protocol, cast

from msgspec import Meta

from scout_cli.core import shape
from scout_cli.core.shape import Shape
from scout_cli.errors import Conflict, InvalidInput, Refused
from scout_cli.store.archive_schema import newest, tables
from scout_cli.store.archive_xz import Unpacking

FORMAT = "scout archive"
VERSION = 1
MANIFEST = "manifest.json"
MAX_LINE = 32 * 2**20
"""Bytes of one row."""

_MAX_MANIFEST = 2**20
_MAX_MEMBER = 8 * 2**30 - 1
"""What the size field of a ustar header holds."""
_MAX_SWELLING = 2_000
"""How many times its own size a compressed archive may unpack to, beyond `_ROOM`."""
_ROOM = 64 * 2**20
_BLOCK = 512
_CHUNK = 2**18
_MEMBER = re.compile(rb"manifest\.json|[a-z][a-z0-9_]{0,62}\.jsonl")
_HEX = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Count = Annotated[int, Meta(ge=0, le=2**53)]


class Entry(Shape, frozen=True, kw_only=True):
    """One table of an archive."""

    table: str
    rows: _Count
    bytes: _Count
    sha256: _HEX


class Manifest(Shape, frozen=True, kw_only=True):
    """What an archive says of itself, in its first file."""

    format: str
    version: int
    schema: Annotated[int, Meta(ge=1, le=9_999)]
    """The number of the last migration that the database had."""
    scout: Annotated[str, Meta(max_length=100)]
    """The version of the program that made it."""
    kind: Annotated[str, Meta(max_length=100)]
    """The kind of database it was made from."""
    made_at: Annotated[datetime, Meta(tz=True)]
    tables: Annotated[tuple[Entry, ...], Meta(max_length=1_000)]


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


def write(path: Path, manifest: Manifest, members: Sequence[Path], *, force: bool) -> None:
    """Write an archive whole or not at all, readable for its owner alone.

    Args:
        path: where; `.gz` or `.tgz` at its end compresses with gzip, `.xz` or `.txz` with xz.
        manifest: its first file.
        members: the file of each table, in the manifest's order.
        force: replace the file that is there.

    Raises:
        Conflict: there is a file, and `force` was not said.
        InvalidInput: it cannot be written there.
        Refused: a table of more than 8 GiB.
    """
    if any(entry.bytes > _MAX_MEMBER for entry in manifest.tables):
        raise Refused("a table of more than 8 GiB does not fit into an archive")
    with _landing(path, force=force) as stream, ExitStack() as stack:
        packed = stack.enter_context(_packing(stream, path.suffix.lower()))
        tar = stack.enter_context(
            tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT)
        )
        text = shape.encode(manifest)
        with tempfile.TemporaryFile() as first:
            first.write(text)
            first.seek(0)
            tar.addfile(_info(MANIFEST, len(text), manifest.made_at), first)
        for entry, member in zip(manifest.tables, members, strict=True):
            with member.open("rb") as lines:
                info = _info(f"{entry.table}.jsonl", entry.bytes, manifest.made_at)
                tar.addfile(info, lines)


def _info(name: str, size: int, at: datetime) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(at.timestamp())
    return info


@contextmanager
def _packing(stream: IO[bytes], suffix: str) -> Iterator[IO[bytes]]:
    if suffix in (".gz", ".tgz"):
        with gzip.GzipFile(fileobj=stream, filename="", mode="wb", compresslevel=6) as packed:
            yield cast("IO[bytes]", packed)
    elif suffix in (".xz", ".txz"):
        with lzma.LZMAFile(stream, mode="wb", preset=3) as packed_xz:
            yield packed_xz
    else:
        yield stream


@contextmanager
def _landing(path: Path, *, force: bool) -> Iterator[IO[bytes]]:
    target = Path(os.path.realpath(path)) if force else path
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        written = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            if force:
                written.replace(target)
            else:
                target.hardlink_to(written)
        finally:
            written.unlink(missing_ok=True)
    except FileExistsError as error:
        raise Conflict(f"{path} is there already", hint="say --force to overwrite it") from error
    except OSError as error:
        raise InvalidInput(
            f"{path}: {error.strerror or error}", hint="give a path where you can write"
        ) from error


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
