"""Reading `scouts.toml`: nothing about the file is trusted, not even that it is one."""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
import tomllib
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from scout_cli.errors import ConfigError

MAX_FILE = 1_048_576
"""Bytes; a larger configuration file is a mistake or an attack."""

_SECRET_WORD = re.compile(r"(?i)(^|[_-])(api_?key|key|token|secret|passw(or)?d|pw)$")
_TOKEN_SCHEMES = frozenset(
    "discord gchat gotify ifttt mailgun msteams pbul pover sendgrid slack tgram twilio".split()
)
"""Notification URLs whose path is the secret."""


class Document(NamedTuple):
    """A parsed file."""

    path: Path
    text: str
    tables: dict[str, Any]

    def line_of(self, name: str) -> int:
        """Return the line on which `name` stands as a key or a table, 1 when it cannot be told."""
        key = re.escape(name)
        pattern = rf"""(?m)^[ \t]*(?:\[+[ \t]*["']?{key}\b|["']?{key}["']?[ \t]*[=.])"""
        found = re.search(pattern, self.text)
        return self.text.count("\n", 0, found.start() + 1) + 1 if found else 1


def read(path: Path) -> Document:
    """Read and parse a configuration file.

    Args:
        path: a regular file of at most 1 MiB, UTF-8.

    Raises:
        ConfigError: it is missing, not such a file, or holds a secret that others can read.
    """
    data, mode = _read(path)
    text = _text(path, data)
    document = Document(path, text, _parse(path, text))
    if mode & 0o044 and _any_secret(document.tables):
        raise ConfigError(
            f"{path}: it holds a secret, and other users can read it",
            hint=f"chmod 600 {shlex.quote(str(path))}",
        )
    return document


def holds_secret(value: str) -> bool:
    """Return whether `value` is a URL with a password, key or token in it."""
    scheme, separator, _ = value.partition("://")
    if not separator:
        return False
    if scheme.lower() in _TOKEN_SCHEMES:
        return True
    try:
        parts = urlsplit(value)
        return bool(parts.password) or any(
            content and _SECRET_WORD.search(name) for name, content in parse_qsl(parts.query)
        )
    except ValueError:
        return "@" in value


def _read(path: Path) -> tuple[bytes, int]:
    """Return content and mode; a device, a pipe and a flood end here."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        missing = isinstance(error, OSError) and error.errno == errno.ENOENT
        hint = "check --config and SCOUT_CONFIG" if missing else f"ls -l {shlex.quote(str(path))}"
        raise ConfigError(f"{path}: {reason}", hint=hint) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path}: not a regular file", hint="give the path of a TOML file")
        data = os.read(descriptor, MAX_FILE + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_FILE:
        raise ConfigError(f"{path}: larger than 1 MiB", hint="keep only settings and scouts in it")
    return data, status.st_mode


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8", hint="save the file as UTF-8") from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problem = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigError(f"{path}: {problem}", hint=f"edit {path}") from error


def _any_secret(value: Any, name: str = "") -> bool:
    if isinstance(value, dict):
        return any(_any_secret(inner, key) for key, inner in value.items())
    if isinstance(value, list):
        return any(_any_secret(inner, name) for inner in value)
    return isinstance(value, str) and bool(
        value and (_SECRET_WORD.search(name) or holds_secret(value))
    )
