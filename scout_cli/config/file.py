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
MAX_SCOUTS = 8 * MAX_FILE
"""Bytes of a file of scouts, which is read only when somebody names it: some 10,000 of them."""

_SECRET_WORD = re.compile(r"(?i)(^|[_-])(api_?keys?|keys?|tokens?|secrets?|passw(or)?ds?|pw)$")
_TOKEN_SCHEMES = frozenset(
    "discord gchat gotify ifttt mailgun msteams pbul pover sendgrid slack tgram twilio".split()
)
"""Notification URLs whose path is the secret."""
_KEYED_SCHEMES = ("resend", "webhook", "ntfy")
"""Channels that keep a key where other URLs have a user name."""


_STRINGS = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""(?:"{0,2})|\'{3}.*?\'{3}(?:\'{0,2})'''  # several lines
    r"""|(?P<short>"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')|\#[^\n]*""",  # one line, and comments
    re.DOTALL,
)
_HEADER = r"(?m)^[ \t]*\[\[[ \t]*{name}[ \t]*\]\]"
_POSITION = re.compile(r"\(at line (\d+), column \d+\)$")


class Document(NamedTuple):
    """A parsed file."""

    path: Path
    text: str
    tables: dict[str, Any]

    def line_of(self, name: str) -> int:
        """Return the line on which `name` stands as a key or a table, 1 when it cannot be told."""
        return self._line(name, 0, len(self.text))

    def lines_of(self, tables: str) -> list[int]:
        """Return the lines on which the `[[tables]]` begin, one for each."""
        bare, at, line, found = self._bare(), 0, 1, []
        for head in re.finditer(_head(tables), bare):
            line, at = line + bare.count("\n", at, head.start()), head.start()
            found.append(line)
        return found

    def line_in(self, tables: str, index: int, name: str) -> int:
        """Return the line of a key in one of several `[[tables]]`, else that of the table.

        Args:
            tables: the name in the double brackets.
            index: which of them, counting from 0.
            name: the key.
        """
        bare = self._bare()
        heads = [found.start() for found in re.finditer(_head(tables), bare)]
        if index >= len(heads):
            return self.line_of(tables)
        start, end = heads[index], [*heads, len(bare)][index + 1]
        return self._line(name, start, end, otherwise=bare.count("\n", 0, start) + 1)

    def _line(self, name: str, start: int, end: int, otherwise: int = 1) -> int:
        key, bare = _key(name), self._bare()
        pattern = rf"""(?m)^[ \t]*(?:\[+[ \t]*{key}(?![\w-])|{key}[ \t]*[=.])"""
        found = re.compile(pattern).search(bare, start, end)
        return bare.count("\n", 0, found.start() + 1) + 1 if found else otherwise

    def _bare(self) -> str:
        """Return the text with comments and strings of several lines blanked, lines kept."""
        return _STRINGS.sub(_blanked, self.text)


def read(path: Path, limit: int = MAX_FILE) -> Document:
    """Read and parse a configuration file.

    Args:
        path: a regular file, UTF-8.
        limit: how many bytes it may have.

    Raises:
        ConfigError: it is missing, not such a file, or holds a secret that others can read.
    """
    data, mode = _read(path, limit)
    document = parse(data, path)
    if mode & 0o044 and _any_secret(document.tables):
        raise ConfigError(
            f"{path}: it holds a secret, and other users can read it",
            hint=f"chmod 600 {shlex.quote(str(path))}",
        )
    return document


def parse(data: bytes, path: Path) -> Document:
    """Parse the content of a configuration file.

    Args:
        data: UTF-8, maybe with a byte order mark.
        path: how errors call it.

    Raises:
        ConfigError: it is not TOML; the message names the line.
    """
    text = _text(path, data)
    return Document(path, text, _parse(path, text))


def holds_secret(value: str) -> bool:
    """Return whether `value` is a URL with a password, key or token in it."""
    scheme, separator, rest = value.partition("://")
    if not separator or rest == "***":  # what stands in an exported file for a secret
        return False
    if scheme.lower() in _TOKEN_SCHEMES:
        return True
    try:
        parts = urlsplit(value)
        keyed = scheme.lower().startswith(_KEYED_SCHEMES) and bool(parts.username)
        return (
            keyed
            or bool(parts.password)
            or any(
                content and _SECRET_WORD.search(name)
                for name, content in parse_qsl(f"{parts.query}&{parts.fragment}")
            )
        )
    except ValueError:
        return "@" in value


def _read(path: Path, limit: int) -> tuple[bytes, int]:
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
        data = os.read(descriptor, limit + 1)
    finally:
        os.close(descriptor)
    return within(data, path, limit), status.st_mode


def within(data: bytes, path: Path, limit: int) -> bytes:
    """Return `data`, of which up to one byte more than `limit` was read.

    Raises:
        ConfigError: there is more of it.
    """
    if len(data) > limit:
        size = f"larger than {limit // 2**20} MiB"
        raise ConfigError(f"{path}: {size}", hint="keep only settings and scouts in it")
    return data


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
        position = _POSITION.search(problem)
        where = f"{path}:{position[1]}" if position else str(path)
        raise ConfigError(f"{where}: {problem}", hint=f"edit {path}") from error


def _any_secret(value: Any, name: str = "") -> bool:
    if isinstance(value, dict):
        # The key of a scout is its name.
        return any(_any_secret(inner, key) for key, inner in value.items() if key != "key")
    if isinstance(value, list):
        return any(_any_secret(inner, name) for inner in value)
    return isinstance(value, str) and bool(
        value and (_SECRET_WORD.search(name) or holds_secret(value))
    )


def _head(name: str) -> str:
    return _HEADER.format(name=_key(name))


def _key(name: str) -> str:
    escaped = re.escape(name)
    return rf"""(?:{escaped}|"{escaped}"|'{escaped}')"""


def _blanked(found: re.Match[str]) -> str:
    return found[0] if found["short"] else re.sub(r"[^\n]", " ", found[0])
