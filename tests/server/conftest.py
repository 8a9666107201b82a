"""Servers for tests: `server` on SQLite, `server_anywhere` on each database."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
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


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail any test in which the server logged a traceback, or an error of its own."""
    yield
    said = caplog.get_records("call")  # by now `records` are those of the end
    told = [record for record in said if record.exc_info or record.levelno >= logging.ERROR]
    # That a mail cannot be sent is the operator's to mend, and tests ask for it.
    assert not [record.getMessage() for record in told if record.name != "scout.accounts"]
