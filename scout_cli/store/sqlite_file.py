"""The file behind `sqlite:///...`: where it is, and whether it may be trusted with data."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import quote, unquote

from scout_cli.errors import ConfigError, DatabaseUnavailable

ELSEWHERE = (
    "put it where you can write: SCOUT_DATABASE_URL=sqlite:////absolute/path/scout.db, "
    "or database_url in a file named by scout --config"
)
_FORMS = "write sqlite:///relative.db or sqlite:////absolute/path.db"
_MAGIC = b"SQLite format 3\0"
_EFFECTIVE = os.access in os.supports_effective_ids
_MOUNTS = Path("/proc/self/mounts")
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "9p", "ceph", "glusterfs"}


def path_of(url: str) -> Path:
    """Return the file that `url` names; a relative one is below the working folder.

    Args:
        url: `sqlite:///relative.db` or `sqlite:////absolute.db`, percent-encoded.

    Raises:
        ConfigError: another form, `:memory:`, parameters, or no file name.
    """
    rest = url.partition(":")[2]
    name = unquote(rest.removeprefix("///"))
    if ":memory:" in name:
        raise ConfigError(
            "database_url: a database in memory would forget every scout when the command ends",
            hint=_FORMS,
        )
    if not rest.startswith("///") or not name.strip("/"):
        raise ConfigError("database_url: this SQLite URL names no file", hint=_FORMS)
    if "?" in rest or "#" in rest or "\0" in name:
        raise ConfigError("database_url: a SQLite URL is a path and nothing else", hint=_FORMS)
    if name.startswith("~"):
        raise ConfigError("database_url: ~ is not expanded in a URL", hint=_FORMS)
    return Path(name).absolute()


def url_of(path: Path) -> str:
    """Return the URL that names a file, whatever signs are in its path."""
    return f"sqlite:///{quote(str(path))}"


def prepare(path: Path, *, mounts: Path = _MOUNTS) -> None:
    """Check that `path` can hold a database, and create folder (0700) and file (0600) if missing.

    Args:
        path: the file.
        mounts: lists the mounted file systems, see fstab(5); without it they are not looked at.

    Raises:
        DatabaseUnavailable: a network file system, not a regular file, not SQLite, not writable.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_file_system(path.parent, mounts)
        _create(path)
        _check_writable(path)
    except OSError as error:
        raise DatabaseUnavailable(
            f"cannot write the database {path}: {error.strerror or error}",
            hint=ELSEWHERE,
            retryable=False,
        ) from error
    _check_magic(path)


def _create(path: Path) -> None:
    if not path.exists():
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.close(descriptor)


def _check_writable(path: Path) -> None:
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "it is not a regular file")
    # The folder too: SQLite keeps its write-ahead log beside the file.
    for place in (path, path.parent):
        if not os.access(place, os.R_OK | os.W_OK, effective_ids=_EFFECTIVE):
            raise PermissionError(13, f"no permission to read and write {place}")


def _check_magic(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    if start and start != _MAGIC:
        raise DatabaseUnavailable(
            f"{path} is not an SQLite database; it was left as it is",
            hint=ELSEWHERE,
            retryable=False,
        )


def _check_file_system(folder: Path, mounts: Path) -> None:
    if not mounts.exists():
        return
    kind = file_system(folder, mounts.read_text())
    if kind in _NETWORK:
        raise DatabaseUnavailable(
            f"{folder} is on a network file system ({kind}), where SQLite loses data",
            hint=f"use PostgreSQL, or {ELSEWHERE}",
            retryable=False,
        )
    if kind.startswith("fuse"):
        import logging  # noqa: PLC0415 - 4 ms that Tab does not need

        logger = logging.getLogger(__name__)
        logger.warning("%s is on %s; SQLite needs its locks to work there", folder, kind)


def file_system(folder: Path, mounts: str) -> str:
    """Return the type of the file system that holds `folder`, empty when unknown.

    Args:
        folder: any path; links are followed.
        mounts: the text of `/proc/self/mounts` (see fstab(5)); the later of two equal mounts wins.
    """
    real = os.path.realpath(folder)
    best, kind = "", ""
    for line in mounts.splitlines():
        _, point, found, *_ = line.split(" ")
        # fstab(5) writes a blank in a path as \040; file names are bytes.
        point = point.encode().decode("unicode_escape").encode("latin-1").decode(errors="replace")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, found
    return kind
