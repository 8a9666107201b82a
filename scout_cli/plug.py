"""Everything outside scout is a URL: this module finds the one adapter that a scheme names.

It knows no adapter. Each port keeps a table `scheme -> "module:factory"`; the module is imported
when its scheme is asked for, and not before.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

from scout_cli.errors import ConfigError, MissingPackage


def scheme_of(url: str) -> str:
    """Return the lower-cased scheme of `url`, or the whole text when it has none."""
    return url.partition(":")[0].lower()


def load(url: str, schemes: Mapping[str, str], *, setting: str) -> Any:
    """Import and return the factory that the scheme of `url` names.

    Args:
        url: the value of a setting, such as `ollama://127.0.0.1:11434/qwen3:8b`.
        schemes: table of `scheme -> "package.module:attribute"`.
        setting: the name of the setting, for the error message.

    Raises:
        ConfigError: no adapter has this scheme; the nearest match is offered.
        MissingPackage: the adapter's third-party package is not installed.
    """
    scheme = scheme_of(url)
    if scheme not in schemes:
        raise ConfigError(
            f"{setting}: no part of scout answers to {scheme!r}", hint=_suggestion(scheme, schemes)
        )
    module_name, _, attribute = schemes[scheme].partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("scout_cli"):
            raise
        raise MissingPackage(
            f"{setting}: {scheme}:// needs the package {missing.name!r}, which is not installed",
            hint=f"pip install {missing.name}",
            retryable=False,
        ) from missing
    return getattr(module, attribute)


def _suggestion(scheme: str, schemes: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(scheme, schemes, n=1)
    known = ", ".join(f"{name}://" for name in schemes)
    return f"Did you mean {near[0]}://? Known: {known}" if near else f"Known: {known}"
