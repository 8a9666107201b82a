"""Runs the installed command as a person or a script would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LANG")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    def events(self) -> list[dict[str, Any]]:
        """Return the JSON Lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


def argv() -> list[str]:
    """Return the installed `scout`, next to this interpreter, else the module."""
    beside = Path(sys.executable).with_name("scout")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "scout_cli"]


def environment(**settings: str) -> dict[str, str]:
    """Return a bare environment with the test's home and the given settings."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONWARNINGS": "ignore", **settings}


def scout(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
    seconds: float = 60,
) -> Done:
    """Run `scout ARGUMENTS` to its end."""
    done = subprocess.run(
        [*argv(), *arguments],
        env=dict(env if env is not None else environment()),
        cwd=cwd or Path.home(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)
