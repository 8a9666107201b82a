"""What every test gets: a home of its own, and databases on request."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.contract.databases import (
    blank,
    blank_url,
    clock,
    database,
    database_url,
    migrated_file,
    on_each_kind,
    opened,
    postgres,
    templates,
)

__all__ = [
    "blank",
    "blank_url",
    "clock",
    "database",
    "database_url",
    "isolated",
    "migrated_file",
    "opened",
    "postgres",
    "pytest_generate_tests",
    "templates",
]

pytest_generate_tests = on_each_kind

# An example may take as long as a busy machine makes it: no test is a measurement.
settings.register_profile("scout", deadline=None)
settings.load_profile("scout")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what stands in the background so, and children inherit it: no Ctrl-C for them.
    signal.signal(signal.SIGINT, signal.default_int_handler)

_PREFIXES = ("SCOUT_", "XDG_", "OLLAMA_", "PG")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty home and none of the caller's settings; return the home."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SCOUT_BALLAST", "0")  # 16 MiB for each test would be a lot of disk
    for kind in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    return home
