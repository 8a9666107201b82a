"""One file for everything: a tar of `manifest.json` and one JSON Lines file per table.

Any `tar` can list and unpack it. Formats: POSIX ustar, RFC 1952 (gzip), the .xz format.
"""

from __future__ import annotations

import gzip
import lzma
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, cast

from msgspec import Meta

from scout_cli import files
from scout_cli.core import shape
from scout_cli.core.shape import Shape
from scout_cli.errors import InvalidInput, Refused

FORMAT = "scout archive"
VERSION = 1
MANIFEST = "manifest.json"
MAX_LINE = 32 * 2**20
"""Bytes of one row."""

_MAX_MEMBER = 8 * 2**30 - 1
"""What the size field of a ustar header holds."""
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
    try:
        with files.whole(path, replace=force) as stream:
            yield stream
    except OSError as error:
        raise InvalidInput(
            f"{path}: {error.strerror or error}", hint="give a path where you can write"
        ) from error
