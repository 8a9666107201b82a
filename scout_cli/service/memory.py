"""What a scout read and reported before, read from the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from scout_cli.core.models import SeenPage
from scout_cli.core.ports import Background, Earlier, Embedder, Habits, Neighbour, Vector
from scout_cli.core.tastes import habits_of
from scout_cli.store import opinions, pages, vectors
from scout_cli.store.database import Connection
from scout_cli.store.vectors import EarlierVector

_SAMPLE = 200
"""Stories that the background is taken from, the newest."""
_LEAST = 12
"""Stories below which the embedder's own background is better."""


class StoredMemory:
    """The memory of one scout, read from the database once and compared with numpy.

    Args:
        db: where findings, vectors and pages are.
        scout_id: whose memory.
        embedder: only its vectors are compared.
    """

    def __init__(self, db: Connection, scout_id: UUID, embedder: Embedder) -> None:
        self._db = db
        self._scout_id = scout_id
        self.embedder = embedder.name
        self._stored: list[EarlierVector] | None = None
        self._matrix: Any = None
        self.kept: dict[UUID, Vector] = {}

    async def page(self, canonical_url: str) -> SeenPage | None:
        """Return what is remembered of a page."""
        return await pages.seen_get(self._db, self._scout_id, canonical_url)

    async def habits(self) -> Habits:
        """Return what the user made of this scout's findings."""
        return habits_of(await opinions.of_scout(self._db, self._scout_id))

    async def background(self) -> Background:
        """Return the median cosine of the newest findings of different stories."""
        stored = await self._load()
        newest = {each.story_id or each.id: at for at, each in enumerate(stored)}
        places = sorted(newest.values())[-_SAMPLE:]
        if len(places) < _LEAST:
            return Background(sample=len(places))
        import numpy as np  # noqa: PLC0415 - see `nearest`

        rows = self._rows()[places]
        cosines = (rows @ rows.T)[np.triu_indices(len(places), k=1)]
        return Background(cosine=round(float(np.median(cosines)), 4), sample=len(places))

    def _rows(self) -> Any:
        import numpy as np  # noqa: PLC0415 - see `nearest`

        if self._matrix is None:
            assert self._stored is not None
            rows = [np.frombuffer(each.vector, dtype="<f4") for each in self._stored]
            self._matrix = np.stack(rows)
        return self._matrix

    async def nearest(self, vector: Vector, limit: int = 5) -> Sequence[Neighbour]:
        """Return the closest earlier findings of the current embedder, closest first."""
        stored = await self._load()
        if not stored:
            return []
        import numpy as np  # noqa: PLC0415 - a tenth of a second that most commands save

        cosines = self._rows() @ np.asarray(vector, dtype="<f4")
        order = np.argsort(-cosines, kind="stable")[:limit]
        return [
            Neighbour(finding=_earlier(stored[at]), cosine=round(float(cosines[at]), 4))
            for at in order
        ]

    async def from_page(self, canonical_url: str) -> Sequence[Earlier]:
        """Return the earlier findings that came from this page."""
        stored = await self._load()
        return [_earlier(each) for each in stored if each.canonical_url == canonical_url]

    async def keep(self, subject: UUID, vector: Vector) -> None:
        """Hold a new vector until the run completes."""
        self.kept[subject] = vector

    async def _load(self) -> list[EarlierVector]:
        if self._stored is None:
            found = await vectors.of_scout(self._db, self._scout_id, self.embedder)
            size = len(found[-1].vector) if found else 0
            self._stored = [each for each in found if len(each.vector) == size]
        return self._stored


def _earlier(stored: EarlierVector) -> Earlier:
    return Earlier(
        id=stored.id,
        fact=stored.fact,
        canonical_url=stored.canonical_url,
        created_at=stored.created_at,
        story_id=stored.story_id,
        novelty=stored.novelty,
        opinion=stored.opinion,
    )
