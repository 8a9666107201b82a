"""The `[[scout]]` tables of a file: read with the place of every mistake, and written."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import FieldInfo, fields

from scout_cli.config.file import Document
from scout_cli.core import shape
from scout_cli.core.report import clean
from scout_cli.errors import ConfigError, InvalidInput
from scout_cli.service.declared import (
    HIDDEN,
    MAX_KEY,
    Declaration,
    DeclaredPlace,
    DeclaredScout,
    is_key,
    key_of,
)

_FIELDS = {info.name: info for info in fields(DeclaredScout)}
_PLACE = tuple(info.name for info in fields(DeclaredPlace))
_OTHER_NAMES = {
    "cron_line": "cron",
    "exclude": "exclude_domains",
    "feed": "feeds",
    "frequency": "every",
    "include": "include_domains",
    "is_active": "active",
    "lang": "language",
    "name": "title",
    "paused": "active",
    "place": "location",
    "query": "queries",
    "schedule": "every",
    "search_queries": "queries",
    "tz": "timezone",
    "url": "urls",
}
"""What people may write for a field: options of `scout add`, columns of the database."""


def read(document: Document) -> tuple[Declaration, ...]:
    """Return the scouts that a file declares, in its order.

    Raises:
        ConfigError: a key, value or identity that cannot be used; it names file and line.
    """
    for name in document.tables:
        if name not in ("settings", "scout"):
            where = f"{document.path}:{document.line_of(name)}"
            raise ConfigError(f"{where}: unknown key {name!r}", hint="write [[scout]] above it")
    tables = document.tables.get("scout", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        where = f"{document.path}:{document.line_of('scout')}"
        raise ConfigError(f"{where}: scout is not a list of tables", hint="write [[scout]]")
    heads = document.lines_of("scout")
    if len(heads) != len(tables):  # written as `scout = [{ ... }]`
        heads = [document.line_of("scout")] * len(tables)
    found = [
        _declaration(f"{document.path}:{head}", _Lines(document, index), table)
        for index, (head, table) in enumerate(zip(heads, tables, strict=True))
    ]
    _refuse_twins(found)
    return tuple(found)


def write(tables: Sequence[DeclaredScout]) -> str:
    """Return a file that `read` reads the same from; hidden secrets are explained in comments."""
    return "\n".join([_HEAD, *("".join(_table(each)) for each in tables)])


_HEAD = """\
# Scouts as `scout export` wrote them. `scout apply FILE` makes the scouts what is written here;
# a scout is known by its key. What else may stand here: scouts.toml.example.
"""


class _Lines(Mapping[str, str]):
    """Where the keys of one table stand; looked up when somebody asks, which only errors do."""

    def __init__(self, document: Document, index: int) -> None:
        self._document = document
        self._index = index

    def __getitem__(self, name: str) -> str:
        line = self._document.line_in("scout", self._index, name)
        return f"{self._document.path}:{line}"

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)


def _declaration(head: str, lines: _Lines, given: dict[str, Any]) -> Declaration:
    for name in given:
        if name not in _FIELDS:
            raise _unknown(lines[name], name)
    values = {name: _value(given[name], _FIELDS[name], lines) for name in given}
    table = DeclaredScout(**values)
    if table.every and table.cron:
        raise ConfigError(
            f"{lines['cron']}: a scout has one rhythm", hint="keep every or cron, not both"
        )
    if table.key and not is_key(table.key):
        raise ConfigError(
            f"{lines['key']}: {clean(table.key)[:80]!r} cannot be a key",
            hint=f"lower-case letters, digits and single dashes, at most {MAX_KEY}, such as "
            f"{key_of(table.key, '')}",
        )
    if not (table.key or table.title.strip() or table.goal.strip()):
        hint = 'write what to look for: goal = "..."'
        raise ConfigError(f"{head}: a scout without key, title and goal", hint=hint)
    key = table.key or key_of(table.title, table.goal)
    return Declaration(table=table, key=key, derived=not table.key, where=head, lines=lines)


def _value(given: Any, info: FieldInfo, lines: _Lines) -> Any:
    if isinstance(given, dict):
        for name in given:
            if info.name == "location" and name not in _PLACE:
                near = difflib.get_close_matches(name, _PLACE, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(_PLACE)}"
                raise ConfigError(
                    f"{lines['location']}: unknown key {name!r} in location", hint=hint
                )
    if any("\0" in text for text in _texts(given)):
        raise ConfigError(
            f"{lines[info.name]}: {info.name}: a NUL character cannot be stored",
            hint="take out \\u0000",
        )
    try:
        return shape.convert(given, info.type, what=info.name)
    except InvalidInput as problem:
        message = f"{lines[info.name]}: {problem.message}"
        raise ConfigError(message, hint="see scouts.toml.example") from problem


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)


def _unknown(where: str, name: str) -> ConfigError:
    near = [_OTHER_NAMES.get(name), *difflib.get_close_matches(name, _FIELDS, n=1)]
    best = next((each for each in near if each), None)
    hint = f"did you mean {best}?" if best else f"known: {', '.join(_FIELDS)}"
    return ConfigError(f"{where}: unknown key {clean(name)[:80]!r}", hint=hint)


def _refuse_twins(found: Sequence[Declaration]) -> None:
    """Refuse two tables with one key, and two with one title unless both have a key of their own.

    Raises:
        ConfigError: it names both lines.
    """
    keys: dict[str, Declaration] = {}
    titles: dict[str, Declaration] = {}
    for each in found:
        title = each.table.title.strip().casefold()
        first = keys.setdefault(each.key, each)
        if first is not each:
            raise _twins(each, first, f"the key {each.key!r}")
        first = titles.setdefault(title, each)
        if title and first is not each and (each.derived or first.derived):
            raise _twins(each, first, f"the title {clean(each.table.title)[:80]!r}")


def _twins(second: Declaration, first: Declaration, what: str) -> ConfigError:
    line = first.where.rpartition(":")[2]
    return ConfigError(
        f"{second.where}: {what} is that of the scout on line {line} too",
        hint="give each scout a key of its own",
    )


def _table(table: DeclaredScout) -> Iterator[str]:
    values: dict[str, Any] = shape.plain(table)
    yield "[[scout]]\n"
    for name, value in values.items():
        urls = value if isinstance(value, tuple) else ()
        if hidden := Counter(url for url in urls if url.endswith(HIDDEN)):
            yield f"# {clean(', '.join(hidden))}: holds a secret, which stays in the database\n"
        yield f"{name} = {_toml(value)}\n"


def _toml(value: Any) -> str:
    """Return a value as TOML; an array or a table of this depth on as few lines as it fits."""
    import tomli_w  # noqa: PLC0415 - only an export needs it

    if isinstance(value, dict):
        inner = ", ".join(f"{name} = {_toml(each)}" for name, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, tuple):
        flat = f"[{', '.join(_toml(each) for each in value)}]"
        if len(flat) <= 88:
            return flat
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")
