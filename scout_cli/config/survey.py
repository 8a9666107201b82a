"""Every fault of the configuration at once, and the settings that stand in spite of them.

`load` stops at the first fault, as a command must; whoever looks for faults wants all of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from msgspec.structs import fields

from scout_cli import config
from scout_cli.config import FILE_NAME, Loaded, Settings, file
from scout_cli.errors import ConfigError


class Surveyed(NamedTuple):
    """What was found."""

    loaded: Loaded | None
    """None when the file cannot be read, or there is no place for a database: what a person meant
    is then not known."""
    problems: list[ConfigError]


class Place(NamedTuple):
    """Where a file of settings is looked for."""

    path: Path
    why: str
    """Such as `--config` or `the working folder`."""
    is_there: bool


def platform_file() -> Path | None:
    """Return the file of settings in the platform's folder; None where there is no home."""
    import platformdirs  # noqa: PLC0415 - only for somebody who has asked

    folder = Path(platformdirs.user_config_path("scout", appauthor=False))
    return folder / FILE_NAME if folder.is_absolute() else None


def places(
    config_path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path = Path(),
) -> list[Place]:
    """Return where settings are looked for, in order; a named file is the only place.

    The arguments are those of `load`.
    """
    environ = os.environ if environ is None else environ
    if config_path is not None:
        found = [(config_path, "--config")]
    elif named := environ.get("SCOUT_CONFIG"):
        found = [(Path(named), "SCOUT_CONFIG")]
    else:
        folder = platform_file()
        found = [((cwd / FILE_NAME).absolute(), "the working folder")]
        found += [(folder, "the platform's folder")] if folder else []
    return [Place(path, why, os.path.lexists(path)) for path, why in found]


def survey(
    config_path: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path = Path(),
) -> Surveyed:
    """Gather the settings as `load` does, leaving out what cannot be used.

    The arguments are those of `load`.
    """
    environ = os.environ if environ is None else environ
    looked = places(config_path, environ, cwd)
    named = len(looked) == 1
    path = next((place.path for place in looked if named or place.is_there), None)
    try:
        found = _tried(_trials(path, flags or {}, environ), path)
    except ConfigError as error:
        return Surveyed(None, [error])
    try:
        settings = Settings(**found.values)
    except ConfigError as error:
        return Surveyed(None, [*found.problems, error])
    names = [info.name for info in fields(Settings)]
    origins = {name: found.origins.get(name, "default") for name in names}
    return Surveyed(Loaded(settings, origins, path), found.problems)


def value_of(name: str, text: str) -> Any:
    """Return the value that `text` means for a setting, as its variable would be read.

    Raises:
        ConfigError: it cannot be used.
    """
    variable = config.environment_name(name)
    found = _tried(iter([_Trial(variable, environ={variable: text})]), None)
    if found.problems:
        message = found.problems[0].message.replace(variable, name)
        raise ConfigError(message, hint=f"its default is {_default(name)}")
    return found.values[name]


def _default(name: str) -> str:
    value = getattr(next(info for info in fields(Settings) if info.name == name), "default", "")
    words = value if isinstance(value, tuple) else (value,)
    return " ".join(str(word) for word in words).lower() or "empty"


class _Trial(NamedTuple):
    """One key, from one source, to be loaded by itself."""

    name: str
    """Of the key or the variable."""
    text: str = ""
    """A file that says it on the line on which the real file does."""
    flags: Mapping[str, Any] = {}
    environ: Mapping[str, str] = {}


def _trials(
    path: Path | None, flags: Mapping[str, Any], environ: Mapping[str, str]
) -> Iterator[_Trial]:
    """Yield every key of every source; what comes later wins, as it does in `load`."""
    if path is not None:
        yield from _of_file(path)
    ours = {config.environment_name(info.name) for info in fields(Settings)}
    for name, text in environ.items():
        if name in ours or name.startswith("SCOUT_"):
            yield _Trial(name, environ={name: text})
    for name, value in flags.items():
        yield _Trial(name, flags={name: value})


def _of_file(path: Path) -> Iterator[_Trial]:
    import tomli_w  # noqa: PLC0415 - only for somebody who has asked

    document = file.read(path)
    for name, given in document.tables.items():
        if name != "settings" or not isinstance(given, dict):
            above = "\n" * (document.line_of(name) - 1)
            yield _Trial(name, above + tomli_w.dumps({name: given}))
            continue
        for key, value in given.items():
            above = "\n" * max(document.line_of(key) - 2, 0)
            yield _Trial(key, above + tomli_w.dumps({name: {key: value}}))


class _Found(NamedTuple):
    values: dict[str, Any]
    origins: dict[str, str]
    problems: list[ConfigError]


def _tried(trials: Iterator[_Trial], path: Path | None) -> _Found:
    found = _Found({}, {}, [])
    with TemporaryDirectory(prefix="scout-survey-") as folder:
        alone = Path(folder) / FILE_NAME
        real = str(path or alone)
        for trial in trials:
            alone.write_text(trial.text, encoding="utf-8")
            alone.chmod(0o600)
            try:
                loaded = config.load(alone, trial.flags, _place_given(trial) | dict(trial.environ))
            except ConfigError as error:
                message, hint = (
                    text.replace(str(alone), real) for text in (error.message, error.hint)
                )
                found.problems.append(ConfigError(message, hint=hint))
                continue
            for name, origin in loaded.origins.items():
                if origin not in ("default", *_place_given(trial)):
                    found.values[name] = getattr(loaded.settings, name)
                    found.origins[name] = origin.replace(str(alone), real)
    return found


def _place_given(trial: _Trial) -> dict[str, str]:
    """Return a place for the database, so that no other key fails for the lack of a home."""
    variable = config.environment_name("database_url")
    about = trial.name in ("database_url", variable)
    return {} if about else {variable: "sqlite:///unused.db"}
