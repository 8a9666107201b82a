"""Forgetting because a person says so: findings, their vectors, and the pages they are from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Finding, Record
from scout_cli.core.report import clean
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.store import findings, retention
from scout_cli.store.database import Database


async def find(db: Database, owner: UUID, names: Iterable[str]) -> list[Finding]:
    """Return the findings that `names` mean, each once.

    Args:
        db: the database.
        owner: whose findings.
        names: ids or unique beginnings of ids.

    Raises:
        NotFound: one of them means none.
        InvalidInput: one of them may mean several.
    """
    found: dict[UUID, Finding] = {}
    for name in names:
        matches = await findings.by_prefix(db, owner, name)
        if not matches:
            raise NotFound(f"no finding {clean(name)[:80]!r}", hint="scout findings shows the ids")
        if len(matches) > 1:
            raise InvalidInput(
                f"{clean(name)[:80]!r} may be {len(matches)} findings", hint="give more of the id"
            )
        found[matches[0].id] = matches[0]
    return list(found.values())


async def count(db: Database, scout_id: UUID, before: datetime | None) -> int:
    """Return how many findings `forget_scout` would delete."""
    return await retention.count_findings(db, scout_id, before)


class Forgotten(Record, frozen=True, kw_only=True):
    """What was forgotten because a person said so."""

    findings: int
    pages: int
    """That scout will read as if it had never seen them, beside those of the findings."""


async def forget(db: Database, found: Sequence[Finding]) -> Forgotten:
    """Delete findings, with their vectors and what is remembered of their pages.

    What they say may be found again, and is new then.
    """
    gone = 0
    for start in range(0, len(found), retention.BATCH):
        async with db.transaction() as tx:
            gone += await retention.forget(tx, found[start : start + retention.BATCH])
    return Forgotten(findings=gone, pages=0)


async def forget_scout(db: Database, scout_id: UUID, before: datetime | None) -> Forgotten:
    """Delete what a scout found, all or from before a moment, and which pages it has read."""
    gone = 0
    while found := await retention.findings_of(db, scout_id, before, retention.BATCH):
        async with db.transaction() as tx:
            gone += await retention.forget(tx, found)
    pages = await retention.forget_pages(db, scout_id, before)
    return Forgotten(findings=gone, pages=pages)
