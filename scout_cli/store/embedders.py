"""Vectors by embedder: how many there are, and which findings have none."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from scout_cli.core.models import Finding, Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import placeholders

_FIRST = UUID(int=0)


class Holding(Record, frozen=True, kw_only=True):
    """The vectors of one embedder."""

    embedder: str
    dimension: int
    findings: int
    """Findings with a vector of it."""
    vectors: int
    """All its vectors, those of summaries among them."""


async def holdings(db: Connection) -> list[Holding]:
    """Return what is stored of every embedder, the one with most findings first."""
    sql = """
        SELECT embedder, max(dimension) AS dimension, count(*) AS vectors,
            sum(CASE WHEN subject_kind = 'finding' THEN 1 ELSE 0 END) AS findings
        FROM embeddings GROUP BY embedder ORDER BY findings DESC, embedder
    """
    return await db.all(Holding, sql)


async def findings(db: Connection) -> int:
    """Return how many findings there are, with a vector or without."""
    return await db.value(int, "SELECT count(*) FROM scout_findings") or 0


async def lacking(db: Connection, embedder: str, dimension: int) -> int:
    """Return how many findings have no vector of this embedder, or one of another length."""
    sql = """
        SELECT count(*) FROM scout_findings f
        LEFT JOIN embeddings e
            ON e.subject_id = f.id AND e.subject_kind = 'finding' AND e.embedder = $1
        WHERE e.subject_id IS NULL OR e.dimension <> $2
    """
    return await db.value(int, sql, embedder, dimension) or 0


async def next_lacking(
    db: Connection, embedder: str, dimension: int, after: UUID = _FIRST, limit: int = 64
) -> list[Finding]:
    """Return the next findings without a vector of this embedder, in the order of their ids.

    Args:
        db: the database.
        embedder: the name of the embedder.
        dimension: a vector of another length is none.
        after: the last id that was seen.
        limit: how many at most.
    """
    sql = """
        SELECT f.* FROM scout_findings f
        LEFT JOIN embeddings e
            ON e.subject_id = f.id AND e.subject_kind = 'finding' AND e.embedder = $1
        WHERE f.id > $3 AND (e.subject_id IS NULL OR e.dimension <> $2) ORDER BY f.id LIMIT $4
    """
    return await db.all(Finding, sql, embedder, dimension, after, limit)


async def next_findings(db: Connection, after: UUID = _FIRST, limit: int = 64) -> list[Finding]:
    """Return the next findings, with a vector or without, in the order of their ids."""
    sql = "SELECT * FROM scout_findings WHERE id > $1 ORDER BY id LIMIT $2"
    return await db.all(Finding, sql, after, limit)


async def still_there(db: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Return those of these findings that exist."""
    sql = f"SELECT id FROM scout_findings WHERE id IN ({placeholders(ids, first=1)})"  # noqa: S608 - placeholders
    return {row.id for row in await db.all(_Id, sql, *ids)}


async def scouts_of(db: Connection, embedder: str) -> list[UUID]:
    """Return the scouts that have findings with a vector of this embedder."""
    sql = """
        SELECT DISTINCT scout_id AS id FROM embeddings
        WHERE embedder = $1 AND subject_kind = 'finding' ORDER BY scout_id
    """
    return [row.id for row in await db.all(_Id, sql, embedder)]


async def forget(db: Connection, embedder: str) -> int:
    """Delete every vector of an embedder; return how many there were."""
    return await db.execute("DELETE FROM embeddings WHERE embedder = $1", embedder)


class _Id(Record, frozen=True, kw_only=True):
    id: UUID
