"""The port `Embedder` on an Ollama server."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from scout_cli.core.ports import Vector
from scout_cli.errors import ModelUnavailable
from scout_cli.llm import ModelSettings
from scout_cli.llm.embedding_models import traits_of
from scout_cli.llm.ollama_server import OllamaServer, connected
from scout_cli.llm.ranking import PULL_EMBEDDER, best_embedder, short

_AT_ONCE = 32
_NOTHING = "nothing"
"""What is embedded for an empty text, for which some models give a zero vector."""


async def open_ollama_embedder(url: str, settings: ModelSettings) -> OllamaEmbedder:
    """Return the embedder of `url`; without a model in it, the best one that is installed.

    Raises:
        ConfigError: the URL cannot be used.
        ModelUnavailable: no model is named, and the server does not answer or has none.
    """
    server, model = await connected(
        url,
        settings,
        setting="embed_url",
        best=best_embedder,
        lacking="embedding model",
        hint=PULL_EMBEDDER,
    )
    return OllamaEmbedder(server, model)


class OllamaEmbedder:
    """An embedding model on an Ollama server.

    Args:
        server: where the model lives; closed by `aclose`.
        model: its name, such as `nomic-embed-text`.
    """

    def __init__(self, server: OllamaServer, model: str) -> None:
        self._server = server
        self._model = model
        self._traits = traits_of(model)
        self._dimensions = 0

    @property
    def name(self) -> str:
        """Return `ollama/` and the model; stored beside vectors."""
        return f"ollama/{short(self._model)}"

    @property
    def cutoffs(self) -> tuple[float, float]:
        """Return the cosines (lower, upper) of `embedding_models`."""
        return self._traits.lower, self._traits.upper

    @property
    def background(self) -> float:
        """Return the usual cosine of two different facts, of `embedding_models`."""
        return self._traits.background

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector per text.

        Raises:
            ModelUnavailable: the server is absent; or, not retryable, its vectors are too few,
                of different lengths, zero or not numbers.
        """
        vectors: list[Vector] = []
        for start in range(0, len(texts), _AT_ONCE):
            batch = [self._prepared(text) for text in texts[start : start + _AT_ONCE]]
            vectors += self._checked(await self._server.embed(self._model, batch), len(batch))
        return vectors

    async def describe(self) -> str:
        """Return model, size and dimensions in one line.

        Raises:
            ModelUnavailable: the server does not answer, or has no such model.
        """
        can = await self._server.abilities(self._model)
        size = f" ({can.size})" if can.size else ""
        dimensions = f", {can.dimensions} dimensions" if can.dimensions else ""
        return f"{self._model}{size}{dimensions}, same from {self._traits.upper:g}"

    async def aclose(self) -> None:
        """Close the connection to the server."""
        await self._server.aclose()

    def _prepared(self, text: str) -> str:
        return self._traits.prefix + (text.strip()[: self._traits.longest] or _NOTHING)

    def _checked(self, rows: list[list[float]], expected: int) -> list[Vector]:
        if len(rows) != expected:
            raise self._unusable(f"{len(rows)} vectors for {expected} texts")
        self._dimensions = self._dimensions or len(rows[0])
        if any(len(row) != self._dimensions for row in rows):
            raise self._unusable("vectors of different lengths")
        return [self._unit(row) for row in rows]

    def _unit(self, row: list[float]) -> Vector:
        length = math.hypot(*row)
        if not math.isfinite(length) or length == 0.0:
            raise self._unusable("a vector that is zero or holds no numbers")
        return array("f", (value / length for value in row))

    def _unusable(self, what: str) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self._model} at {self._server.base} gave {what}",
            hint=f"Is it an embedding model? Otherwise: {PULL_EMBEDDER}",
            retryable=False,
        )
