"""Search by meaning: the question's vector beside those of all findings of its user.

The vectors of the last users asked for stay in memory, one matrix each; what was found since is
added to it, and it is read anew when something was deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.core.ports import Embedder
from scout_cli.store import vectors
from scout_cli.store.database import Database

_KEPT = 4
"""Matrices in memory: 100,000 vectors of 768 numbers are 300 MB."""
_FLOOR = 0.1
"""How far above the background, on the way to the lower cut-off, a finding says something."""


class _Matrix(Record, frozen=True, kw_only=True):
    count: int
    newest: datetime | None
    ids: list[UUID]
    scouts: Any
    """One number per row, the place of its scout in `places`."""
    places: dict[UUID, int]
    rows: Any


class Meaning:
    """Compares questions with findings, in memory."""

    def __init__(self) -> None:
        self._matrices: dict[tuple[UUID, str], _Matrix] = {}

    async def ranked(
        self,
        db: Database,
        user_id: UUID,
        embedder: Embedder,
        text: str,
        *,
        scout_ids: Sequence[UUID] = (),
        limit: int,
    ) -> list[UUID]:
        """Return the findings closest to `text`, closest first, none that is no closer than usual.

        Args:
            db: the database.
            user_id: the owner.
            embedder: only its vectors are compared.
            text: the question.
            scout_ids: of these scouts only; empty for all.
            limit: how many at most.

        Raises:
            ModelUnavailable: the embedder is absent.
        """
        matrix = await self._current(db, user_id, embedder.name)
        if not matrix.ids:
            return []
        import numpy as np  # noqa: PLC0415 - a tenth of a second that other commands save

        (vector,) = await embedder.embed([text])
        if len(vector) != matrix.rows.shape[1]:
            return []
        cosines = matrix.rows @ np.asarray(vector, dtype="<f4")
        if scout_ids:
            wanted = [matrix.places[each] for each in scout_ids if each in matrix.places]
            cosines = np.where(np.isin(matrix.scouts, wanted), cosines, -1.0)
        best = _best(cosines, limit)
        floor = embedder.background + _FLOOR * (embedder.cutoffs[0] - embedder.background)
        near = [(round(float(cosines[at]), 4), matrix.ids[at]) for at in best]
        near = sorted(near, key=lambda each: (-each[0], str(each[1])))
        return [each for cosine, each in near if cosine >= floor]

    async def _current(self, db: Database, user_id: UUID, embedder: str) -> _Matrix:
        key = (user_id, embedder)
        extent = await vectors.extent(db, user_id, embedder)
        known = self._matrices.pop(key, None)
        if known is None or (known.count, known.newest) != (extent.count, extent.newest):
            known = await self._read(db, user_id, embedder, extent, known)
        self._matrices[key] = known  # the last one asked for is the last to go
        while len(self._matrices) > _KEPT:
            del self._matrices[next(iter(self._matrices))]
        return known

    async def _read(
        self,
        db: Database,
        user_id: UUID,
        embedder: str,
        extent: vectors.Extent,
        known: _Matrix | None,
    ) -> _Matrix:
        if known and known.newest and known.count < extent.count:
            fresh = await vectors.of_user(db, user_id, embedder, after=known.newest)
            if known.count + len(fresh) == extent.count:
                return _grown(known, fresh, extent)
        return _grown(None, await vectors.of_user(db, user_id, embedder), extent)


def _grown(
    known: _Matrix | None, fresh: Sequence[vectors.FoundVector], extent: vectors.Extent
) -> _Matrix:
    """Return a matrix with further rows; those of another length than the last are left out."""
    import numpy as np  # noqa: PLC0415 - see `ranked`

    size = len(fresh[-1].vector) if fresh else 0
    rows = [each for each in fresh if len(each.vector) == size]
    packed = np.frombuffer(b"".join(each.vector for each in rows), dtype="<f4")
    matrix = packed.reshape(len(rows), size // 4 if size else 0)
    places = dict(known.places) if known else {}
    for each in rows:
        places.setdefault(each.scout_id, len(places))
    scouts = np.array([places[each.scout_id] for each in rows], dtype="i4")
    ids = [each.id for each in rows]
    if known and known.ids:
        if rows and known.rows.shape[1] == matrix.shape[1]:
            matrix = np.concatenate([known.rows, matrix])
            scouts = np.concatenate([known.scouts, scouts])
            ids = [*known.ids, *ids]
        elif not rows:
            matrix, scouts, ids = known.rows, known.scouts, known.ids
    return _Matrix(
        count=extent.count, newest=extent.newest, ids=ids, scouts=scouts, places=places, rows=matrix
    )


def _best(cosines: Any, limit: int) -> Any:
    """Return the places of the highest values, in no order, with all that tie with the last."""
    import numpy as np  # noqa: PLC0415 - see `ranked`

    if len(cosines) <= limit:
        return np.arange(len(cosines))
    return np.argpartition(-cosines, limit)[:limit]
