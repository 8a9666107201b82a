"""Which sentences share uncommon words: a name or a number that few of them have.

Facts in one template are closer to each other than two tellings of one event, however many of them
are looked at; what few sentences say leads to the other telling.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from heapq import nlargest

_WORD = re.compile(r"\w+")
_COMMON = 0.05
"""The share of the sentences from which a word tells nothing."""
_FEW = 8
"""So many may have it in any case."""


class Uncommon:
    """An index of sentences by their words.

    Args:
        sentences: what to look in.
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        self._most = max(_FEW, int(_COMMON * len(sentences)))
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, sentence in enumerate(sentences):
            for word in _words(sentence):
                self._places[word].append(place)

    def shared(self, sentence: str, limit: int) -> list[int]:
        """Return the places of those that share most, the rarest words counting most."""
        scores: dict[int, float] = defaultdict(float)
        for word in _words(sentence):
            places = self._places.get(word, ())
            if len(places) <= self._most:
                for place in places:
                    scores[place] += 1 / len(places)
        return nlargest(limit, scores, key=lambda place: (scores[place], -place))


def _words(sentence: str) -> set[str]:
    return set(_WORD.findall(sentence.casefold()))
