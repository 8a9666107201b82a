"""Changing one setting in a file and nothing else: comments, order and white space stay.

The editor knows just enough of TOML to tell where a statement begins and ends. It does not need to
be right about all of it: what it wrote is parsed again, and kept only if exactly the wanted key has
changed. Source: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from scout_cli import files
from scout_cli.config import file
from scout_cli.errors import ConfigError

_TABLE = "settings"
_BOM = b"\xef\xbb\xbf"
_SECRET = re.compile(r"(?i)(^|_)(keys?|tokens?|secrets?|passw(or)?ds?|pw)$")
_HEADER = re.compile(r"[ \t]*\[")
_OURS = re.compile(rf"""[ \t]*\[[ \t]*["']?{_TABLE}["']?[ \t]*\][ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)""")
_KEY = re.compile(r"""[ \t]*(?:"([^"\\\n]*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*=[ \t]*""")
_TOKEN = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'{3}.*?\'{3,5}'''  # several lines
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'"""  # one line
    r"""|\#[^\n]*|[\[\]{}]|\n|[^"'#\[\]{}\n]+|.""",
    re.DOTALL,
)


class _Statement(NamedTuple):
    """`key = value`, from the start of its line to the end of the line on which it ends."""

    key: str
    start: int
    value: int
    """Where the value begins."""
    after: int
    """Where it ends, white space before a comment not included."""
    end: int


def set_value(text: str, name: str, value: Any) -> str:
    """Return `text` with `name` set in its table `[settings]`, which is added when missing.

    Args:
        text: a TOML document, its lines ended by LF or CRLF.
        name: a bare key.
        value: a string, number, boolean, or a list of them.

    Raises:
        ConfigError: it cannot be done without touching something else.
    """
    before = _parsed(text)
    written = _written(value)
    wanted = {**before, _TABLE: {**_table(before), name: value}}
    return _only_if(_with(text, name, written), wanted)


def unset(text: str, name: str) -> str:
    """Return `text` without the key `name` of its table `[settings]`.

    Raises:
        ConfigError: it cannot be done without touching something else.
    """
    before = _parsed(text)
    left = {key: value for key, value in _table(before).items() if key != name}
    found = next((each for each in _statements(text) if each.key == name), None)
    if found is None and name not in _table(before):
        return text
    shorter = text[: found.start] + text[found.end :] if found else text
    return _only_if(shorter, {**before, _TABLE: left})


def is_set(text: str, name: str) -> bool:
    """Return whether `text` sets `name` in its table `[settings]`."""
    return name in _table(_parsed(text))


def listed(text: str, name: str) -> list[str]:
    """Return the words that `text` sets `name` to: a list, or one string with blanks in it."""
    value = _table(_parsed(text)).get(name, [])
    return value.split() if isinstance(value, str) else [str(word) for word in value]


def is_secret_name(name: str) -> bool:
    """Return whether a value with this name is a secret."""
    return bool(_SECRET.search(name))


def holds_secret(text: str) -> bool:
    """Return whether a document holds what others must not read; in doubt it does."""
    return _any_secret(_parsed(text), "")


def _any_secret(value: Any, name: str) -> bool:
    if isinstance(value, dict):
        return any(_any_secret(inner, key) for key, inner in value.items())
    if isinstance(value, list):
        return any(_any_secret(inner, name) for inner in value)
    return isinstance(value, str) and bool(
        value and (is_secret_name(name) or file.holds_secret(value))
    )


def read(path: Path) -> str:
    """Return the text of a configuration file, empty for one that is not there.

    Raises:
        ConfigError: it cannot be read, or is no TOML.
    """
    return file.read(path).text if os.path.lexists(path) else ""


def write(path: Path, text: str, *, secret: bool) -> None:
    """Replace the content of `path` in one step; a link stays a link.

    Mode and line ends stay; a new file, and one that holds a secret, is its owner's alone.

    Args:
        path: the file; missing folders are made.
        text: a TOML document.
        secret: whether others must not read it.

    Raises:
        ConfigError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        mark = target.exists() and target.read_bytes().startswith(_BOM)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with files.whole(target, replace=True, mode=mode & 0o700 if secret else mode) as out:
            out.write((_BOM if mark else b"") + text.encode())
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror or error}",
            hint=f"ls -l {shlex.quote(str(path.parent))}",
        ) from error


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not TOML: {error}", hint="edit the file") from error


def _table(document: dict[str, Any]) -> dict[str, Any]:
    found = document.get(_TABLE, {})
    return found if isinstance(found, dict) else {}


def _written(value: Any) -> str:
    """Return a value as TOML, on one line."""
    import tomli_w  # noqa: PLC0415 - only for somebody who changes a file

    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").removesuffix("\n")


def _only_if(text: str, wanted: dict[str, Any]) -> str:
    """Return `text` if it says exactly what is wanted; an empty table is as good as none."""
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError):
        found = {}
    if found.get(_TABLE) or wanted.get(_TABLE):
        same = found == wanted
    else:
        same = {**found, _TABLE: {}} == {**wanted, _TABLE: {}}
    if not same:
        raise ConfigError(
            "the settings are written in a form that cannot be changed line by line",
            hint=f"write them below a line [{_TABLE}], or edit the file by hand",
        )
    return text


def _with(text: str, name: str, written: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    statements = list(_statements(text))
    found = next((each for each in statements if each.key == name), None)
    if found is not None:
        old = text[found.value : found.after]
        return text[: found.value] + written + _moved(text[found.after :], old, written)
    line = f"{name} = {written}{newline}"
    place = statements[-1].end if statements else _below_header(text)
    if place is None:
        gap = newline if text.strip() else ""
        return f"{_ended(text, newline)}{gap}[{_TABLE}]{newline}{line}"
    return _ended(text[:place], newline) + line + text[place:]


def _moved(rest: str, old: str, written: str) -> str:
    """Return what follows a value; a comment on its line keeps its column where it can."""
    found = re.match(r"([ \t]+)#", rest)
    if not found or "\n" in old + written:
        return rest
    room = len(found[1]) + len(old) - len(written)
    return " " * max(room, 2) + rest[found.end(1) :]


def _ended(text: str, newline: str) -> str:
    return text if not text or text.endswith("\n") else text + newline


def _below_header(text: str) -> int | None:
    """Return where the line after `[settings]` begins, None without such a line."""
    return next((end for start, end in _lines(text) if _OURS.fullmatch(text, start, end)), None)


def _statements(text: str) -> Iterator[_Statement]:
    """Yield the statements of `[settings]`, in order."""
    inside = False
    for start, end in _lines(text):
        if _HEADER.match(text, start):
            inside = bool(_OURS.fullmatch(text, start, end))
        elif inside and (found := _KEY.match(text, start)):
            key = next(part for part in found.groups() if part is not None)
            yield _Statement(key, start, found.end(), _value_end(text, found.end(), end), end)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each logical line: brackets and long strings hold lines together."""
    start = at = depth = 0
    is_statement = False
    for token in _TOKEN.finditer(text):
        at, piece = token.end(), token[0]
        if piece in "[{" and is_statement:
            depth += 1
        elif piece in "]}" and is_statement:
            depth = max(0, depth - 1)
        elif piece == "\n" and depth == 0:
            yield start, at
            start, is_statement = at, False
        elif "=" in piece and piece[0] not in "\"'#":
            is_statement = True
    if start < len(text):
        yield start, at


def _value_end(text: str, start: int, end: int) -> int:
    """Return where the value that begins at `start` ends, before white space and a comment."""
    last = start
    for token in _TOKEN.finditer(text, start, end):
        if not token[0].startswith("#") and token[0].strip():
            last = token.start() + len(token[0].rstrip())
    return last
