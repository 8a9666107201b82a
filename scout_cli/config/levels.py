"""The setting `cutoffs`: where "the same" begins, by embedder, as text in one line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from scout_cli.errors import ConfigError


class Levels(NamedTuple):
    """Cosines, 0..1."""

    lower: float
    """Below it two facts are different."""
    upper: float
    """From it on they are the same, unless their details differ."""
    background: float | None = None
    """The usual cosine of two different facts; None keeps the embedder's own."""


def parsed(listed: Iterable[str]) -> dict[str, Levels]:
    """Return the cut-offs by the name of their embedder.

    Args:
        listed: `NAME=LOWER:UPPER` or `NAME=LOWER:UPPER:BACKGROUND`.

    Raises:
        ConfigError: levels that are not in ascending order.
    """
    found: dict[str, Levels] = {}
    for text in listed:
        name, _, numbers = text.rpartition("=")
        levels = Levels(*map(float, numbers.split(":")))
        if not (levels.background or 0.0) < levels.lower <= levels.upper:
            raise ConfigError(
                f"cutoffs: {text}: the lower cut-off lies above the background and not above the"
                " upper one",
                hint="scout calibrate --write",
            )
        found[name] = levels
    return found


def written(name: str, levels: Levels) -> str:
    """Return cut-offs as the setting holds them."""
    return f"{name}=" + ":".join(f"{level:.3f}" for level in levels if level is not None)


def replaced(listed: Iterable[str], name: str, levels: Levels) -> list[str]:
    """Return the setting with the cut-offs of one embedder put in, in the place of earlier ones."""
    return [*without(listed, name), written(name, levels)]


def without(listed: Iterable[str], name: str) -> list[str]:
    """Return the setting without the cut-offs of one embedder."""
    return [text for text in listed if text.rpartition("=")[0] != name]
