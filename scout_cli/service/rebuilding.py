"""Giving every finding a vector of the embedder in use, after another one was chosen.

Each batch is committed for itself: what was done before an interruption stays, and is done again
only when all vectors are to be made anew. No vector goes before there is one in its place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from scout_cli.core.models import Finding, Record
from scout_cli.core.ports import Embedder
from scout_cli.service import meaning
from scout_cli.store import embedders, vectors
from scout_cli.store.database import Connection, Database
from scout_cli.store.embedders import Holding

_BATCH = 64
_FIRST = UUID(int=0)
PROBE = "Any sentence: what counts is how long its vector is."


class Stock(Record, frozen=True, kw_only=True):
    """Which vectors there are."""

    findings: int
    """Findings of all scouts."""
    holdings: tuple[Holding, ...]
    current: str
    """The embedder in use."""

    @property
    def lacking(self) -> int:
        """Return how many findings have no vector of the embedder in use."""
        held = (each.findings for each in self.holdings if each.embedder == self.current)
        return self.findings - sum(held)


class Step(Record, frozen=True, kw_only=True):
    """How far a rebuilding is."""

    done: int
    of: int


async def stock(db: Database, current: str) -> Stock:
    """Return which vectors there are.

    Args:
        db: the database.
        current: the name of the embedder in use.
    """
    held = await embedders.holdings(db)
    return Stock(findings=await embedders.findings(db), holdings=tuple(held), current=current)


async def rebuild(db: Database, embedder: Embedder, *, again: bool = False) -> AsyncIterator[Step]:
    """Give every finding that lacks one a vector, and say after each batch how far it is.

    One of another length than the embedder's, as another model under the same name made, is none.

    Args:
        db: the database.
        embedder: makes the vectors.
        again: make all anew, for a model that changed under the same name. Until the end there
            are vectors of both models; after an interruption it begins at the first one.

    Yields:
        the first step before anything is done, then one for each batch that was stored.

    Raises:
        ModelUnavailable: the embedder does not answer; what was stored stays.
    """
    (probe,) = await embedder.embed([PROBE])
    own = embedder.name, len(probe)
    counted = embedders.findings(db) if again else embedders.lacking(db, *own)
    wanted, done, last = await counted, 0, _FIRST
    yield Step(done=0, of=wanted)
    while found := await _next(db, own, last, again=again):
        await _embed(db, embedder, found)
        last, done = found[-1].id, done + len(found)
        yield Step(done=done, of=max(wanted, done))
    await meaning.pack_all(db)


async def complete(
    db: Connection, scout_id: UUID, embedder: Embedder, dimension: int | None = None
) -> int:
    """Give the findings of one scout the vectors that they lack; return how many there were.

    Args:
        db: the database.
        scout_id: whose findings.
        embedder: makes the vectors.
        dimension: a vector of another length is none; None takes any.

    Raises:
        ModelUnavailable: the embedder does not answer; what was stored stays.
    """
    lacking = await vectors.without(db, scout_id, embedder.name, dimension)
    for start in range(0, len(lacking), _BATCH):
        await _embed(db, embedder, lacking[start : start + _BATCH])
    return len(lacking)


async def _next(db: Database, own: tuple[str, int], after: UUID, *, again: bool) -> list[Finding]:
    if again:
        return await embedders.next_findings(db, after, _BATCH)
    return await embedders.next_lacking(db, *own, after, _BATCH)


async def keep_only(db: Database, name: str) -> int:
    """Delete the vectors of all other embedders; return how many there were."""
    others = [each.embedder for each in await embedders.holdings(db) if each.embedder != name]
    return sum([await embedders.forget(db, other) for other in others])


async def _embed(db: Connection, embedder: Embedder, found: Sequence[Finding]) -> None:
    made = await embedder.embed([finding.fact for finding in found])
    rows = [
        vectors.of_finding(finding, embedder.name, vector)
        for finding, vector in zip(found, made, strict=True)
    ]
    async with db.transaction() as tx:  # a finding may have been forgotten meanwhile
        there = await embedders.still_there(tx, [finding.id for finding in found])
        await vectors.put_many(tx, [row for row in rows if row.subject_id in there])
