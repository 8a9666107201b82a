"""The parts of an agent whose answers come through a deck: a tape that records, or a player.

Each fits a port of `core/ports.py` and asks the deck; the deck asks the real part, or nobody.
"""

from __future__ import annotations

import base64
from array import array
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core import shape
from scout_cli.core.asking import fingerprint
from scout_cli.core.models import SeenPage
from scout_cli.core.ports import (
    NEAREST,
    Answer,
    Background,
    Earlier,
    Embedder,
    Feed,
    Fetcher,
    FetchRequest,
    Habits,
    Memory,
    Neighbour,
    Page,
    Reasoner,
    SearchAnswer,
    SearchEngine,
    SearchQuery,
    TokenSink,
    Vector,
)


class Deck(Protocol):
    """Where the parts of a recorded or repeated run have their answers from."""

    async def ask(self, part: str, key: Any, of: Any, real: Callable[[], Awaitable[Any]]) -> Any:
        """Return the answer of `part` to the request `key`, of the type `of`.

        Args:
            part: which part is asked.
            key: the request, anything that becomes JSON.
            of: the type of the answer.
            real: asks the real part; a replay never calls it.
        """
        ...


class ReasonerOf:
    """A reasoner behind a deck.

    Args:
        deck: where answers come from.
        real: the real one; None in a replay.
        name: its name.
        traits: its context length, and whether it follows up.
    """

    def __init__(
        self, deck: Deck, real: Reasoner | None, name: str, traits: tuple[int, bool]
    ) -> None:
        self._deck = deck
        self._real = real
        self.name = name
        self.context, self.follows_up = traits

    async def answer(
        self, question: Any, on_token: TokenSink | None = None, *, calls: int = 2
    ) -> Answer:
        """Answer one question; the prompts in use belong to the request."""

        async def real() -> Answer:
            assert self._real is not None
            return await self._real.answer(question, on_token, calls=calls)

        key = [fingerprint(), question.task, question]
        found: Answer = await self._deck.ask("reasoner", key, Answer, real)
        value = shape.convert(shape.plain(found.value), question.answer, what="the answer")
        return replace(found, value=value)


class EmbedderOf:
    """An embedder behind a deck; vectors are kept as base64 of their bytes.

    Args:
        deck: where answers come from.
        real: the real one; None in a replay.
        name: its name.
        levels: its two cut-offs, and the background that they suppose.
    """

    def __init__(
        self,
        deck: Deck,
        real: Embedder | None,
        name: str,
        levels: tuple[tuple[float, float], float],
    ) -> None:
        self._deck = deck
        self._real = real
        self.name = name
        self.cutoffs, self.background = levels

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text."""

        async def real() -> list[str]:
            assert self._real is not None
            return [_packed(vector) for vector in await self._real.embed(texts)]

        found = await self._deck.ask("embedder", list(texts), list[str], real)
        return [_unpacked(text) for text in found]


class SearchOf:
    """A search engine behind a deck.

    Args:
        deck: where answers come from.
        real: the real one; None in a replay.
        name: its name.
    """

    def __init__(self, deck: Deck, real: SearchEngine | None, name: str) -> None:
        self._deck = deck
        self._real = real
        self.name = name

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Run one query."""

        async def real() -> SearchAnswer:
            assert self._real is not None
            return await self._real.search(query)

        answer: SearchAnswer = await self._deck.ask("search", query, SearchAnswer, real)
        return answer


class FetcherOf:
    """A fetcher behind a deck.

    Args:
        deck: where answers come from.
        real: the real one; None in a replay.
    """

    def __init__(self, deck: Deck, real: Fetcher | None) -> None:
        self._deck = deck
        self._real = real

    async def fetch(self, request: FetchRequest) -> Page:
        """Fetch one page."""

        async def real() -> Page:
            assert self._real is not None
            return await self._real.fetch(request)

        page: Page = await self._deck.ask("fetch", request, Page, real)
        return page

    async def feed(self, url: str) -> Feed:
        """Read one feed."""

        async def real() -> Feed:
            assert self._real is not None
            return await self._real.feed(url)

        feed: Feed = await self._deck.ask("feed", url, Feed, real)
        return feed

    async def warm_up(self) -> None:
        """Warm up the real one."""
        if self._real is not None:
            await self._real.warm_up()


class MemoryOf:
    """A memory behind a deck.

    Args:
        deck: where answers come from.
        real: the real one; None in a replay, which keeps nothing.
    """

    def __init__(self, deck: Deck, real: Memory | None) -> None:
        self._deck = deck
        self._real = real

    async def page(self, canonical_url: str) -> SeenPage | None:
        """Return what is remembered of a page."""

        async def real() -> SeenPage | None:
            assert self._real is not None
            return await self._real.page(canonical_url)

        seen: SeenPage | None = await self._deck.ask("page", canonical_url, SeenPage | None, real)
        return seen

    async def habits(self) -> Habits:
        """Return what is usual for the scout."""

        async def real() -> Habits:
            assert self._real is not None
            return await self._real.habits()

        found: Habits = await self._deck.ask("habits", "", Habits, real)
        return found

    async def background(self, like: Vector) -> Background:
        """Return how similar the scout's findings are."""

        async def real() -> Background:
            assert self._real is not None
            return await self._real.background(like)

        found: Background = await self._deck.ask("background", "", Background, real)
        return found

    async def nearest(self, fact: str, vector: Vector, limit: int = NEAREST) -> Sequence[Neighbour]:
        """Return the closest earlier findings."""

        async def real() -> Sequence[Neighbour]:
            assert self._real is not None
            return await self._real.nearest(fact, vector, limit)

        key = _packed(vector)
        found: list[Neighbour] = await self._deck.ask("nearest", key, list[Neighbour], real)
        return found

    async def from_page(self, canonical_url: str) -> Sequence[Earlier]:
        """Return the earlier findings of a page."""

        async def real() -> Sequence[Earlier]:
            assert self._real is not None
            return await self._real.from_page(canonical_url)

        found: list[Earlier] = await self._deck.ask("from_page", canonical_url, list[Earlier], real)
        return found

    async def keep(self, subject: UUID, vector: Vector) -> None:
        """Hand a vector to the real one."""
        if self._real is not None:
            await self._real.keep(subject, vector)


def _packed(vector: Vector) -> str:
    return base64.b64encode(vector.tobytes()).decode()


def _unpacked(text: str) -> Vector:
    vector = array("f")
    vector.frombytes(base64.b64decode(text))
    return vector
