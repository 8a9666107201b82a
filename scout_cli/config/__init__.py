"""What scout is told about its surroundings: defaults < scouts.toml < environment < flags.

This is the only module that reads the environment. A setting called `num_ctx` is `num_ctx` in the
`[settings]` table and `SCOUT_NUM_CTX` in the environment; lists are separated by white space there.
`[[scout]]` tables belong to another command and are let through.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import FieldInfo, fields

from scout_cli.config import file
from scout_cli.config.file import holds_secret
from scout_cli.config.settings import Settings, platform_folder
from scout_cli.core import shape
from scout_cli.errors import ConfigError, InvalidInput

__all__ = ["Loaded", "Settings", "environment_name", "holds_secret", "load", "machine_timezone"]

FILE_NAME = "scouts.toml"

_FLAGS = {"database_url": "--database"}
_FOREIGN = {"ollama_host": "OLLAMA_HOST", "ollama_api_key": "OLLAMA_API_KEY"}


class Loaded(NamedTuple):
    """Settings, where each came from, and the file that was read."""

    settings: Settings
    origins: dict[str, str]
    """Setting -> `default`, `scouts.toml:3`, `SCOUT_NUM_CTX` or `--database`."""
    path: Path | None


def environment_name(setting: str) -> str:
    """Return the environment variable that sets `setting`."""
    return _FOREIGN.get(setting, f"SCOUT_{setting.upper()}")


def load(
    config_path: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path = Path(),
) -> Loaded:
    """Gather the settings; what comes later wins: defaults, file, environment, flags.

    Args:
        config_path: the file named by `--config`; it must exist.
        flags: setting -> value, None for a flag that was not given.
        environ: the environment; the process's own when None.
        cwd: the folder in which `scouts.toml` is looked for.

    Raises:
        ConfigError: a file, key or value that cannot be used; it names the place.
    """
    environ = os.environ if environ is None else environ
    known = {info.name: info for info in fields(Settings)}
    path = _find(config_path, environ, cwd)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source in (
        _from_file(path, known) if path else (),
        _from_environment(environ, known),
        _from_flags(flags or {}, known),
    ):
        for name, value, origin in source:
            values[name], origins[name] = value, origin
    return Loaded(Settings(**values), {n: origins.get(n, "default") for n in known}, path)


def machine_timezone(
    environ: Mapping[str, str] | None = None, localtime: Path = Path("/etc/localtime")
) -> str:
    """Return the IANA name of this machine's time zone, `UTC` when it has none.

    Args:
        environ: the environment; the process's own when None. `TZ` wins.
        localtime: the link that names the zone (Linux, macOS).

    Raises:
        ConfigError: `TZ` is not a zone; the nearest match is offered.
    """
    from scout_cli.core import schedule  # noqa: PLC0415 - only `add` needs a zone

    named = (os.environ if environ is None else environ).get("TZ", "").removeprefix(":")
    if named:
        try:
            return schedule.parse(timezone=named).timezone
        except InvalidInput as error:
            raise ConfigError(f"TZ: {error.message}", hint=f"{error.hint} Or give --tz") from error
    linked = os.path.realpath(localtime).partition("zoneinfo/")[2]
    if linked in ("", "Etc/UTC"):
        return "UTC"
    try:
        return schedule.parse(timezone=linked).timezone
    except InvalidInput:
        return "UTC"


def _find(config_path: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    if config_path is not None:
        return config_path
    if named := environ.get("SCOUT_CONFIG"):
        return Path(named)
    folder = platform_folder("config")
    candidates = [cwd / FILE_NAME, *([folder / FILE_NAME] if folder else [])]
    return next((path for path in candidates if os.path.lexists(path)), None)


_Source = Iterator[tuple[str, Any, str]]
_Fields = Mapping[str, FieldInfo]


def _from_file(path: Path, known: _Fields) -> _Source:
    document = file.read(path)
    tables = document.tables
    _refuse_strangers(document, tables, ("settings", "scout"))
    settings, scouts = tables.get("settings", {}), tables.get("scout", [])
    if not isinstance(settings, dict):
        raise ConfigError(f"{path}: settings is not a table", hint="write [settings] above them")
    if not isinstance(scouts, list) or not all(isinstance(scout, dict) for scout in scouts):
        raise ConfigError(f"{path}: scout is not a list of tables", hint="write [[scout]]")
    _refuse_strangers(document, settings, tuple(known))
    for name, given in settings.items():
        where = f"{path}:{document.line_of(name)}"
        value = given.split() if _is_list(known[name]) and isinstance(given, str) else given
        yield name, _check(value, known[name], f"{where}: {name}", hint=f"edit {path}"), where


def _from_environment(environ: Mapping[str, str], known: _Fields) -> _Source:
    names = {environment_name(name): name for name in known}
    known_names = [*names, "SCOUT_CONFIG"]
    for variable in environ:
        if variable.startswith("SCOUT_") and variable not in known_names:
            _refuse_misspelt(variable, known_names)
    for variable, name in names.items():
        if text := environ.get(variable, "").strip():
            value = _words(text, known[name])
            hint = f"unset {variable}"
            yield name, _check(value, known[name], variable, hint=hint, strict=False), variable


def _from_flags(flags: Mapping[str, Any], known: _Fields) -> _Source:
    for name, value in flags.items():
        if value is None:
            continue
        flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
        if name in _FOREIGN or (isinstance(value, str) and holds_secret(value)):
            raise ConfigError(
                f"{flag}: a password does not belong on a command line, where others can read it",
                hint=f"set {environment_name(name)} in the environment instead",
            )
        yield name, _check(value, known[name], flag, hint="scout --help"), flag


def _check(value: Any, info: FieldInfo, what: str, *, hint: str, strict: bool = True) -> Any:
    try:
        return shape.convert(value, info.type, what=what, strict=strict)
    except InvalidInput as error:
        raise ConfigError(error.message, hint=hint) from error


def _words(text: str, info: FieldInfo) -> Any:
    if not _is_list(info):
        return text
    words = text.split()
    truth = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if info.name == "allow_private_networks" and len(words) == 1:
        return truth.get(words[0].lower(), words)
    return words


def _is_list(info: FieldInfo) -> bool:
    return "tuple" in str(info.type)


def _refuse_strangers(
    document: file.Document, table: Mapping[str, Any], known: tuple[str, ...]
) -> None:
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            where = f"{document.path}:{document.line_of(name)}"
            raise ConfigError(f"{where}: unknown key {name!r}", hint=hint)


def _refuse_misspelt(variable: str, known: list[str]) -> None:
    """Refuse a near miss; other programs too have variables that begin with SCOUT_."""
    if near := difflib.get_close_matches(variable, known, n=1, cutoff=0.85):
        raise ConfigError(f"{variable}: no such setting", hint=f"did you mean {near[0]}?")
