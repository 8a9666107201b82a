"""What every embedder must do, and what the Ollama adapter makes of vectors that cannot be used."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager

import pytest

from scout_cli.errors import ModelUnavailable
from scout_cli.llm import ModelSettings, open_embedder
from tests.ollama_server import CHAT, INSTALLED, Model, OllamaServer, Says, vectors

TEXTS = [
    "The ferry line reopens on 14 March.",
    "",
    "   ",
    "Die Fähre fährt wieder.",
    "渡船三月恢复",
    "word " * 5_000,
]


@asynccontextmanager
async def embedding(embed=None, *, model="nomic-embed-text", **settings):
    """Open a server that embeds by `embed`, and an embedder on it."""
    known = [*INSTALLED, Model(name="all-minilm:latest", family="bert")]
    async with OllamaServer(embed=embed, models=known) as server:
        url = f"ollama://{server.host}/{model}"
        embedder = await open_embedder(url, ModelSettings(**settings))
        try:
            yield server, embedder
        finally:
            await embedder.aclose()


@asynccontextmanager
async def any_embedder(kind):
    """Open one embedder of each kind."""
    if kind == "ollama":
        async with embedding() as (_, embedder):
            yield embedder
    else:
        yield await open_embedder("builtin://")


def cosine(one, other):
    """Return the dot product of two unit vectors."""
    return sum(a * b for a, b in zip(one, other, strict=True))


both = pytest.mark.parametrize("kind", ["ollama", "built-in"])


@both
async def test_one_unit_vector_per_text(kind):
    """Vectors are 32-bit, of one length, unit, and never zero, for empty and long texts too."""
    async with any_embedder(kind) as embedder:
        found = await embedder.embed(TEXTS)
    assert len(found) == len(TEXTS)
    assert {vector.typecode for vector in found} == {"f"}
    assert len({len(vector) for vector in found}) == 1
    assert all(math.isclose(cosine(vector, vector), 1.0, abs_tol=1e-4) for vector in found)


@both
async def test_equal_texts_have_equal_vectors(kind):
    """The same text gives the same vector, alone or among others."""
    async with any_embedder(kind) as embedder:
        (alone,) = await embedder.embed(TEXTS[:1])
        among = await embedder.embed([*TEXTS[3:], TEXTS[0]])
    assert among[-1] == alone


@both
async def test_no_texts(kind):
    """Nothing in, nothing out."""
    async with any_embedder(kind) as embedder:
        assert await embedder.embed([]) == []


@both
async def test_cutoffs_and_name(kind):
    """Each embedder has a stable name with its provider, and two cosines in order."""
    async with any_embedder(kind) as embedder:
        lower, upper = embedder.cutoffs
        assert 0 < lower < upper < 1
        assert embedder.name in ("ollama/nomic-embed-text", "built-in/lexical-1")
        assert await embedder.describe()


async def test_texts_go_out_with_their_task_in_batches():
    """Nomic wants its task before each text; 70 texts take three requests, in order."""
    async with embedding() as (server, embedder):
        texts = [f"fact {number}" for number in range(70)]
        found = await embedder.embed(texts)
    asked = [asked.body["input"] for asked in server.asked("/api/embed")]
    assert [len(batch) for batch in asked] == [32, 32, 6]
    assert asked[2][0] == "clustering: fact 64"
    expected = vectors([f"clustering: {text}" for text in texts])
    scale = math.hypot(*expected[65])
    assert found[65].tolist() == pytest.approx([value / scale for value in expected[65]], abs=1e-6)


async def test_no_empty_text_goes_out():
    """Some models give a zero vector for an empty text, so none is sent."""
    async with embedding(model="all-minilm") as (server, embedder):
        await embedder.embed(["", " \n", "x" * 5_000])
    (asked,) = server.asked("/api/embed")
    assert all(asked.body["input"])
    assert len(asked.body["input"][2]) == 700


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[0.0] * 8, [1.0] * 8], "zero"),
        ([[math.nan] * 8, [1.0] * 8], "no numbers"),
        ([[math.inf] * 8, [1.0] * 8], "no numbers"),
        ([[1.0] * 8, [1.0] * 9], "different lengths"),
        ([[1.0] * 8, [1.0] * 7], "different lengths"),
        ([[1.0] * 8], "1 vectors for 2 texts"),
        ([[], []], "zero"),
    ],
)
async def test_L24_vectors_that_cannot_be_used(rows, words):  # noqa: N802 - its id
    """Wrong shapes are refused before anything is stored, and trying again is no use."""
    async with embedding(lambda _: Says(embeddings=rows)) as (_, embedder):
        with pytest.raises(ModelUnavailable, match=words) as caught:
            await embedder.embed(["one", "two"])
    assert not caught.value.retryable


async def test_length_may_not_change_between_calls():
    """Another length in a later call means another model behind the name."""
    lengths = iter([8, 9])

    def script(request):
        return Says(embeddings=vectors(request["input"], next(lengths)))

    async with embedding(script) as (_, embedder):
        await embedder.embed(["one"])
        with pytest.raises(ModelUnavailable, match="different lengths"):
            await embedder.embed(["two"])


async def test_not_an_embedding_model():
    """What the server says about a chat model is passed on, with what to install."""
    refusal = Says(status=400, error="this model does not support embeddings")
    async with embedding(lambda _: refusal, model=CHAT) as (_, embedder):
        with pytest.raises(ModelUnavailable, match="does not support embeddings") as caught:
            await embedder.embed(["one"])
    assert not caught.value.retryable


async def test_unknown_embedder():
    """A missing model is named with the command that installs it."""
    async with embedding(model="nomic-embed") as (_, embedder):
        with pytest.raises(ModelUnavailable) as caught:
            await embedder.embed(["one"])
    assert caught.value.hint.startswith("ollama pull nomic-embed ")
    assert "nomic-embed-text" in caught.value.hint


async def test_silent_embedder():
    """An embedder that never answers ends at the limit for first tokens."""
    slow = Says(embeddings=[[1.0]], delay=30)
    async with embedding(lambda _: slow, first_token=0.2) as (_, embedder):
        with pytest.raises(ModelUnavailable, match="silent") as caught:
            await embedder.embed(["one"])
    assert caught.value.retryable


async def test_no_embedder_named():
    """Without a name the installed embedder is taken; without one, the hint installs it."""
    async with OllamaServer() as server:
        embedder = await open_embedder(f"ollama://{server.host}")
        assert embedder.name == "ollama/nomic-embed-text"
        await embedder.aclose()
    async with OllamaServer(models=[Model(name=CHAT)]) as server:
        with pytest.raises(ModelUnavailable, match="no embedding model") as caught:
            await open_embedder(f"ollama://{server.host}")
    assert caught.value.hint == "ollama pull nomic-embed-text"
