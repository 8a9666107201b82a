"""What every test gets: a home of its own, and databases on request."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
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
    "own_temporary_folder",
    "postgres",
    "pytest_generate_tests",
    "pytest_xdist_auto_num_workers",
    "templates",
    "unused_tcp_port",
]

pytest_generate_tests = on_each_kind

# An example may take as long as a busy machine makes it: no test is a measurement.
settings.register_profile("scout", deadline=None)
settings.load_profile("scout")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what stands in the background so, and children inherit it: no Ctrl-C for them.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Return what `-n auto` means here: as tests wait a lot, one more than there are processors."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give this process a temporary folder, and yield it: a scout sweeps up in it what others left.

    In one that all share, a scout under test would clean up before the test beside it has looked.
    """
    tmp_path_factory.getbasetemp()  # stays where people look for it
    with (
        tempfile.TemporaryDirectory(prefix="st-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def unused_tcp_port() -> Iterator[int]:
    """Yield a port of 127.0.0.1 at which nobody listens, and which nobody can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


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
