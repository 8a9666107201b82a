"""Numbered SQL files become tables: forward only, each file in one transaction with its row.

`migrations/0001_initial.sql` serves both databases; where they must differ there are twins,
`NNNN_name.sqlite.sql` and `NNNN_name.postgresql.sql`. A released file is never edited.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from typing import get_args

from scout_cli.core.models import Record
from scout_cli.errors import DatabaseUnavailable
from scout_cli.store.database import Connection, Database, Kind
from scout_cli.store.statements import insert, values

_NAME = re.compile(rf"(\d{{4}})_(\w+)(?:\.({'|'.join(get_args(Kind))}))?\.sql")
_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL
)
"""


class Migration(Record, frozen=True, kw_only=True):
    """One numbered file."""

    number: int
    name: str
    """Such as `0001_initial`."""
    sha256: str
    sql: str


class Applied(Record, frozen=True, kw_only=True):
    """A migration that a database has had."""

    number: int
    name: str
    sha256: str
    applied_at: datetime


def migrations(kind: Kind) -> list[Migration]:
    """Return the files for one kind of database, lowest number first."""
    found = []
    for file in files("scout_cli.store").joinpath("migrations").iterdir():
        match = _NAME.fullmatch(file.name)
        if match and match[3] in (None, kind):
            sql = file.read_bytes()
            found.append(
                Migration(
                    number=int(match[1]),
                    name=f"{match[1]}_{match[2]}",
                    sha256=sha256(sql).hexdigest(),
                    sql=sql.decode(),
                )
            )
    return sorted(found, key=lambda migration: migration.number)


async def applied(db: Connection) -> list[Applied]:
    """Return what this database has had, oldest first; nothing for a database without tables."""
    if not await db.has_table("migrations"):
        return []
    return await db.all(Applied, "SELECT * FROM migrations ORDER BY number")


async def pending(db: Connection) -> list[str]:
    """Return the names of the migrations that `migrate` would apply."""
    return [migration.name for migration in _missing(db.kind, await applied(db))]


async def migrate(db: Database, *, up_to: int | None = None) -> list[str]:
    """Bring the tables up to this version of scout; two processes may do so at once.

    Args:
        db: the database.
        up_to: the number of the last migration to apply; None for all.

    Returns:
        The names applied, empty when there was nothing to do.

    Raises:
        DatabaseUnavailable: a newer scout made this database.
    """
    done = await applied(db)
    _refuse_newer(db.kind, done)
    wanted = [each for each in _missing(db.kind, done) if up_to is None or each.number <= up_to]
    return [migration.name for migration in wanted if await _apply(db, migration)]


async def _apply(db: Database, migration: Migration) -> bool:
    async with db.transaction() as tx:
        await tx.lock_schema()
        await tx.execute(_TABLE)
        done = await applied(tx)
        _refuse_newer(tx.kind, done)
        if migration.number in {row.number for row in done}:
            return False
        await tx.script(migration.sql)
        row = Applied(
            number=migration.number,
            name=migration.name,
            sha256=migration.sha256,
            applied_at=await tx.now(),
        )
        await tx.execute(insert("migrations", Applied), *values(row))
    return True


async def check(db: Connection) -> None:
    """Refuse a database whose tables are not those of this version of scout.

    Raises:
        DatabaseUnavailable: it is behind, ahead, or has had a migration of another text.
    """
    done = await applied(db)
    _refuse_newer(db.kind, done)
    if missing := _missing(db.kind, done):
        raise DatabaseUnavailable(
            f"the database is behind this scout ({missing[0].name} is missing)"
            if done
            else "the database has no tables yet",
            hint="run `scout init-db`",
            retryable=False,
        )


def _missing(kind: Kind, done: Sequence[Applied]) -> list[Migration]:
    numbers = {row.number for row in done}
    return [migration for migration in migrations(kind) if migration.number not in numbers]


def _refuse_newer(kind: Kind, done: Sequence[Applied]) -> None:
    known = {migration.number: migration.sha256 for migration in migrations(kind)}
    for row in done:
        if row.number not in known:
            raise DatabaseUnavailable(
                f"the database was made by a newer scout ({row.name})",
                hint="upgrade scout: pip install --upgrade scout-watch",
                retryable=False,
            )
        if row.sha256 != known[row.number]:
            raise DatabaseUnavailable(
                f"the database was made by another build of scout ({row.name} differs)",
                hint="use the scout that made it, or another database_url",
                retryable=False,
            )
