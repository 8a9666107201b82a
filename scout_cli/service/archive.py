"""Back-ups: everything in one file, and back again, into either kind of database."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace as replaced

from scout_cli.core.models import Record
from scout_cli.core.ports import Clock
from scout_cli.errors import Conflict, DatabaseUnavailable, InvalidInput, Refused
from scout_cli.plug import scheme_of
from scout_cli.store import (
    archive_file,
    archive_reading,
    blocks,
    invariants,
    migrate,
    open_database,
    sealing,
)
from scout_cli.store.archive_dump import dump
from scout_cli.store.archive_file import Manifest
from scout_cli.store.archive_load import Standing, load, move, rows_there
from scout_cli.store.archive_place import place
from scout_cli.store.database import Database
from scout_cli.store.finishing import to_the_end
from scout_cli.store.invariants import Violation
from scout_cli.store.sealing import Vault
from scout_cli.store.sqlite_file import path_of, url_of

__all__ = [
    "Manifest",
    "Restored",
    "Standing",
    "Violation",
    "backup",
    "restore",
    "standing",
    "verify",
]


_TOLERABLE = {"I2", "I3", "I4", "I7", "I10"}
"""Invariants whose breach is of the past, or is put right by the next run."""


class Restored(Record, frozen=True, kw_only=True):
    """What an archive held, and what became of it."""

    manifest: Manifest
    migrated: tuple[str, ...]
    """Migrations that its tables had not had."""
    violations: tuple[Violation, ...]
    kept: str | None = None
    """Where the SQLite file is that was replaced."""


class _Unpacked(NamedTuple):
    restored: Restored
    file: Path


async def backup(
    db: Database, clock: Clock, path: Path, *, version: str, force: bool = False
) -> Manifest:
    """Write everything in a database into one file, all of the same moment, for its owner alone.

    Others may write meanwhile. What lies outside the database stays out: settings and keys.

    Args:
        db: any schema that this scout knows.
        clock: for the copy of a SQLite file.
        path: the archive; `.gz` or `.xz` at its end compress it.
        version: of scout.
        force: replace a file that is there.

    Raises:
        Conflict: there is a file, and `force` was not said.
        InvalidInput: the file cannot be written.
        NotFound: the database has no tables.
        Refused: a newer scout made the database.
    """
    if not force and await asyncio.to_thread(os.path.lexists, path):
        raise Conflict(f"{path} is there already", hint="say --force to overwrite it")
    with _scratch(path.parent) as folder:
        made_at = await db.now()
        dumped = await dump(db, clock, folder)
        manifest = Manifest(
            format=archive_file.FORMAT,
            version=archive_file.VERSION,
            schema=dumped.schema,
            scout=version,
            kind=db.kind,
            made_at=made_at.astimezone(UTC),
            tables=dumped.entries,
        )
        write = asyncio.to_thread(archive_file.write, path, manifest, dumped.members, force=force)
        await to_the_end(write)
    return manifest


async def verify(archive: Path, clock: Clock, vault: Vault | None = None) -> Restored:
    """Restore an archive into a database that is thrown away, and look for what is wrong in it.

    Raises:
        ConfigError: its secrets were encrypted with keys that are not in `vault`.
        InvalidInput: it is damaged or made up.
        Refused: a newer scout made it, or it needs more room than there is.
    """
    async with _unpacked(archive, clock, Path(tempfile.gettempdir()), vault) as unpacked:
        return unpacked.restored


async def restore(
    archive: Path,
    clock: Clock,
    database_url: str,
    vault: Vault | None = None,
    *,
    replace: bool = False,
    unsound: bool = False,
) -> Restored:
    """Make a database what an archive says it was; until all is checked, nothing is changed.

    A SQLite file that was there is kept beside it. In PostgreSQL all rows are replaced in one
    transaction.

    Args:
        archive: made from either kind of database.
        clock: for the database.
        database_url: where to.
        vault: the keys of this machine; the archive holds none.
        replace: also when there are scouts, or runs that somebody is working on.
        unsound: also when the archive holds rows that cannot be, such as of two users at once.

    Raises:
        ConfigError: its secrets were encrypted with keys that are not in `vault`.
        Conflict: there are scouts, and `replace` was not said.
        InvalidInput: the archive is damaged or made up.
        Refused: a newer scout made it, it needs more room than there is, or it is unsound.
        DatabaseUnavailable: the database cannot be reached or stays locked.
    """
    path = path_of(database_url) if scheme_of(database_url) == "sqlite" else None
    if not replace:
        _refuse_to_replace(await standing(database_url, clock))
    near = path.parent if path else Path(tempfile.gettempdir())
    await asyncio.to_thread(near.mkdir, mode=0o700, parents=True, exist_ok=True)
    async with _unpacked(archive, clock, near, vault) as unpacked:
        wrong = [each for each in unpacked.restored.violations if each.name not in _TOLERABLE]
        if wrong and not unsound:
            raise _unsound(archive, wrong)
        if path is None:
            await _into_server(database_url, unpacked.file, clock)
            return unpacked.restored
        kept = await to_the_end(asyncio.to_thread(place, path, unpacked.file))
        return replaced(unpacked.restored, kept=str(kept) if kept else None)


def _refuse_to_replace(there: Standing) -> None:
    if there.live:
        raise Conflict(
            f"{there.live} runs are under way in this database",
            hint="stop scout worker and scout serve, or say --yes",
        )
    if there.scouts or there.findings or there.unreadable:
        what = there.unreadable or f"it has {there.scouts} scouts and {there.findings} findings"
        raise Conflict(f"the database would be replaced: {what}", hint="say --yes to do so")


def _unsound(archive: Path, found: Sequence[Violation]) -> Refused:
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return Refused(
        f"the archive holds what cannot be: {found[0].name} {found[0].detail}{more}",
        hint=f"scout restore {shlex.quote(str(archive))} --verify shows all; --unsound restores it",
    )


@asynccontextmanager
async def _unpacked(
    archive: Path, clock: Clock, near: Path, vault: Vault | None
) -> AsyncIterator[_Unpacked]:
    """Yield an archive as a closed SQLite file of this version in a folder that goes away."""
    with archive_reading.reading(archive) as reader, _scratch(near) as folder:
        _refuse_too_big(reader.manifest, folder)
        file = folder / "restored.db"
        db = await open_database(url_of(file), clock, vault)
        try:
            migrated = await load(reader, db)
            await sealing.check_all(db)
            found = await invariants.check(db, reader.manifest.made_at)
        finally:
            await to_the_end(db.close())
        restored = Restored(
            manifest=reader.manifest, migrated=tuple(migrated), violations=tuple(found)
        )
        yield _Unpacked(restored, file)


def _refuse_too_big(manifest: Manifest, folder: Path) -> None:
    needed = 2 * sum(entry.bytes for entry in manifest.tables)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise Refused(
            f"restoring it takes about {needed >> 20} MiB, and {free >> 20} MiB are free",
            hint="make room, or set TMPDIR to a folder with more of it",
        )


async def _into_server(url: str, file: Path, clock: Clock) -> None:
    async with AsyncExitStack() as stack:
        staged = await open_database(url_of(file), clock)
        stack.push_async_callback(staged.close)
        db = await open_database(url, clock)
        stack.push_async_callback(db.close)
        await migrate.migrate(db)
        async with db.transaction() as tx:
            await move(staged, tx)
        await blocks.counted(db)


async def standing(database_url: str, clock: Clock) -> Standing:
    """Return what a restore would replace; a database that is not there is not made."""
    if scheme_of(database_url) == "sqlite":
        path = path_of(database_url)
        if not path.exists() or not path.stat().st_size:
            return Standing()
    try:
        db = await open_database(database_url, clock)
    except DatabaseUnavailable as error:
        if error.retryable:
            raise
        return Standing(unreadable=error.message)
    try:
        return await rows_there(db)
    except DatabaseUnavailable as error:
        if error.retryable:
            raise
        return Standing(unreadable=error.message)
    finally:
        await to_the_end(db.close())


@contextmanager
def _scratch(near: Path) -> Iterator[Path]:
    """Yield a folder for the caller alone (0700) that is gone afterwards."""
    try:
        made = tempfile.TemporaryDirectory(prefix=".scout-", dir=near)
    except OSError as error:
        raise InvalidInput(
            f"{near}: {error.strerror or error}", hint="give a place where you can write"
        ) from error
    with made as folder:
        yield Path(folder)
