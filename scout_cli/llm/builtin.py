"""The engine that is always there: no model, no network, no dependency, the same answer each time.

It knows words, not meanings. `LexicalEmbedder` finds copies and lightly edited copies; it does not
find the same thing said in other words, and its cut-offs are chosen so that it never claims to.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

from scout_cli.core.ports import Answer, TokenSink, Vector
from scout_cli.core.words import fold
from scout_cli.llm import ModelSettings

DIMENSIONS = 768
_WORD = re.compile(r"\w+")
_GRAMS = (3, 4, 5)
_WORD_WEIGHT = 1.0
_SMALL_WORD = 3
_SMALL_WORD_WEIGHT = 0.25
"""Words of at most three letters are glue in most languages; numbers of any length are not."""

_NOTHING = "nothing"


async def open_built_in(_url: str, _settings: ModelSettings) -> BuiltIn:
    """Return the built-in engine."""
    return BuiltIn()


async def open_lexical(_url: str, _settings: ModelSettings) -> LexicalEmbedder:
    """Return the built-in embedder."""
    return LexicalEmbedder()


class BuiltIn:
    """Answers every question by the question's own extractive rule: the port `Reasoner`."""

    name = "built-in"
    context = 0
    follows_up = False

    async def answer(
        self, question: Any, on_token: TokenSink | None = None, *, calls: int = 2
    ) -> Answer:
        """Answer without a model; nothing is streamed and nothing is counted."""
        del on_token, calls
        return Answer(value=question.built_in(), by="built-in")

    async def describe(self) -> str:
        """Return what it is, in one line."""
        return "built-in engine: picks sentences, writes none; needs no model"

    async def aclose(self) -> None:
        """Do nothing; there is nothing to close."""


class LexicalEmbedder:
    """Hashes words and runs of 3 to 5 characters into 768 numbers: the port `Embedder`.

    The number in the name changes when the vectors do, since vectors are stored beside it.
    """

    name = "built-in/lexical-1"
    cutoffs = (0.46, 0.66)
    background = 0.10

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector per text; an empty text has a fixed one."""
        return [vector_of(text) for text in texts]

    async def describe(self) -> str:
        """Return what it is, in one line."""
        return f"built-in lexical vectors, {DIMENSIONS} dimensions, same from {self.cutoffs[1]:g}"

    async def aclose(self) -> None:
        """Do nothing; there is nothing to close."""


def vector_of(text: str) -> Vector:
    """Return the unit vector of `text`; the same on every machine and in every process."""
    sums = [0.0] * DIMENSIONS
    for word in _WORD.findall(fold(text)) or [_NOTHING]:
        for place, weight in _features(word):
            sums[place] += weight
    length = math.hypot(*sums)
    if length == 0.0:
        return vector_of(_NOTHING)
    return array("f", [value / length for value in sums])


@lru_cache(maxsize=20_000)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    """Return places and weights of one word; cached, since a few words make most of any text.

    Longer words have more runs of characters, so all runs together weigh as much as the word.
    """
    grams = list(_grams(word))
    glue = len(word) <= _SMALL_WORD and not any(char.isdigit() for char in word)
    weight = _SMALL_WORD_WEIGHT if glue else 1.0
    share = weight / math.sqrt(len(grams))
    placed = [_place(f"={word}", weight * _WORD_WEIGHT)]
    placed += [_place(gram, share) for gram in grams]
    return tuple(placed)


def _grams(word: str) -> Iterator[str]:
    marked = f"^{word}$"
    for size in _GRAMS:
        for start in range(max(1, len(marked) - size + 1)):
            yield marked[start : start + size]


def _place(feature: str, weight: float) -> tuple[int, float]:
    code = crc32(feature.encode("utf-8", "surrogatepass"))
    return code % DIMENSIONS, weight if code & 0x8000_0000 else -weight
