"""When something was last done: ticks, clean-ups."""

from __future__ import annotations

from datetime import datetime

from scout_cli.core.models import Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import upsert, values


class Mark(Record, frozen=True, kw_only=True):
    """The last time of something."""

    name: str
    at: datetime
    detail: str = ""


async def get(db: Connection, name: str) -> Mark | None:
    """Return the last time of `name`, or None."""
    return await db.one(Mark, "SELECT * FROM marks WHERE name = $1", name)


async def put(db: Connection, mark: Mark) -> None:
    """Note that something was done."""
    await db.execute(upsert("marks", Mark, ("name",)), *values(mark))


async def turn(db: Connection, name: str, now: datetime, before: datetime) -> bool:
    """Return whether it is this caller's turn to do `name`: nobody has since `before`.

    Of all processes that ask at once, one has it.
    """
    sql = """
        INSERT INTO marks (name, at, detail) VALUES ($1, $2, '')
        ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE marks.at <= $3 OR marks.at > $2
    """
    return await db.execute(sql, name, now, before) == 1
