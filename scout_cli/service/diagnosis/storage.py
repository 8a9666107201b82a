"""The database: is it there, is it of this version, is it sound, is it private."""

from __future__ import annotations

import os
import shlex
import stat
import time
from asyncio import to_thread
from pathlib import Path

from scout_cli.plug import scheme_of
from scout_cli.service.checks import Check, Tell, attempt
from scout_cli.service.diagnosis.subject import Subject
from scout_cli.store import SCHEMES, health, migrate
from scout_cli.store.database import Database, Described
from scout_cli.store.sqlite_file import ELSEWHERE, file_system, path_of

NAME, TABLES, INTEGRITY, FILE, SERVER = (
    "database",
    "database tables",
    "database integrity",
    "database file",
    "database server",
)
_MEGABYTE = 1_000_000
_TIGHT = 200 * _MEGABYTE
_SKEW = 5.0
"""Seconds between two clocks that no schedule notices."""

_BUSY = "is another program holding it? Try again, or look at its server"


async def examine(subject: Subject, tell: Tell) -> Database | None:
    """Tell of the database and return it open, None when there is none to work with."""
    seconds = subject.bounds.database
    database = await attempt(NAME, tell, seconds, lambda: _open(subject, tell), late=_BUSY)
    if database is None:
        return None
    usable = await attempt(TABLES, tell, seconds, lambda: _tables(database, tell), late=_BUSY)
    if database.kind == "sqlite":
        path = path_of(subject.database_url)
        await _integrity(path, subject.bounds.integrity, tell)
        late = "check the disk"
        if judged := await attempt(FILE, tell, seconds, lambda: to_thread(_file, path), late=late):
            tell(judged)
    else:
        await attempt(SERVER, tell, seconds, lambda: _server(database, tell), late=_BUSY)
    return database if usable else None


def file_of(database_url: str) -> Path | None:
    """Return the file of an SQLite URL, None for a server.

    Raises:
        ConfigError: no such URL.
    """
    return path_of(database_url) if scheme_of(database_url) == "sqlite" else None


def files_of(path: Path) -> list[Path]:
    """Return those of the database's files that exist: itself and SQLite's two beside it."""
    beside = [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]
    return [each for each in beside if each.is_file()]


def is_loose(path: Path) -> bool:
    """Return whether others than the owner may do anything with `path`."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


async def _open(subject: Subject, tell: Tell) -> Database | None:
    path = file_of(subject.database_url)
    if path is not None and not path.exists():
        tell(_absent(path))
        return None
    database = await subject.open_database()
    found = await database.describe()
    data = {
        "kind": found.kind,
        "version": found.version,
        "location": found.location,
        "bytes": found.size_bytes,
    }
    tell(Check(name=NAME, ok=True, detail=_described(found), data=data))
    return database


def _described(found: Described) -> str:
    size = f", {found.size_bytes / _MEGABYTE:.1f} MB" if found.size_bytes is not None else ""
    return f"{found.kind} {found.version} at {found.location}{size}"


def _absent(path: Path) -> Check:
    """Judge a file that is not there yet: the first command that needs it makes it."""
    folder = next(each for each in path.parents if each.exists())
    data = {"kind": "sqlite", "location": str(path), "bytes": None}
    if not os.access(folder, os.W_OK | os.X_OK):
        detail = f"there is none yet, and {folder} cannot be written"
        return Check(name=NAME, ok=False, detail=detail, hint=ELSEWHERE, data=data)
    detail = f"none yet; the first `scout add` makes {path}"
    return Check(name=NAME, ok=True, detail=detail, data=data)


async def _tables(database: Database, tell: Tell) -> bool:
    """Tell of the migrations; return whether the tables can be used."""
    done = await migrate.applied(database)
    missing = await migrate.pending(database)
    data = {"applied": len(done), "pending": missing}
    if not done and database.kind == "sqlite":
        detail = "none yet; the next command makes them"
        tell(Check(name=TABLES, ok=True, detail=detail, data=data))
        return False
    if missing:
        detail = f"{len(missing)} migrations are pending, the first is {missing[0]}"
        hint = "scout init-db"
        tell(Check(name=TABLES, ok=False, detail=detail, hint=hint, data=data))
        return False
    await migrate.check(database)
    detail = f"up to date, {len(done)} migrations"
    tell(Check(name=TABLES, ok=True, detail=detail, data=data))
    return True


async def _integrity(path: Path, bound: float, tell: Tell) -> None:
    began = time.monotonic()

    async def look() -> list[str] | None:
        try:
            return await health.integrity(path, bound)
        except TimeoutError:
            return None

    # The look ends itself at the bound; the outer bound is for a disk that does not answer.
    wrong = await attempt(INTEGRITY, tell, bound + 5.0, look, late="check the disk")
    seconds = round(time.monotonic() - began, 3)
    data = {"problems": wrong, "seconds": seconds}
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        detail = f"{wrong[0]}{more}"
        hint = f"restore a backup, or try: sqlite3 {shlex.quote(str(path))} .recover"
        tell(Check(name=INTEGRITY, ok=False, detail=detail, hint=hint, data=data))
    elif wrong is not None:
        detail = "quick_check and foreign_key_check found nothing wrong"
        tell(Check(name=INTEGRITY, ok=True, detail=detail, data=data))
    elif seconds >= bound:
        detail = f"the file is large: not all of it was looked at within {bound:g} s"
        tell(Check(name=INTEGRITY, ok=True, warn=True, detail=detail, data=data))


def _file(path: Path) -> Check:
    mounts = Path("/proc/self/mounts")
    kind = file_system(path.parent, mounts.read_text()) if mounts.exists() else ""
    files = [
        {"name": each.name, "mode": f"{stat.S_IMODE(each.stat().st_mode):04o}"}
        for each in files_of(path)
    ]
    loose = [str(each) for each in files_of(path) if is_loose(each)]
    room = os.statvfs(path.parent)
    free = room.f_bavail * room.f_frsize
    data = {"files": files, "file_system": kind, "free_bytes": free}
    detail, hint = "only you can read it", ""
    if loose:
        detail = "others can read it: its mode is not 0600"
        hint = f"chmod 600 {' '.join(map(shlex.quote, loose))}"
    elif kind.startswith("fuse"):
        detail, hint = f"it is on {kind}: SQLite needs its locks to work there", ELSEWHERE
    elif free < _TIGHT:
        detail, hint = f"only {free / _MEGABYTE:.0f} MB are free on its disk", "make room"
    return Check(name=FILE, ok=True, warn=bool(hint), detail=detail, hint=hint, data=data)


async def _server(database: Database, tell: Tell) -> None:
    found = await health.server(database)
    vector = found.vector_installed
    pgvector = f"pgvector {vector}" if vector else "no pgvector (not needed)"
    detail = f"fsync {found.fsync}, synchronous_commit {found.synchronous_commit}, {pgvector}"
    hint = ""
    if found.fsync == "off":
        hint = "set fsync = on in postgresql.conf: a power cut would destroy the database"
    elif found.synchronous_commit == "off":
        hint = "set synchronous_commit = on: a crash may forget that a message was sent"
    data = {
        "fsync": found.fsync,
        "synchronous_commit": found.synchronous_commit,
        "pgvector": vector,
        "pgvector_available": found.vector_available,
    }
    tell(Check(name=SERVER, ok=True, warn=bool(hint), detail=detail, hint=hint, data=data))


async def clock(subject: Subject, database: Database | None, tell: Tell) -> None:
    """Tell how far this machine's clock is from the database's."""
    seconds = subject.bounds.database
    await attempt("clock", tell, seconds, lambda: _clock(subject, database, tell), late=_BUSY)


async def _clock(subject: Subject, database: Database | None, tell: Tell) -> None:
    server = (
        scheme_of(subject.database_url) != "sqlite" and scheme_of(subject.database_url) in SCHEMES
    )
    if database is None or not server:
        detail = "this machine's clock counts"
        if server:
            detail = "could not be compared with the database's"
        tell(Check(name="clock", ok=True, detail=detail, data={"skew_seconds": None}))
        return
    before = subject.clock.now()
    there = await database.now()
    after = subject.clock.now()
    skew = (there - (before + (after - before) / 2)).total_seconds()
    behind = "behind" if skew > 0 else "ahead of"
    away = abs(skew)
    detail = f"this machine is {away:.1f} s {behind} the database, whose clock counts"
    tell(
        Check(
            name="clock",
            ok=True,
            warn=away > _SKEW,
            detail=detail,
            hint="set the clock: timedatectl set-ntp true" if away > _SKEW else "",
            data={"skew_seconds": round(skew, 3)},
        )
    )
