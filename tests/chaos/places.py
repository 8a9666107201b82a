"""Where chaos happens: a migrated database of each kind, and a PostgreSQL to pull down."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scout_cli.service.clocks import SystemClock
from scout_cli.store import Database, migrate, open_database
from tests import postgres as launcher

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A migrated database and a folder beside it."""

    kind: str
    url: str
    db: Database
    folder: Path
    server: launcher.Server | None = None


@contextmanager
def server() -> Iterator[launcher.Server | None]:
    """Run a PostgreSQL; yield None where its wheel is not installed."""
    install = launcher.wheel()
    if install is None:
        yield None
        return
    running = launcher.start(install)
    try:
        yield running
    finally:
        running.stop()


@asynccontextmanager
async def place(kind: str, running: launcher.Server | None) -> AsyncIterator[Place]:
    """Open a fresh, migrated database of one kind.

    Args:
        kind: `sqlite` or `postgresql`.
        running: where PostgreSQL's databases are.
    """
    with tempfile.TemporaryDirectory(prefix="scout-chaos-") as folder:
        if kind == "sqlite":
            async with _opened(kind, f"sqlite:///{folder}/scout.db", Path(folder)) as made:
                yield made
            return
        assert running is not None
        name = running.create(name=f"chaos_{os.getpid()}_{time.monotonic_ns()}")
        # The tests' server forgets commits that it confirmed when it is killed; this one must not.
        running.sql(name, f"ALTER DATABASE {name} SET synchronous_commit = on")
        try:
            async with _opened(kind, running.url(name), Path(folder), running) as made:
                yield made
        finally:
            running.drop(name)


@asynccontextmanager
async def _opened(
    kind: str, url: str, folder: Path, running: launcher.Server | None = None
) -> AsyncIterator[Place]:
    db = await open_database(url, SystemClock())
    try:
        await migrate.migrate(db)
        yield Place(kind=kind, url=url, db=db, folder=folder, server=running)
    finally:
        await db.close()


def restart(running: launcher.Server) -> None:
    """Pull the server down as `pg_ctl stop -m immediate` does, and start it again at once.

    Its own processes die without a word; what was confirmed must come back from its log. Call it in
    the main thread: the new server dies with the thread that started it.
    """
    running.process.send_signal(signal.SIGQUIT)
    running.process.wait(timeout=30)
    command = [str(word) for word in running.process.args]  # type: ignore[union-attr]
    with (running.folder / "log").open("ab") as output:
        running.process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            user="nobody" if os.geteuid() == 0 else None,
            cwd="/",
            preexec_fn=launcher._die_with_parent,  # noqa: PLW1509 - as the launcher does
        )
