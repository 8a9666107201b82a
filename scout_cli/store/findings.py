"""Findings: what was reported, and what was kept in silence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import asdict

from scout_cli.core.models import Finding, Novelty
from scout_cli.store import words
from scout_cli.store.database import Connection
from scout_cli.store.statements import id_pattern, insert, placeholders, values

_AT_ONCE = 500


class _Stored(Finding, frozen=True, kw_only=True):
    terms: str


async def add_many(db: Connection, found: Iterable[Finding]) -> None:
    """Store findings, all or none; one that repeats another comes after it.

    Raises:
        NotFound: their scout, run or `same_as` is not there.
        InvalidInput: a canonical URL of more than 2,048 characters.
    """
    rows = [
        values(_Stored(**asdict(each), terms=words.indexed(each.fact, each.title, each.quote)))
        for each in found
    ]
    await db.executemany(insert("scout_findings", _Stored), rows)


async def listing(
    db: Connection,
    user_id: UUID,
    *,
    scout_ids: Sequence[UUID] = (),
    since: datetime | None = None,
    novelty: Novelty | Sequence[Novelty] | None = None,
    limit: int,
) -> list[Finding]:
    """Return the last `limit` findings of a user, newest first.

    Args:
        db: the database.
        user_id: the owner.
        scout_ids: of these scouts only; empty for all.
        since: made at this moment or later.
        novelty: of this novelty, or one of these.
        limit: how many at most.
    """
    conditions, args = ["user_id = $1"], [user_id, limit]

    def narrow(condition: str, *more: Any) -> None:
        conditions.append(condition.format(placeholders(more, first=len(args) + 1)))
        args.extend(more)

    if scout_ids:
        narrow("scout_id IN ({})", *scout_ids)
    if since is not None:
        narrow("created_at >= {}", since)
    if novelty:
        narrow("novelty IN ({})", *([novelty] if isinstance(novelty, str) else novelty))
    sql = f"""
        SELECT * FROM scout_findings WHERE {" AND ".join(conditions)}
        ORDER BY created_at DESC, id DESC LIMIT $2
    """  # noqa: S608 - the conditions above, with placeholders
    return await db.all(Finding, sql, *args)


async def from_page(db: Connection, scout_id: UUID, canonical_url: str) -> list[Finding]:
    """Return what a scout found on one page, oldest first."""
    sql = """
        SELECT * FROM scout_findings WHERE scout_id = $1 AND canonical_url = $2
        ORDER BY created_at, id
    """
    return await db.all(Finding, sql, scout_id, canonical_url)


async def of_execution(db: Connection, execution_id: UUID) -> list[Finding]:
    """Return the findings of one run, in the order of their sources."""
    sql = "SELECT * FROM scout_findings WHERE execution_id = $1 ORDER BY source, created_at, id"
    return await db.all(Finding, sql, execution_id)


async def by_prefix(db: Connection, user_id: UUID, prefix: str) -> list[Finding]:
    """Return the findings of a user whose id starts with `prefix`, newest first."""
    pattern = id_pattern(prefix)
    if pattern is None:
        return []
    sql = """
        SELECT * FROM scout_findings WHERE user_id = $1 AND CAST(id AS TEXT) LIKE $2
        ORDER BY created_at DESC, id DESC
    """
    return await db.all(Finding, sql, user_id, pattern)


async def count(db: Connection, scout_id: UUID) -> int:
    """Return how many findings a scout has, of every novelty."""
    sql = "SELECT count(*) FROM scout_findings WHERE scout_id = $1"
    return await db.value(int, sql, scout_id) or 0


async def by_ids(db: Connection, user_id: UUID, ids: Sequence[UUID]) -> list[Finding]:
    """Return those of some findings that belong to a user, in the order of `ids`."""
    if not ids:
        return []
    sql = f"""
        SELECT * FROM scout_findings WHERE user_id = $1 AND id IN ({placeholders(ids, first=2)})
    """  # noqa: S608 - placeholders
    found = {each.id: each for each in await db.all(Finding, sql, user_id, *ids)}
    return [found[each] for each in ids if each in found]


async def of_kind(db: Connection, ids: Sequence[UUID], novelty: Sequence[Novelty]) -> set[UUID]:
    """Return those of some findings that are of one of these kinds."""
    found: set[UUID] = set()
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        sql = f"""
            SELECT id FROM scout_findings
            WHERE id IN ({placeholders(some, first=1)})
                AND novelty IN ({placeholders(novelty, first=len(some) + 1)})
        """  # noqa: S608 - placeholders
        found.update(await db.all(UUID, sql, *some, *novelty))
    return found


async def of_story(db: Connection, user_id: UUID, story_id: UUID, limit: int) -> list[Finding]:
    """Return the first `limit` findings of one story, oldest first, with the one that began it."""
    sql = """
        SELECT * FROM scout_findings WHERE user_id = $1 AND (story_id = $2 OR id = $2)
        ORDER BY created_at, CASE WHEN id = $2 THEN 0 ELSE 1 END, id LIMIT $3
    """
    return await db.all(Finding, sql, user_id, story_id, limit)


async def stories(
    db: Connection, user_id: UUID, *, scout_ids: Sequence[UUID] = (), limit: int
) -> list[UUID]:
    """Return the stories of a user that something was found of last, newest first."""
    only = f"AND scout_id IN ({placeholders(scout_ids, first=3)})" if scout_ids else ""
    sql = f"""
        SELECT story_id FROM scout_findings
        WHERE user_id = $1 AND story_id IS NOT NULL {only}
        GROUP BY story_id ORDER BY max(created_at) DESC, story_id LIMIT $2
    """  # noqa: S608 - placeholders
    return await db.all(UUID, sql, user_id, limit, *scout_ids)
