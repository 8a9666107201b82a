"""The file of keys: made for its owner alone, replaced in one step, refused when others read it.

Nothing here repeats a key in an error.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shlex
import stat
import tomllib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from scout_cli import files
from scout_cli.config import file
from scout_cli.core import shape
from scout_cli.errors import ConfigError, InvalidInput

FILE_NAME = "keys.toml"
_MAX_FILE = 65_536
_LEAST = 32
"""Bytes of a secret that signs: as many as the hash of HS256 has (RFC 7518, section 3.2)."""
_HEAD = """\
# The keys of scout, newest first. Whoever reads this file can read the secrets in the database and
# sign in as anybody; without it those secrets are lost. Keep a copy apart from your backups.
"""

Kind = Literal["jwt_secrets", "secret_keys"]


class Kept(shape.Shape, frozen=True, kw_only=True):
    """What stands in the file, of both kinds the newest first."""

    jwt_secrets: tuple[str, ...] = ()
    secret_keys: tuple[str, ...] = ()


def made(kind: Kind) -> str:
    """Return a new key of this kind."""
    if kind == "secret_keys":
        return urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(48)


def mark(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is replaced."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_ino, status.st_size)


def read(path: Path) -> Kept | None:
    """Return what the file holds; None when it is not there."""
    data = _bytes(path)
    if data is None:
        return None
    # Not the reader of scouts.toml: a parser's words must not repeat a line of this file.
    try:
        kept = shape.convert(tomllib.loads(data.decode()), Kept)
    except (ValueError, RecursionError, InvalidInput):
        raise ConfigError(
            f"{path}: it is not a file of keys as scout writes them",
            hint=f"put back your copy of it, or move it away: {_move_away(path)}",
        ) from None
    where, hint = f"{path}: ", f"put back your copy of {path}"
    checked(kept.jwt_secrets, "jwt_secrets", f"{where}jwt_secrets", hint)
    checked(kept.secret_keys, "secret_keys", f"{where}secret_keys", hint)
    return kept


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other processes from writing the file meanwhile."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise _unreadable(path, error) from error
    finally:
        os.close(lock)


def write(path: Path, kept: Kept) -> None:
    """Put the file there in one step; after a crash it is the old one or the new one."""
    import tomli_w  # noqa: PLC0415 - once in the life of an installation

    text = _HEAD + "\n" + tomli_w.dumps(shape.plain(kept))
    with files.whole(path, replace=True) as stream:
        stream.write(text.encode())


def checked(keys: Sequence[str], kind: Kind, where: str, hint: str) -> tuple[str, ...]:
    """Return `keys` when all can be used; no error repeats one."""
    for number, key in enumerate(keys, start=1):
        if kind == "jwt_secrets" and len(key.encode()) < _LEAST:
            raise ConfigError(f"{where}: key {number} is shorter than {_LEAST} bytes", hint=hint)
        if kind == "secret_keys" and not _is_fernet(key):
            raise ConfigError(
                f"{where}: key {number} is not 32 bytes in URL-safe base64", hint=hint
            )
    return tuple(keys)


def _bytes(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        _check_privacy(path, os.fstat(descriptor))
        data = os.read(descriptor, _MAX_FILE + 1)
    finally:
        os.close(descriptor)
    return file.within(data, path, _MAX_FILE)


def _check_privacy(path: Path, status: os.stat_result) -> None:
    quoted = shlex.quote(str(path))
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{path}: not a regular file", hint=f"ls -l {quoted}")
    if status.st_uid not in (os.geteuid(), 0):
        raise ConfigError(f"{path}: it belongs to another user", hint=f"ls -l {quoted}")
    if status.st_mode & 0o077:
        raise ConfigError(
            f"{path}: it holds keys, and other users can read it", hint=f"chmod 600 {quoted}"
        )
    folder = path.parent.stat().st_mode
    if folder & 0o002 and not folder & stat.S_ISVTX:
        raise ConfigError(
            f"{path.parent}: it holds keys, and every user can replace them",
            hint=f"chmod 700 {shlex.quote(str(path.parent))}",
        )


def _is_fernet(key: str) -> bool:
    try:
        return len(urlsafe_b64decode(key.encode("ascii"))) == 32
    except ValueError:
        return False


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path}: the keys cannot be kept there: {error.strerror or error}",
        hint=f"ls -ld {shlex.quote(str(path.parent))}, or set SCOUT_SECRET_KEYS",
    )


def _move_away(path: Path) -> str:
    return f"mv {shlex.quote(str(path))} {shlex.quote(f'{path}.old')}"
