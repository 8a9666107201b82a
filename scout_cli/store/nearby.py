"""Nearest vectors by the extension `vector` of PostgreSQL, where it is installed.

A side table of half-precision numbers, one row a vector, filled block by block beside
`store.blocks` and as easily lost. It is read from end to end, on several cores where there are:
an approximate index would answer sooner, and differently from the other databases.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.core.ports import Vector
from scout_cli.store.blocks import Block, Bound, Whose
from scout_cli.store.database import Connection
from scout_cli.store.statements import placeholders
from scout_cli.store.vectors import FoundVector, unpack

ERROR = 0.0012
"""The most by which a cosine of half-precision numbers is off: each of them is, by at most one part
in 2,048, in the question and in the finding."""

_TABLE = """
CREATE TABLE IF NOT EXISTS vector_rows (
    finding_id UUID NOT NULL,
    block_id UUID NOT NULL REFERENCES vector_blocks (id) ON DELETE CASCADE,
    user_id UUID NOT NULL,
    scout_id UUID NOT NULL,
    embedder TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    vector halfvec NOT NULL,
    PRIMARY KEY (finding_id, embedder)
);
ALTER TABLE vector_rows ALTER COLUMN vector SET STORAGE MAIN;
CREATE INDEX IF NOT EXISTS vector_rows_of_block ON vector_rows (block_id);
"""
# MAIN keeps a vector of up to 4,000 numbers in its row: fetching it from elsewhere takes longer
# than comparing it.

_WILLING = """
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL plan_cache_mode = force_custom_plan;
"""
# A plan for any question would read the question's vector from its text again for every row.


class _Near(Record, frozen=True, kw_only=True):
    """A finding and how alike its vector is, within `ERROR`."""

    id: UUID
    cosine: float


async def offered(db: Connection) -> bool:
    """Return whether the extension is there, in a version with half-precision numbers (0.7)."""
    if db.kind != "postgresql":
        return False
    return bool(await db.value(bool, "SELECT to_regtype('halfvec') IS NOT NULL"))


async def there(db: Connection) -> bool:
    """Return whether the side table is; dropping the extension takes its column away."""
    if db.kind != "postgresql":
        return False
    sql = """
        SELECT EXISTS (SELECT 1 FROM pg_attribute
            WHERE attrelid = to_regclass('vector_rows') AND attname = 'vector' AND NOT attisdropped)
    """
    return bool(await db.value(bool, sql))


async def add(tx: Connection, block: Block, found: Sequence[FoundVector]) -> None:
    """Inside a transaction: store the vectors of a block; the table is made if it is missing."""
    if not await there(tx):
        await tx.script(f"DROP TABLE IF EXISTS vector_rows; {_TABLE}")
    await tx.executemany(
        """INSERT INTO vector_rows
            (finding_id, block_id, user_id, scout_id, embedder, dimension, vector)
            VALUES ($1, $2, $3, $4, $5, $6, CAST(CAST($7 AS text) AS halfvec))
            ON CONFLICT (finding_id, embedder) DO UPDATE
            SET block_id = excluded.block_id, vector = excluded.vector""",
        [
            (
                *(each.id, block.id, block.user_id, each.scout_id, block.embedder),
                *(block.dimension, _written(unpack(each.vector))),
            )
            for each in found
        ],
    )


async def nearest(
    db: Connection,
    of: Whose,
    vector: Vector,
    *,
    scout_ids: Sequence[UUID] = (),
    start: int = 0,
    limit: int,
) -> list[Bound]:
    """Return the findings whose vectors are closest to a question's, closest first.

    Args:
        db: the database.
        of: only these vectors.
        vector: the question's.
        scout_ids: of these scouts only; empty for all.
        start: how many of them were seen already.
        limit: how many at most.
    """
    only = f"AND scout_id IN ({placeholders(scout_ids, first=7)})" if scout_ids else ""
    # `<#>` is the negative inner product, which of unit vectors is the negative cosine.
    sql = f"""
        SELECT finding_id AS id, -(vector <#> CAST(CAST($1 AS text) AS halfvec)) AS cosine
        FROM vector_rows
        WHERE user_id = $2 AND embedder = $3 AND dimension = $4 {only}
        ORDER BY vector <#> CAST(CAST($1 AS text) AS halfvec), finding_id OFFSET $5 LIMIT $6
    """  # noqa: S608 - placeholders
    async with db.transaction() as tx:
        await tx.script(_WILLING)
        found = await tx.all(_Near, sql, _written(vector), *of, start, limit, *scout_ids)
    return [Bound(each.id, each.cosine - ERROR, each.cosine + ERROR) for each in found]


def _written(vector: Vector) -> str:
    """Return a vector as text; five digits are ten times as exact as half precision."""
    return "[" + ",".join(["%.5g"] * len(vector)) % tuple(vector) + "]"
