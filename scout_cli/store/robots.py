"""What sites said in their robots.txt: a note of when each was asked, and its answer."""

from __future__ import annotations

from datetime import datetime

from scout_cli.store import marks
from scout_cli.store.database import Connection
from scout_cli.store.marks import Mark

_PREFIX = "robots "


async def get(db: Connection, origin: str) -> Mark | None:
    """Return when `origin` was last asked and, in `detail`, its file; None when never."""
    return await marks.get(db, _PREFIX + origin)


async def put(
    db: Connection, origin: str, text: str, *, at: datetime, older_than: datetime
) -> None:
    """Keep the file of `origin`, and forget those from before `older_than`.

    Args:
        db: where.
        origin: scheme, host and port.
        text: the file, empty for none.
        at: when it was asked for.
        older_than: a moment before `at`.
    """
    sql = "DELETE FROM marks WHERE name LIKE $1 AND at < $2"
    await db.execute(sql, f"{_PREFIX}%", older_than)
    await marks.put(db, Mark(name=_PREFIX + origin, at=at, detail=text))
