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
