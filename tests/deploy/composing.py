"""Reads Compose files as Compose does: variables put in, anchors merged, one file over the other.

Source: the Compose specification, "Interpolation", "Merge" and "Profiles".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = "docker-compose.yml"
VARIANTS = {
    "postgresql": (FILE,),
    "sqlite": (FILE, "docker-compose.sqlite.yml"),
    "gpu": (FILE, "docker-compose.gpu.yml"),
    "browser": (FILE, "docker-compose.browser.yml"),
    "sqlite, browser": (FILE, "docker-compose.sqlite.yml", "docker-compose.browser.yml"),
}
_REPLACED = ("command", "entrypoint", "test")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Missing(Exception):
    """A variable that a file demands."""


def project(*files: str, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the project that these files describe together."""
    found: Any = {}
    for file in files:
        read = yaml.safe_load((ROOT / file).read_text("utf-8"))
        found = _merged(found, _filled(read, environ or {}))
    return {key: value for key, value in found.items() if not key.startswith("x-")}


def active(found: Mapping[str, Any], *profiles: str) -> dict[str, Any]:
    """Return the services that `up` starts with these profiles."""
    return {
        name: service
        for name, service in found["services"].items()
        if not service.get("profiles") or set(service["profiles"]) & set(profiles)
    }


def filled(text: str, environ: Mapping[str, str]) -> str:
    """Return a text with its variables put in: `$NAME`, `${NAME:-default}`, `${NAME:?message}`."""
    return "".join(_parts(text, environ))


def _parts(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    while text:
        before, dollar, rest = text.partition("$")
        yield before
        if not dollar:
            return
        if rest.startswith("$"):
            yield "$"
            text = rest[1:]
        elif rest.startswith("{"):
            end = _closing(rest)
            yield _value(rest[1:end], environ)
            text = rest[end + 1 :]
        else:
            name = _NAME.match(rest)
            assert name, f"a lonely $ before {rest!r}"
            yield environ.get(name[0], "")
            text = rest[name.end() :]


def _closing(text: str) -> int:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if not depth:
            return place
    raise AssertionError(f"no end: {text!r}")


def _value(expression: str, environ: Mapping[str, str]) -> str:
    name = _NAME.match(expression)
    assert name, expression
    given, rest = environ.get(name[0], ""), expression[name.end() :]
    if given or not rest:
        return given
    if rest.startswith(":?"):
        raise Missing(f"{name[0]}: {rest[2:]}")
    assert rest.startswith(":-"), expression
    return filled(rest[2:], environ)


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, environ) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, environ) for inner in value]
    return filled(value, environ) if isinstance(value, str) else value


def _merged(under: Any, over: Any, key: str = "") -> Any:
    if isinstance(under, dict) and isinstance(over, dict):
        names = [*under, *(name for name in over if name not in under)]
        return {
            name: _merged(under[name], over[name], name)
            if name in under and name in over
            else over.get(name, under.get(name))
            for name in names
        }
    if isinstance(under, list) and isinstance(over, list) and key not in _REPLACED:
        return [*under, *(each for each in over if each not in under)]
    return over
