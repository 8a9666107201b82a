"""What can be put right without asking: nothing here deletes or overwrites what a person made."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from scout_cli import llm
from scout_cli.errors import ScoutError
from scout_cli.service import rebuilding
from scout_cli.service.diagnosis import choosing
from scout_cli.service.diagnosis.storage import file_of, files_of, is_loose
from scout_cli.service.diagnosis.subject import Subject
from scout_cli.store import migrate
from scout_cli.store.database import Database

_READER_FOLDERS = "scout-reader-*"


async def mend(subject: Subject) -> list[str]:
    """Do what is safe; return a line for each thing done, and for each that could not be.

    Pending migrations are applied, files of the database become private, folders that a killed
    page reader left behind go, and findings get the vectors they lack.
    """
    done = await _step(lambda: _modes(subject))
    done += await _step(lambda: _folders(subject))
    path = await _file(subject)
    if path is None or path.exists():
        done += await _step(lambda: _database(subject))
    return done


def make_private(path: Path) -> str:
    """Take away all that others may do with `path`; return what was done, empty for nothing.

    A file of another owner is left as it is.
    """
    status = path.stat()
    if not is_loose(path) or status.st_uid != os.getuid():
        return ""
    path.chmod(status.st_mode & 0o700)
    return f"made {path} private (mode {status.st_mode & 0o700:04o})"


async def _step(work: Callable[[], Awaitable[list[str]]]) -> list[str]:
    try:
        return await work()
    except ScoutError as error:
        return [f"not done: {error.message}"]
    except OSError as error:
        return [f"not done: {error.strerror or error}"]


async def _file(subject: Subject) -> Path | None:
    try:
        return file_of(subject.database_url)
    except ScoutError:
        return None  # the examination tells of it


async def _modes(subject: Subject) -> list[str]:
    path = file_of(subject.database_url)
    found = files_of(path) if path else []
    return [line for line in map(make_private, found) if line]


async def _folders(_: Subject) -> list[str]:
    from scout_cli.fetch import scratch  # noqa: PLC0415 - only when asked

    place = tempfile.gettempdir()
    before = await asyncio.to_thread(_left_behind, place)
    await asyncio.to_thread(scratch.sweep)
    gone = before - await asyncio.to_thread(_left_behind, place)
    return [f"removed {len(gone)} folders that page readers left behind"] if gone else []


def _left_behind(place: str) -> set[Path]:
    return set(Path(place).glob(_READER_FOLDERS))


async def _database(subject: Subject) -> list[str]:
    database = await subject.open_database()
    names = await migrate.migrate(database)
    done = [f"applied the migration {name}" for name in names]
    return done + await _step(lambda: _vectors(subject, database))


async def _vectors(subject: Subject, database: Database) -> list[str]:
    """Give findings the vectors that the next run of their scout would have to make."""
    engine = await choosing.engine("embed_url", subject, database)
    embedder = await llm.open_embedder(engine.url, subject.model_settings(engine.url))
    made = 0
    try:
        async for step in rebuilding.rebuild(database, embedder):
            made = step.done
    finally:
        await embedder.aclose()
    return [f"made {made} vectors of {embedder.name}"] if made else []
