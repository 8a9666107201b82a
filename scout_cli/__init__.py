"""scout: tell it what you care about; it speaks only when something new is true.

The public names load when they are first used, so `import scout_cli` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

_PUBLIC = {
    "App": "scout_cli.app",
    "Job": "scout_cli.core.job",
    "Result": "scout_cli.core.job",
    "ScoutAgent": "scout_cli.core.agent",
    "ScoutError": "scout_cli.errors",
    "Settings": "scout_cli.config",
}

__all__ = ["App", "Job", "Result", "ScoutAgent", "ScoutError", "Settings", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata  # noqa: PLC0415 - 40 ms that most commands save

        try:
            return metadata.version("scout-watch")
        except metadata.PackageNotFoundError:
            return "0+uninstalled"
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'scout_cli' has no attribute {name!r}")
