"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from scout_cli.errors import Conflict


@contextmanager
def whole(path: Path, *, replace: bool, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Write a file that appears under its name when the block has ended well, and then all of it.

    After a crash it is the old one or the new one, never a part.

    Args:
        path: where; with `replace` a link stays a link.
        replace: put it in the place of a file that is there.
        mode: who may do what with it.

    Raises:
        Conflict: there is a file, and `replace` was not said.
        OSError: it cannot be written there.
    """
    target = Path(os.path.realpath(path)) if replace else path
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    written = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        if replace:
            written.replace(target)
        else:
            _appear(written, path)
    finally:
        written.unlink(missing_ok=True)
    sync_folder(target.parent)


def _appear(written: Path, path: Path) -> None:
    try:
        path.hardlink_to(written)
    except FileExistsError as error:
        raise Conflict(f"{path} is there already", hint="say --force to overwrite it") from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as its files.

    A file system that cannot has the file all the same.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
