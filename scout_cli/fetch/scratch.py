"""The child's own home folder, and the sweeping up of those that a killed scout left behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "scout-reader-"


def make() -> Path:
    """Return a new private folder, named after this process."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


def remove(folder: Path) -> None:
    """Remove `folder` with all it holds; what is gone already is no error."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove this user's folders whose process is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and _is_mine(folder) and not _runs(int(owner)):
            remove(folder)


def _is_mine(folder: Path) -> bool:
    try:
        return folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
    except FileNotFoundError:
        return False


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
