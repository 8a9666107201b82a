"""Rebuilding vectors, on every database: what lacks one gets one, and nothing is made twice."""

from __future__ import annotations

from array import array

import pytest

from scout_cli.errors import ModelUnavailable
from scout_cli.llm.builtin import DIMENSIONS, LexicalEmbedder
from scout_cli.service import rebuilding
from scout_cli.store import embedders, findings, scouts, users, vectors
from scout_cli.store.vectors import Embedding
from tests.contract import rows
from tests.contract.databases import EVERY

pytestmark = pytest.mark.databases(*EVERY)

MANY = 150
"""More than two batches."""


class Counting(LexicalEmbedder):
    """Counts the texts that it embeds, and breaks after some of them."""

    def __init__(self, *, name="test/counting", breaks_after=10_000) -> None:
        self.name = name
        self.left = breaks_after
        self.texts: list[str] = []

    async def embed(self, texts):
        """Embed, or break."""
        if self.left < len(texts):
            raise ModelUnavailable("the embedder went away")
        made = [text for text in texts if text != rebuilding.PROBE]
        self.left -= len(made)
        self.texts += made
        return await super().embed(texts)


@pytest.fixture
async def filled(database):
    """Return a database with two scouts and many findings, one of which has a vector."""
    owner = await users.local_owner(database)
    mine = [rows.scout(owner.id), rows.scout(owner.id, title="Buses")]
    for each in mine:
        await scouts.add(database, each)
    found = [rows.finding(mine[n % 2], fact=f"Fact number {n}.") for n in range(MANY)]
    await findings.add_many(database, found)
    (vector,) = await LexicalEmbedder().embed([found[0].fact])
    await vectors.put_many(database, [vectors.of_finding(found[0], "test/counting", vector)])
    await vectors.put_many(database, [vectors.of_finding(found[1], "test/other", vector)])
    return database


async def through(db, embedder, **how):
    """Rebuild to the end; return the steps."""
    return [step async for step in rebuilding.rebuild(db, embedder, **how)]


async def test_every_finding_gets_a_vector_once(filled):
    """Only what lacks one is made, and a second time there is nothing to do."""
    embedder = Counting()
    steps = await through(filled, embedder)
    assert len(embedder.texts) == len(set(embedder.texts)) == MANY - 1
    assert (steps[0].done, steps[-1].done, steps[-1].of) == (0, MANY - 1, MANY - 1)
    assert [step.done for step in await through(filled, embedder)] == [0]
    stock = await rebuilding.stock(filled, embedder.name)
    assert (stock.findings, stock.lacking) == (MANY, 0)


async def test_an_interrupted_rebuilding_goes_on_where_it_was(filled):
    """What was stored before the embedder went away is not made again."""
    with pytest.raises(ModelUnavailable):
        await through(filled, first := Counting(breaks_after=70))
    left = await embedders.lacking(filled, first.name, DIMENSIONS)
    assert left == MANY - 1 - len(first.texts)
    await through(filled, second := Counting())
    assert len(second.texts) == left
    assert set(first.texts) & set(second.texts) == set()


async def test_a_vector_of_another_length_is_none(filled):
    """Another model answers to the same name: what the first one made is made again."""
    await through(filled, Counting())
    await through(filled, shorter := Shorter())
    assert len(shorter.texts) == MANY
    assert await embedders.lacking(filled, shorter.name, DIMENSIONS // 2) == 0


async def test_again_makes_all_anew(filled):
    """For a model that changed under the same name; other embedders keep theirs."""
    await through(filled, embedder := Counting(), again=True)
    assert len(embedder.texts) == MANY
    assert await embedders.lacking(filled, "test/other", DIMENSIONS) == MANY - 1


async def test_an_absent_embedder_costs_no_vector(filled):
    """Making all anew begins with asking it: what was there before is there still."""
    await through(filled, Counting())
    before = await kept(filled)
    with pytest.raises(ModelUnavailable):
        await through(filled, Counting(breaks_after=0), again=True)
    assert await kept(filled) == before


async def test_making_all_anew_leaves_old_vectors_or_new_ones(filled):
    """Broken off in the middle, the batches that were done are new, and nothing is missing."""
    await through(filled, Counting())
    before = await kept(filled)
    with pytest.raises(ModelUnavailable):
        await through(filled, other := Turned(breaks_after=100), again=True)
    after = await kept(filled)
    assert after.keys() == before.keys()
    changed = [each for each in before if before[each] != after[each]]
    assert len(changed) == len(other.texts) == 64


class Shorter(Counting):
    """Makes vectors of half the length."""

    async def embed(self, texts):
        """Embed, and leave half of it out."""
        return [vector[: DIMENSIONS // 2] for vector in await super().embed(texts)]


class Turned(Counting):
    """The same name, and another model behind it."""

    async def embed(self, texts):
        """Embed in the other direction."""
        return [array("f", [-x for x in vector]) for vector in await super().embed(texts)]


async def kept(db):
    """Return the vectors by finding."""
    sql = "SELECT * FROM embeddings WHERE embedder = 'test/counting'"
    return {each.subject_id: each.vector for each in await db.all(Embedding, sql)}


async def test_only_the_named_embedder_is_kept(filled):
    """The vectors of all others go, and are counted."""
    assert await rebuilding.keep_only(filled, "test/counting") == 1
    assert [each.embedder for each in await embedders.holdings(filled)] == ["test/counting"]


async def test_holdings_count_findings_and_dimensions(filled):
    """Each embedder is listed with its dimension, the fullest first."""
    await through(filled, Counting())
    held = await embedders.holdings(filled)
    assert [(each.embedder, each.findings) for each in held] == [
        ("test/counting", MANY),
        ("test/other", 1),
    ]
    assert {each.dimension for each in held} == {768}


async def test_a_finding_that_went_meanwhile_gets_no_vector(filled):
    """What a person forgets while its vector is made leaves nothing behind."""

    class Forgetting(Counting):
        async def embed(self, texts):
            made = await super().embed(texts)
            await filled.execute("DELETE FROM scout_findings WHERE fact = $1", texts[0])
            return made

    await through(filled, embedder := Forgetting())
    sql = """
        SELECT count(*) FROM embeddings e LEFT JOIN scout_findings f ON f.id = e.subject_id
        WHERE f.id IS NULL AND e.embedder = $1
    """
    assert await filled.value(int, sql, embedder.name) in (0, 1)  # the one from before, at most
