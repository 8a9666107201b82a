"""Servers for tests: `server` on SQLite, `server_anywhere` on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.databases import StoppedClock, sqlite_url
from tests.server.serving import Server, serving


@pytest.fixture
async def server(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Server]:
    """Yield a server on a fresh SQLite file, whose time the test moves."""
    async with serving(sqlite_url(tmp_path / "scout.db"), clock=clock) as running:
        yield running


@pytest.fixture
async def server_anywhere(database_url: str, clock: StoppedClock) -> AsyncIterator[Server]:
    """Yield a server on each kind of database, whose time the test moves."""
    async with serving(database_url, clock=clock) as running:
        yield running
