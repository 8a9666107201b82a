"""Pages: the texts that quotes were checked against, and what need not be read again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import PageSnapshot, Record, SeenPage
from scout_cli.store.database import Connection, Statement
from scout_cli.store.executions import held
from scout_cli.store.statements import insert, placeholders, upsert, values

_SEEN_KEY = ("scout_id", "canonical_url")


class Seen(Record, frozen=True, kw_only=True):
    """What a scout remembers of the web, in short."""

    pages: int
    owed_since: datetime | None
    """The earliest `read_at` of the pages that are owed; None when none is."""


async def add_many(db: Connection, snapshots: Iterable[PageSnapshot]) -> None:
    """Store the pages of a run, all or none.

    Raises:
        NotFound: their run is not there.
        InvalidInput: a text that cannot be stored.
    """
    await db.executemany(insert("scout_pages", PageSnapshot), [values(page) for page in snapshots])


async def add(db: Connection, page: PageSnapshot, fence: int) -> None:
    """Store one page of a run that is under way.

    Args:
        db: the database.
        page: what was read, or why it was not.
        fence: the number that its run was started with.

    Raises:
        FenceLost: the run is no longer ours; nothing is written.
        InvalidInput: a text that cannot be stored.
    """
    await db.together(held(db, page.execution_id, fence), added(page))


def added(page: PageSnapshot) -> Statement:
    """Return what stores a page; it belongs behind the guard of its run."""
    return Statement(insert("scout_pages", PageSnapshot), values(page))


async def of_execution(db: Connection, execution_id: UUID) -> list[PageSnapshot]:
    """Return the pages of a run: the numbered sources first, then what could not be read."""
    sql = """
        SELECT * FROM scout_pages WHERE execution_id = $1
        ORDER BY source NULLS LAST, fetched_at, id
    """
    return await db.all(PageSnapshot, sql, execution_id)


async def kept_of(db: Connection, execution_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of some runs that still have pages."""
    if not execution_ids:
        return []
    marks = placeholders(execution_ids, first=1)
    sql = f"SELECT DISTINCT execution_id FROM scout_pages WHERE execution_id IN ({marks})"  # noqa: S608 - placeholders
    return await db.all(UUID, sql, *execution_ids)


async def seen_get(db: Connection, scout_id: UUID, canonical_url: str) -> SeenPage | None:
    """Return what a scout remembers of a page, or None."""
    sql = "SELECT * FROM seen_pages WHERE scout_id = $1 AND canonical_url = $2"
    return await db.one(SeenPage, sql, scout_id, canonical_url)


async def seen_put_many(db: Connection, pages: Iterable[SeenPage]) -> None:
    """Remember pages, over what was remembered of them before.

    Raises:
        InvalidInput: a canonical URL of more than 2,048 characters.
    """
    await db.executemany(
        upsert("seen_pages", SeenPage, _SEEN_KEY), [values(page) for page in pages]
    )


async def seen(db: Connection, scout_id: UUID) -> Seen:
    """Return how much a scout remembers, and since when it owes a reading."""
    sql = """
        SELECT count(*) AS pages, min(CASE WHEN content_hash = '' THEN read_at END) AS owed_since
        FROM seen_pages WHERE scout_id = $1
    """
    found = await db.one(Seen, sql, scout_id)
    assert found is not None
    return found


async def forget_owed(db: Connection, scout_id: UUID) -> None:
    """Forget which pages a scout owes a reading."""
    sql = "DELETE FROM seen_pages WHERE scout_id = $1 AND content_hash = ''"
    await db.execute(sql, scout_id)
