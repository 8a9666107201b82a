"""A setting that somebody types: its name, its words, and whether they can be used."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import FieldInfo, fields

from scout_cli import execute, fetch, llm, notify, plug, search, store
from scout_cli.config import Settings, edit, holds_secret, survey
from scout_cli.errors import ConfigError, InvalidInput

_KNOWN: dict[str, FieldInfo] = {info.name: info for info in fields(Settings)}
_SCHEMES: dict[str, Mapping[str, str]] = {
    "database_url": store.SCHEMES,
    "llm_url": llm.CHAT_SCHEMES,
    "embed_url": llm.EMBED_SCHEMES,
    "search_url": search.SCHEMES,
    "fetch_url": fetch.SCHEMES,
    "execute_url": execute.SCHEMES,
}


def named(name: str) -> str:
    """Return `name` when there is such a setting.

    Raises:
        InvalidInput: there is none; the nearest one is offered.
    """
    if name in _KNOWN:
        return name
    near = difflib.get_close_matches(name.lower().replace("-", "_"), _KNOWN, n=1)
    hint = f"did you mean {near[0]}?" if near else "scout config show lists them"
    raise InvalidInput(f"no such setting {name!r}", hint=hint)


def is_list(name: str) -> bool:
    """Return whether the setting takes several values."""
    return "tuple" in str(_KNOWN[name].type)


def is_secret_name(name: str) -> bool:
    """Return whether what this setting holds is a secret; a number, as `max_tokens`, is none."""
    return _takes_text(name) and edit.is_secret_name(name)


def is_secret(name: str, words: Sequence[str]) -> bool:
    """Return whether others must not read this value of the setting."""
    return is_secret_name(name) or any(holds_secret(word) for word in words)


def parsed(name: str, words: Sequence[str]) -> Any:
    """Return the value that `words` mean for the setting, checked as the environment's would be.

    A list comes as a list, ready for TOML.

    Raises:
        ConfigError: they cannot be used.
    """
    if len(words) > 1 and not is_list(name):
        hint = f'scout config set {name} "{" ".join(words)}"' if _takes_text(name) else ""
        hint = hint or f"scout config set {name} VALUE"
        raise ConfigError(f"{name}: it takes one value", hint=hint)
    text = " ".join(words).strip()
    if not text:
        if (default := getattr(_KNOWN[name], "default", None)) in ("", ()):
            return default if default == "" else []
        raise ConfigError(f"{name}: the value is empty", hint=f"scout config unset {name}")
    value = survey.value_of(name, text)
    _check_schemes(name, value)
    return list(value) if isinstance(value, tuple) else value


def _takes_text(name: str) -> bool:
    return "str" in str(_KNOWN[name].type)


def _check_schemes(name: str, value: Any) -> None:
    schemes = _SCHEMES.get(name)
    if name == "notify":
        for url in value:
            notify.check_channel(url, apprise=True)
    if schemes is None:
        return
    for url in [value] if isinstance(value, str) else value:
        if url != getattr(_KNOWN[name], "default", None) and plug.scheme_of(url) not in schemes:
            plug.load(url, schemes, setting=name)  # which raises, and offers the nearest
