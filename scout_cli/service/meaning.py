"""Search by meaning: the question's vector beside those of all findings of its user.

A rough look at all of them, in blocks that stay in memory or in the database by its extension,
tells which can be among the closest; their own vectors then say which are. Whatever looked first,
the answer is the same.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from scout_cli.core.models import Novelty
from scout_cli.core.ports import Embedder, Vector
from scout_cli.service import packing
from scout_cli.service.packing import Bounds, Packed
from scout_cli.store import blocks, findings, nearby
from scout_cli.store.blocks import Block, Bound, Known, Whose
from scout_cli.store.database import Database
from scout_cli.store.vectors import FoundVector

_KEPT = 4
"""Users whose blocks stay in memory: 100,000 vectors of 768 numbers are 81 MB."""
_READ = 32
"""Blocks of one statement."""
_FLOOR = 0.1
"""How far above the background, on the way to the lower cut-off, a finding says something."""
_DIGITS = 4


class Meaning:
    """Compares questions with findings.

    Args:
        size: vectors of a block.
    """

    def __init__(self, size: int = blocks.SIZE) -> None:
        self._size = size
        self._held: dict[Whose, dict[UUID, Packed]] = {}

    async def ranked(
        self,
        db: Database,
        user_id: UUID,
        embedder: Embedder,
        text: str,
        *,
        scout_ids: Sequence[UUID] = (),
        novelty: Sequence[Novelty] = (),
        limit: int,
    ) -> list[UUID]:
        """Return the findings closest to `text`, closest first, none that is no closer than usual.

        Args:
            db: the database.
            user_id: the owner.
            embedder: only its vectors are compared.
            text: the question.
            scout_ids: of these scouts only; empty for all.
            novelty: of these kinds only; empty for all.
            limit: how many at most.

        Raises:
            ModelUnavailable: the embedder is absent.
        """
        (vector,) = await embedder.embed([text])
        floor = embedder.background + _FLOOR * (embedder.cutoffs[0] - embedder.background)
        of = Whose(user_id, embedder.name, len(vector))
        loose, known = await _gathered(db, of, self._size)
        search = _Search(db, novelty, limit, floor)
        ids: list[UUID] = []
        if own := await self._current(db, of, [each.id for each in known if each.here]):
            look = partial(packing.bounds, own, vector, floor, scout_ids)
            rough = await asyncio.to_thread(look)
            ids += await search.likely(partial(_part, rough))
        if not all(each.here for each in known):
            ids += await search.likely(partial(_nearby, db, of, vector, scout_ids))
        wanted = set(scout_ids)
        mine = [each for each in loose if not wanted or each.scout_id in wanted]
        counted = await search.counted([each.id for each in mine])
        found = [each for each in mine if each.id in counted]
        found += await blocks.exact(db, embedder.name, ids)
        return _closest(found, vector, limit, floor)

    async def _current(self, db: Database, of: Whose, ids: Sequence[UUID]) -> list[Packed]:
        """Return the vectors of these blocks, from memory as far as they are there."""
        held = self._held.pop(of, {})
        now = {each: held[each] for each in ids if each in held}
        missing = [each for each in ids if each not in now]
        for start in range(0, len(missing), _READ):
            read = await blocks.read(db, missing[start : start + _READ])
            now.update((block.id, packing.unpacked(block)) for block in read)
        self._held[of] = now  # the last one asked for is the last to go
        while len(self._held) > _KEPT:
            del self._held[next(iter(self._held))]
        return list(now.values())


class _Search(NamedTuple):
    """What of a rough look is worth an exact one."""

    db: Database
    novelty: Sequence[Novelty]
    limit: int
    floor: float

    async def likely(self, part: Callable[[int, int], Awaitable[list[Bound]]]) -> list[UUID]:
        """Return every finding that may be among the closest of those that count.

        Which count is asked of the closest ones first: nearly always they are enough, and where
        nearly all are repeats, all of them are asked about in the end.

        Args:
            part: returns some findings, by the number of those before and by how many; highest
                upper bound first.
        """
        found: list[Bound] = []
        floor, start, size = self.floor, 0, 2 * self.limit
        while some := await part(start, size):
            counted = await self.counted([each.id for each in some])
            found += [each for each in some if each.id in counted]
            if len(found) >= self.limit:
                floor = max(floor, heapq.nlargest(self.limit, (e.least for e in found))[-1])
            if len(some) < size or some[-1].most < floor:
                break
            start, size = start + size, 4 * size
        return [each.id for each in found if each.most >= floor]

    async def counted(self, ids: Sequence[UUID]) -> Collection[UUID]:
        """Return those of some findings that are of a kind that is looked for."""
        return await findings.of_kind(self.db, ids, self.novelty) if self.novelty else set(ids)


async def pack_all(db: Database, size: int = blocks.SIZE) -> None:
    """Make all blocks that can be made, so that no search has to."""
    made = 0
    for of in await blocks.waiting(db, size):
        while await _pack(db, of, size):
            made += 1
    if made:
        await blocks.counted(db)


async def _pack(db: Database, of: Whose, size: int) -> bool:
    """Make a block of vectors that are in none; return whether there were enough."""
    async with db.transaction() as tx:
        await blocks.alone(tx, of.user_id)
        found = await blocks.loose(tx, of, size, lock=tx.share_lock)
        if len(found) < size:
            return False
        here = not await nearby.offered(tx)
        block = Block(
            id=tx.uuid(),
            user_id=of.user_id,
            embedder=of.embedder,
            dimension=of.dimension,
            packed=packing.pack(found) if here else None,
        )
        await blocks.add(tx, block, [each.id for each in found])
        if not here:
            await nearby.add(tx, block, found)
    return True


async def _gathered(db: Database, of: Whose, size: int) -> tuple[list[FoundVector], list[Known]]:
    """Return the vectors in no block, too few for another one, and the blocks of the others.

    In this order: what is packed meanwhile is in both rather than in neither.
    """
    loose = await blocks.loose(db, of, size)
    while len(loose) == size:
        await _pack(db, of, size)
        loose = await blocks.loose(db, of, size)
    known = await blocks.known(db, of)
    lost = [each.id for each in known if not each.here]
    if lost and not await nearby.there(db):  # the extension was dropped, and its table with it
        await blocks.drop(db, lost)
        return await _gathered(db, of, size)
    return loose, known


async def _part(rough: Bounds, start: int, size: int) -> list[Bound]:
    return rough.part(start, start + size)


async def _nearby(
    db: Database, of: Whose, vector: Vector, scout_ids: Sequence[UUID], start: int, size: int
) -> list[Bound]:
    return await nearby.nearest(db, of, vector, scout_ids=scout_ids, start=start, limit=size)


def _closest(found: Sequence[FoundVector], vector: Vector, limit: int, floor: float) -> list[UUID]:
    """Return the findings closest to a question by their own vectors, ordered by four digits.

    In double precision, where the order of adding does not show in these digits.
    """
    import numpy as np  # noqa: PLC0415 - a tenth of a second that other commands save

    by_id = {each.id: each.vector for each in found}
    if not by_id:
        return []
    rows = np.frombuffer(b"".join(by_id.values()), dtype="<f4").reshape(len(by_id), len(vector))
    cosines = rows.astype("f8") @ np.asarray(vector, dtype="f8")
    near = zip(np.round(cosines, _DIGITS).tolist(), by_id, strict=True)
    ordered = sorted(near, key=lambda each: (-each[0], each[1].bytes))
    return [each for cosine, each in ordered[:limit] if cosine >= floor]
