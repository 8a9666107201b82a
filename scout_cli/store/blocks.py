"""Blocks of vectors: copies for looking through all of them, made and dropped at will.

Reading 100,000 rows takes seconds, reading their 200 blocks a tenth of one. Triggers drop a block
with the first of its vectors that changes or goes; a vector without a block is read by itself until
there are enough of them for another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import astuple

from scout_cli.core.models import Record
from scout_cli.store.database import Connection
from scout_cli.store.statements import insert, placeholders, values
from scout_cli.store.vectors import FoundVector

SIZE = 512
"""Vectors of a block."""
_AT_ONCE = 500


class Whose(NamedTuple):
    """The vectors that are looked through together."""

    user_id: UUID
    embedder: str
    dimension: int


class Block(Record, frozen=True, kw_only=True):
    """A block as it is stored."""

    id: UUID
    user_id: UUID
    embedder: str
    dimension: int
    packed: bytes | None
    """None for one whose vectors `nearby` compares."""


class Bound(NamedTuple):
    """A finding, and between what its cosine with a question lies, as far as was looked."""

    id: UUID
    least: float
    most: float


class Known(Record, frozen=True, kw_only=True):
    """That there is a block."""

    id: UUID
    here: bool
    """Whether its vectors are in it, rather than with `nearby`."""


async def known(db: Connection, of: Whose) -> list[Known]:
    """Return which blocks there are."""
    # Asked for its length, SQLite need not read what is packed: 400 kB a block.
    sql = """
        SELECT id, length(packed) IS NOT NULL AS here FROM vector_blocks
        WHERE user_id = $1 AND embedder = $2 AND dimension = $3 ORDER BY id
    """
    return await db.all(Known, sql, *of)


async def read(db: Connection, ids: Sequence[UUID]) -> list[Block]:
    """Return those of these blocks that are there."""
    sql = f"SELECT * FROM vector_blocks WHERE id IN ({placeholders(ids, first=1)})"  # noqa: S608 - placeholders
    return await db.all(Block, sql, *ids)


async def loose(db: Connection, of: Whose, limit: int, *, lock: str = "") -> list[FoundVector]:
    """Return vectors that are in no block.

    Args:
        db: the database.
        of: only these.
        limit: how many at most.
        lock: `share_lock` of a transaction in which none of them may change or go.
    """
    sql = f"""
        SELECT e.subject_id AS id, e.scout_id, e.vector FROM vector_places p
        JOIN embeddings e ON e.subject_kind = 'finding' AND e.subject_id = p.finding_id
            AND e.embedder = p.embedder
        WHERE p.user_id = $1 AND p.embedder = $2 AND p.block_id IS NULL AND e.dimension = $3
        ORDER BY p.finding_id LIMIT $4 {lock}
    """  # noqa: S608 - a constant
    return await db.all(FoundVector, sql, *of, limit)


async def waiting(db: Connection, size: int) -> list[Whose]:
    """Return whose vectors without a block are enough for one of this size."""
    sql = """
        SELECT p.user_id, p.embedder, e.dimension FROM vector_places p
        JOIN embeddings e ON e.subject_kind = 'finding' AND e.subject_id = p.finding_id
            AND e.embedder = p.embedder
        WHERE p.block_id IS NULL GROUP BY p.user_id, p.embedder, e.dimension
        HAVING count(*) >= $1 ORDER BY p.user_id, p.embedder, e.dimension
    """
    return [Whose(*astuple(each)) for each in await db.all(_Waiting, sql, size)]


class _Waiting(Record, frozen=True, kw_only=True):
    user_id: UUID
    embedder: str
    dimension: int


async def alone(tx: Connection, user_id: UUID) -> None:
    """Inside a transaction: wait until nobody else makes blocks for this user."""
    if tx.kind == "postgresql":  # SQLite has one writer anyway
        await tx.value(str, "SELECT pg_advisory_xact_lock(hashtextextended($1, 8))", str(user_id))


async def add(tx: Connection, block: Block, findings: Sequence[UUID]) -> None:
    """Store a block, and that these findings are in it."""
    await tx.execute(insert("vector_blocks", Block), *values(block))
    for start in range(0, len(findings), _AT_ONCE):
        some = findings[start : start + _AT_ONCE]
        await tx.execute(
            f"""UPDATE vector_places SET block_id = $1
                WHERE embedder = $2 AND finding_id IN ({placeholders(some, first=3)})""",  # noqa: S608 - placeholders
            *(block.id, block.embedder, *some),
        )


async def counted(db: Connection) -> None:
    """Tell PostgreSQL how much there is to look through: it would find out a minute later.

    Until it has, it plans a search in thousands of findings for a handful of them.
    """
    if db.kind == "postgresql":
        await db.execute("ANALYZE scout_findings, embeddings, vector_places, vector_blocks")


async def drop(db: Connection, ids: Sequence[UUID]) -> None:
    """Drop blocks; their vectors are in none then."""
    await db.executemany("DELETE FROM vector_blocks WHERE id = $1", [(each,) for each in ids])


async def exact(db: Connection, embedder: str, ids: Sequence[UUID]) -> list[FoundVector]:
    """Return the vectors of these findings, as far as they are there."""
    found: list[FoundVector] = []
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        sql = f"""
            SELECT subject_id AS id, scout_id, vector FROM embeddings
            WHERE subject_kind = 'finding' AND embedder = $1
                AND subject_id IN ({placeholders(some, first=2)})
        """  # noqa: S608 - placeholders
        found += await db.all(FoundVector, sql, embedder, *some)
    return found
