"""Search by meaning, on every database: blocks and the extension answer as comparing all does."""

from __future__ import annotations

from array import array
from uuid import UUID

import numpy as np
import pytest

from scout_cli.service.meaning import Meaning, pack_all
from scout_cli.store import findings, scouts, users, vectors
from tests.contract import rows
from tests.contract.databases import EVERY

pytestmark = pytest.mark.databases(*EVERY)

NUMBERS = 24
SIZE = 32
MANY = 2 * SIZE + 10


def units(count, seed):
    """Return so many unit vectors, a third of them close together as findings of one matter are."""
    numbers = np.random.default_rng(seed)
    made = numbers.standard_normal((count, NUMBERS))
    made[::3] = made[0] + 0.05 * made[::3]
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype("<f4")


class Turned:
    """An embedder whose answer to any question is one given vector."""

    name, cutoffs, background = "turned", (0.5, 0.9), 0.0

    def __init__(self, vector):
        self.vector = array("f", vector.tobytes())

    async def embed(self, texts):
        """Return the vector once for each text."""
        return [self.vector for _ in texts]


class Shelf:
    """A database with the vectors of two scouts."""

    def __init__(self, db, of):
        self.db, self.of = db, of
        self.matrix = units(MANY, seed=1)
        self.ids = [UUID(int=number + 1) for number in range(MANY)]
        self.meaning = Meaning(SIZE)

    async def put(self, *places):
        """Store the vectors of these places, or of all."""
        await vectors.put_many(
            self.db,
            [
                vectors.Embedding(
                    subject_kind="finding",
                    subject_id=self.ids[at],
                    user_id=self.of[0].user_id,
                    scout_id=self.of[at % 2].id,
                    embedder=Turned.name,
                    dimension=NUMBERS,
                    vector=self.matrix[at].tobytes(),
                )
                for at in places or range(MANY)
            ],
        )

    def compared(self, question, limit, step=1, without=()):
        """Return what comparing every one of them brings."""
        cosines = np.round(self.matrix.astype("f8") @ question.astype("f8"), 4)
        kept = (at for at in range(0, MANY, step) if cosines[at] >= 0.05 and at not in without)
        return [self.ids[at] for at in sorted(kept, key=lambda at: (-cosines[at], at))[:limit]]

    async def tell(self, told):
        """Store the findings of the vectors: told at these places, repeats elsewhere."""
        made = [
            rows.finding(
                self.of[at % 2],
                id=self.ids[at],
                canonical_url=f"https://a.example/{at}",
                novelty="new" if at in told else "repeat",
            )
            for at in range(MANY)
        ]
        await findings.add_many(self.db, made)

    async def ranked(self, question, limit, *of, meaning=None, novelty=()):
        """Return what a search brings."""
        return await (meaning or self.meaning).ranked(
            self.db,
            self.of[0].user_id,
            Turned(question),
            "?",
            scout_ids=of,
            novelty=novelty,
            limit=limit,
        )

    async def kept(self):
        """Return how many blocks have their vectors in them, and how many do not."""
        sql = "SELECT count(packed) FROM vector_blocks"
        here = await self.db.value(int, sql)
        return here, await self.db.value(int, "SELECT count(*) FROM vector_blocks") - here


@pytest.fixture
async def shelf(database):
    """Give a database with the vectors of two scouts of the local owner."""
    owner = await users.local_owner(database)
    of = rows.scout(owner.id), rows.scout(owner.id)
    for each in of:
        await scouts.add(database, each)
    made = Shelf(database, of)
    await made.put()
    return made


@pytest.fixture
def extended(request):
    """Return whether the database has the extension."""
    return "pgvector" in request.node.callspec.id


async def test_a_search_brings_what_comparing_all_brings(shelf, extended):
    """In the same order, from the first search on, for one scout or all, few or many."""
    for question in units(6, seed=2):
        for limit in (1, 5, 40):
            assert await shelf.ranked(question, limit) == shelf.compared(question, limit)
        assert await shelf.ranked(question, 9, shelf.of[0].id) == shelf.compared(question, 9, 2)
    assert await shelf.kept() == ((0, 2) if extended else (2, 0))


@pytest.mark.parametrize("told", [{*range(MANY)}, {*range(4, MANY, 9)}, {1}, {MANY - 1}, set()])
async def test_what_was_not_told_takes_no_place_of_what_was(shelf, told):
    """Of one kind a search brings what comparing all of that kind brings, however rare it is."""
    await shelf.tell(told)
    for question in (*units(3, seed=5), shelf.matrix[0]):
        for limit in (1, 3, 40):
            expected = shelf.compared(question, limit, without={*range(MANY)} - told)
            assert await shelf.ranked(question, limit, novelty=("new", "update")) == expected


async def test_what_keeps_house_makes_the_blocks_before_anybody_searches(shelf):
    """All of them, once."""
    for _ in range(2):
        await pack_all(shelf.db, SIZE)
        assert sum(await shelf.kept()) == 2


async def test_blocks_follow_what_changes_and_what_goes(shelf):
    """A block goes with its first vector that changes or is deleted, and so does the copy in it."""
    (question,) = units(1, seed=3)
    first, second, *_ = shelf.compared(question, 5)
    assert await shelf.ranked(question, 5) == shelf.compared(question, 5)
    at = shelf.ids.index(first)
    sql = "DELETE FROM embeddings WHERE subject_id = $1"
    await shelf.db.execute(sql, first)
    assert sum(await shelf.kept()) == 1
    expected = shelf.compared(question, 5, without={at})
    assert await shelf.ranked(question, 5) == expected
    shelf.matrix[shelf.ids.index(second)] *= -1
    await shelf.put(shelf.ids.index(second))
    expected = shelf.compared(question, 5, without={at})
    assert second not in expected
    assert await shelf.ranked(question, 5) == expected
    assert await shelf.ranked(question, 5, meaning=Meaning(SIZE)) == expected
    places = "SELECT count(*) FROM vector_places"
    assert await shelf.db.value(int, places) == MANY - 1


@pytest.mark.databases(*EVERY[1:])
async def test_the_extension_may_come_and_go(shelf, extended):
    """Without it, what it compared is packed; with it, what is new goes there: equal results."""
    (question,) = units(1, seed=4)
    expected = shelf.compared(question, 20)
    assert await shelf.ranked(question, 20) == expected
    change = "DROP EXTENSION vector CASCADE" if extended else "CREATE EXTENSION vector"
    await shelf.db.script(change)
    if not extended:
        sql = "DELETE FROM vector_blocks WHERE id IN (SELECT id FROM vector_blocks LIMIT 1)"
        await shelf.db.execute(sql)
    assert await shelf.ranked(question, 20) == expected
    assert await shelf.kept() == ((2, 0) if extended else (1, 1))
