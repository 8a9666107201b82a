"""Room in reserve: a file beside the SQLite database that is given up when the disk is full.

On a full disk SQLite cannot even delete. The room of this file lets the clean-up work, and what
waited goes on without a restart.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from scout_cli.errors import DatabaseUnavailable

_CHUNK = 2**20
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")


class Ballast:
    """The reserve of one database.

    Args:
        database: the SQLite file.
        size: of the reserve, in bytes.
    """

    def __init__(self, database: Path, size: int) -> None:
        self.path = database.with_name(f"{database.name}.ballast")
        self._size = size

    def is_short(self) -> bool:
        """Return whether the disk is as good as full."""
        return shutil.disk_usage(self.path.parent).free < self._size // 16

    def make(self) -> bool:
        """Make the reserve when it is missing and twice its size is free; return whether."""
        if self.path.exists() or shutil.disk_usage(self.path.parent).free < 2 * self._size:
            return False
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            with unfinished.open("xb") as file:
                for start in range(0, self._size, _CHUNK):
                    # Not zeros, which some file systems store as nothing at all.
                    file.write(os.urandom(min(_CHUNK, self._size - start)))
                file.flush()
                os.fsync(file.fileno())
            unfinished.chmod(0o600)
            unfinished.replace(self.path)
        except OSError:
            return False  # the room is gone again; the next turn tries again
        finally:
            unfinished.unlink(missing_ok=True)
        return True

    def release(self) -> bool:
        """Give the reserve up; return whether there was one."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True


def is_full(error: BaseException) -> bool:
    """Return whether an error means that the disk of an SQLite database is full."""
    name = str(getattr(error.__cause__, "sqlite_errorname", ""))
    return isinstance(error, DatabaseUnavailable) and name.startswith(_FULL)
