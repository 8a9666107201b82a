"""Embeddings: 32-bit floats, little-endian, one row per subject and embedder."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from scout_cli.core.models import Finding, Novelty, Opinion, Record
from scout_cli.core.ports import Vector
from scout_cli.store.database import Connection
from scout_cli.store.statements import upsert, values

_KEY = ("subject_kind", "subject_id", "embedder")


class Embedding(Record, frozen=True, kw_only=True):
    """A vector as it is stored; `pack` makes its bytes."""

    subject_kind: Literal["finding", "summary"]
    subject_id: UUID
    """Of a finding, or of the execution whose summary it is."""
    user_id: UUID
    scout_id: UUID
    embedder: str
    dimension: int
    vector: bytes


class EarlierVector(Record, frozen=True, kw_only=True):
    """An earlier finding with its vector; `unpack` reads its bytes."""

    id: UUID
    fact: str
    canonical_url: str
    created_at: datetime
    vector: bytes
    story_id: UUID | None = None
    novelty: Novelty = "new"
    same_as: UUID | None = None
    opinion: Opinion | None = None
    said_at: datetime | None = None


def pack(vector: Vector) -> bytes:
    """Return the bytes of a vector, four per dimension, little-endian."""
    return _little_endian(array("f", vector)).tobytes()


def unpack(data: bytes) -> Vector:
    """Return the vector that `pack` made these bytes of."""
    vector = array("f")
    vector.frombytes(data)
    return _little_endian(vector)


def _little_endian(vector: Vector) -> Vector:
    if sys.byteorder == "big":
        vector.byteswap()
    return vector


def of_finding(finding: Finding, embedder: str, vector: Vector) -> Embedding:
    """Return the row that keeps the vector of a finding."""
    return Embedding(
        subject_kind="finding",
        subject_id=finding.id,
        user_id=finding.user_id,
        scout_id=finding.scout_id,
        embedder=embedder,
        dimension=len(vector),
        vector=pack(vector),
    )


async def put_many(db: Connection, embeddings: Iterable[Embedding]) -> None:
    """Store vectors, over earlier ones of the same subject and embedder."""
    await db.executemany(
        upsert("embeddings", Embedding, _KEY), [values(embedding) for embedding in embeddings]
    )


async def of_scout(db: Connection, scout_id: UUID, embedder: str) -> list[EarlierVector]:
    """Return every finding of a scout that has a vector of this embedder, oldest first."""
    sql = """
        SELECT f.id, f.fact, f.canonical_url, f.created_at, e.vector, f.story_id, f.novelty,
            f.same_as, o.opinion, o.created_at AS said_at
        FROM embeddings e JOIN scout_findings f ON f.id = e.subject_id
        LEFT JOIN finding_opinions o ON o.finding_id = f.id
        WHERE e.scout_id = $1 AND e.embedder = $2 AND e.subject_kind = 'finding'
        ORDER BY f.created_at, f.id
    """
    return await db.all(EarlierVector, sql, scout_id, embedder)


async def without(
    db: Connection, scout_id: UUID, embedder: str, dimension: int | None = None
) -> list[Finding]:
    """Return every finding of a scout that has no vector of this embedder, oldest first.

    Args:
        db: the database.
        scout_id: whose findings.
        embedder: its name.
        dimension: those of another length count as none; None takes any.
    """
    sql = """
        SELECT f.* FROM scout_findings f
        LEFT JOIN embeddings e
            ON e.subject_id = f.id AND e.subject_kind = 'finding' AND e.embedder = $2
        WHERE f.scout_id = $1
            AND (e.subject_id IS NULL OR e.dimension <> CAST($3 AS INTEGER))
        ORDER BY f.created_at, f.id
    """
    return await db.all(Finding, sql, scout_id, embedder, dimension)


class FoundVector(Record, frozen=True, kw_only=True):
    """The vector of a finding, for comparing a question with all findings of a user."""

    id: UUID
    scout_id: UUID
    vector: bytes
