"""An embedder with cut-offs that its user fitted, instead of those it came with."""

from __future__ import annotations

from collections.abc import Sequence

from scout_cli.core.ports import Embedder, Vector


class Calibrated:
    """Another embedder's vectors under cut-offs of one's own: the port `Embedder`.

    Args:
        embedder: gives the vectors.
        levels: the cosines (lower, upper, background); without a background the embedder's own.
    """

    def __init__(self, embedder: Embedder, levels: tuple[float, float, float | None]) -> None:
        self._embedder = embedder
        lower, upper, background = levels
        self.cutoffs = (lower, upper)
        self.background = embedder.background if background is None else background

    @property
    def name(self) -> str:
        """Return the name of the embedder within: the vectors are its own."""
        return self._embedder.name

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector per text.

        Raises:
            ModelUnavailable: the engine is absent, or gave vectors that cannot be used.
        """
        return await self._embedder.embed(texts)
