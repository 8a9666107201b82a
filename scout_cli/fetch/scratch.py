"""The children's own home folders, and the sweeping up after a scout that was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Literal

from scout_cli.fetch import groups

Kind = Literal["reader", "browser"]

_KINDS: tuple[Kind, ...] = ("reader", "browser")
_SHORT = Path("/tmp")  # noqa: S108 - the folders made there are private
_LONGEST = 27
"""Bytes of a temporary folder's path with which a browser starts: the path of a socket has room for
103 of them on macOS, and Chromium's own in its folder takes 76."""


def make(kind: Kind = "reader") -> Path:
    """Return a new private folder, named after what it is for and after this process."""
    return Path(tempfile.mkdtemp(prefix=f"scout-{kind}-{os.getpid()}-", dir=_place(kind)))


def remove(folder: Path) -> None:
    """Remove `folder` with all it holds; what is gone already is no error."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove this user's folders whose process is gone, and end what still runs in them."""
    for kind in _KINDS:
        prefix = f"scout-{kind}-"
        for folder in _place(kind).glob(f"{prefix}*-*"):
            owner = folder.name.removeprefix(prefix).partition("-")[0]
            if owner.isdigit() and _is_mine(folder) and not _runs(int(owner)):
                if kind == "browser":
                    groups.end(folder)
                remove(folder)


def _place(kind: Kind) -> Path:
    usual = Path(tempfile.gettempdir())
    fits = kind != "browser" or len(os.fsencode(usual)) <= _LONGEST
    return usual if fits or not os.access(_SHORT, os.W_OK) else _SHORT


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
