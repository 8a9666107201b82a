"""One setting in the file that is read, and whether the environment has the last word on it."""

from __future__ import annotations

from pathlib import Path

from scout_cli.cli import streams
from scout_cli.cli.session import Session
from scout_cli.config import edit, environment_name, survey


def file_of(session: Session) -> Path:
    """Return the file to change: the one that is read, else a new one in the platform's folder."""
    looked = survey.places(session.config)
    found = next((place.path for place in looked if place.is_there), None)
    return found or looked[-1].path


def keep(path: Path, text: str) -> None:
    """Write a file of settings; one that holds a secret is its owner's alone.

    Raises:
        ConfigError: it cannot be written.
    """
    edit.write(path, text, secret=edit.holds_secret(text))


def warn_if_overruled(session: Session, name: str) -> None:
    """Say so when a variable of the environment wins over what the file says."""
    variable = environment_name(name)
    origin = survey.survey(session.config).loaded
    if origin is not None and origin.origins.get(name) == variable:
        streams.say(f"{variable} in the environment still wins: unset {variable}")
