"""What a scout read and reported before, read from the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from scout_cli.core.cutoffs import LEAST
from scout_cli.core.models import SeenPage
from scout_cli.core.ports import (
    NEAREST,
    Background,
    Earlier,
    Embedder,
    Habits,
    Neighbour,
    Vector,
)
from scout_cli.core.standing import Standing, standings
from scout_cli.core.tastes import habits_of
from scout_cli.service import rebuilding
from scout_cli.service.lookback import Lookback
from scout_cli.store import opinions, pages, vectors
from scout_cli.store.database import Connection
from scout_cli.store.vectors import EarlierVector

_SAMPLE = 200
"""Stories that the background is taken from, the newest."""


class StoredMemory:
    """The memory of one scout, read from the database once and compared with numpy.

    Args:
        db: where findings, vectors and pages are.
        scout_id: whose memory.
        embedder: only its vectors are compared; earlier ones of another length are made again.
    """

    def __init__(self, db: Connection, scout_id: UUID, embedder: Embedder) -> None:
        self._db = db
        self._scout_id = scout_id
        self._embedder = embedder
        self._stored: list[EarlierVector] | None = None
        self._standings: dict[UUID, Standing] = {}
        self._matrix: Any = None
        self._lookback: Lookback | None = None
        self._remade = 0
        self.kept: dict[UUID, Vector] = {}

    @property
    def embedder(self) -> str:
        """Return whose vectors are compared."""
        return self._embedder.name

    async def page(self, canonical_url: str) -> SeenPage | None:
        """Return what is remembered of a page."""
        return await pages.seen_get(self._db, self._scout_id, canonical_url)

    async def habits(self) -> Habits:
        """Return what the user made of this scout's findings."""
        return habits_of(await opinions.of_scout(self._db, self._scout_id))

    async def background(self, like: Vector) -> Background:
        """Return the median cosine of the newest findings of different stories."""
        stored, rows = await self._comparable(len(like))
        newest = {each.story_id or each.id: at for at, each in enumerate(stored)}
        places = sorted(newest.values())[-_SAMPLE:]
        if len(places) < LEAST:
            return Background(remade=self._remade)
        import numpy as np  # noqa: PLC0415 - see `_comparable`

        cosines = (rows[places] @ rows[places].T)[np.triu_indices(len(places), k=1)]
        return Background(
            cosine=round(float(np.median(cosines)), 4), sample=len(places), remade=self._remade
        )

    async def nearest(self, fact: str, vector: Vector, limit: int = NEAREST) -> Sequence[Neighbour]:
        """Return the closest earlier findings of the current embedder, closest first.

        Of one matter only the closest tellings, and none of them twice.
        """
        stored, rows = await self._comparable(len(vector))
        if not stored:
            return []
        if self._lookback is None:
            self._lookback = Lookback(stored, self._standings, rows)
        return [
            Neighbour(finding=self._earlier(stored[at]), cosine=cosine)
            for at, cosine in self._lookback.nearest(fact, vector, limit)
        ]

    async def from_page(self, canonical_url: str) -> Sequence[Earlier]:
        """Return the earlier findings that came from this page."""
        stored = await self._load()
        return [self._earlier(each) for each in stored if each.canonical_url == canonical_url]

    async def keep(self, subject: UUID, vector: Vector) -> None:
        """Hold a new vector until the run completes."""
        self.kept[subject] = vector

    async def _load(self) -> list[EarlierVector]:
        if self._stored is None:
            self._stored = await vectors.of_scout(self._db, self._scout_id, self.embedder)
            self._standings = standings(self._stored)
        return self._stored

    async def _comparable(self, dimension: int) -> tuple[list[EarlierVector], Any]:
        """Return the findings and their vectors, all of one length."""
        stored = await self._load()
        if self._matrix is None or self._matrix.shape[1] != dimension:
            if any(len(each.vector) != 4 * dimension for each in stored):
                await self._make_again(dimension)
                stored = await self._load()
            import numpy as np  # noqa: PLC0415 - a tenth of a second that most commands save

            rows = np.frombuffer(b"".join(each.vector for each in stored), dtype="<f4")
            self._matrix = rows.reshape(len(stored), dimension)
        return stored, self._matrix

    async def _make_again(self, dimension: int) -> None:
        """Replace vectors of another length: another model answers to the embedder's name."""
        self._remade += await rebuilding.complete(
            self._db, self._scout_id, self._embedder, dimension
        )
        self._stored = self._lookback = None

    def _earlier(self, stored: EarlierVector) -> Earlier:
        standing = self._standings[stored.id]
        return Earlier(
            id=stored.id,
            fact=stored.fact,
            canonical_url=stored.canonical_url,
            created_at=stored.created_at,
            story_id=stored.story_id,
            novelty=stored.novelty,
            told=standing.told,
            opinion=standing.opinion,
            said_at=standing.said_at,
        )
