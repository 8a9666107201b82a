"""A claim without a quote is not reported: code, not the model, checks every quote.

The quote is looked for in the stored text of the page, blind to case, white space, typographic
quotes and dashes. A near miss becomes the page's own sentence; anything else is dropped.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import repeat

from scout_cli.core.models import Record
from scout_cli.core.signature import negated, numbers
from scout_cli.core.words import fold, sentences, width, words

MIN_QUOTE_WORDS = 4
MIN_QUOTE_WIDTH = 24
"""A quote of fewer words counts when it is as wide: some scripts put no space between words."""
MAX_QUOTE = 600
"""Characters; a longer quote proves nothing that a sentence of it would not."""

_SAME_ENOUGH = 0.85
_LEFT_OUT = 200
"""Most characters that an ellipsis may stand for."""
_REPLACED = str.maketrans({**dict.fromkeys("‘’‚‛`´′", "'"), **dict.fromkeys("“”„‟«»″", '"'),
                           **dict.fromkeys("‐‑‒–—―−", "-"), "…": "..."})  # fmt: skip
_ELLIPSIS = re.compile(r"\s*(?:\[\s*(?:\.\.\.|…)\s*\]|\.\.\.|…)\s*")
_RUNS = re.compile(r"(?P<plain>[!-_a-~]+(?: [!-_a-~]+)*)|.", re.DOTALL)
"""Words of ASCII with single spaces between are as they are but for the case; the rest one by one.
"""
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")


class Located(Record, frozen=True, kw_only=True):
    """A quote as it stands in the page."""

    quote: str
    """The page's exact words, white space folded."""
    repaired: bool


class _Folded:
    """A page's text normalised, and per character of it the offset it came from."""

    def __init__(self, text: str) -> None:
        self.source = text
        self.offsets = array("L")
        self._kept: list[str] = []
        self._space = True
        pieces: dict[str, str] = {}
        for run in _RUNS.finditer(text):
            if run.lastgroup == "plain":
                self._keep(run[0].lower(), range(run.start(), run.end()))
                continue
            char = run[0]
            piece = pieces.get(char)
            if piece is None:
                piece = pieces[char] = _piece(char)
            if piece and not (piece == " " and self._space):
                self._keep(piece, repeat(run.start(), len(piece)))
        self.text = "".join(self._kept)

    def _keep(self, piece: str, offsets: Iterable[int]) -> None:
        self._kept.append(piece)
        self.offsets.extend(offsets)
        self._space = piece == " "

    def slice(self, start: int, end: int) -> str:
        """Return the page's own characters for a part of the normalised text."""
        return self.source[self.offsets[start] : self.offsets[end - 1] + 1]

    def around(self, start: int, end: int) -> str:
        """Return the line of the page that holds a part, at most `MAX_QUOTE` to either side."""
        first, last = self.offsets[start], self.offsets[end - 1] + 1
        before = self.source[max(0, first - MAX_QUOTE) : first].rpartition("\n")[2]
        behind = self.source[last : last + MAX_QUOTE].partition("\n")[0]
        return before + self.source[first:last] + behind


def locate(quote: str, text: str) -> Located | None:
    """Find `quote` in `text`.

    Args:
        quote: what a model claims the page says.
        text: the stored text of the page.

    Returns:
        the exact words of the page, or None when the page does not say it.
    """
    wanted = quote.strip().strip("\"'“”„«»‘’")
    if not quotable(wanted):
        return None
    page = _folded(text)
    if found := next(_places(wanted, page), None):
        return _honest(page, *found)
    if spliced := _spliced(wanted, page):
        return _checked(page.slice(*spliced), repaired=True)
    return _nearest(wanted, text)


def quotable(text: str) -> bool:
    """Return whether `text` is long enough to prove anything."""
    wide = _UNSPACED.search(text) is not None and width(text) >= MIN_QUOTE_WIDTH
    return wide or len(words(text)) >= MIN_QUOTE_WORDS


def _honest(page: _Folded, start: int, end: int) -> Located | None:
    """Return a quote found word for word, or its whole sentence when that denies what it says."""
    quote = page.slice(start, end)
    if negated(quote):
        return _checked(quote, repaired=False)
    around = page.around(start, end)
    whole = next((sentence for sentence in sentences(around) if quote in sentence), quote)
    if negated(whole):
        return _checked(whole, repaired=True)
    return _checked(quote, repaired=False)


def _checked(quote: str, *, repaired: bool) -> Located | None:
    flat = " ".join(quote.split())
    return Located(quote=flat, repaired=repaired) if len(flat) <= MAX_QUOTE else None


@lru_cache(maxsize=2)
def _folded(text: str) -> _Folded:
    return _Folded(text)


def _piece(char: str) -> str:
    if char.isspace():
        return " "
    piece = unicodedata.normalize("NFKC", char.translate(_REPLACED)).casefold()
    return "".join(c for c in piece if unicodedata.category(c) not in ("Cf", "Mn")).strip()


def _places(
    wanted: str, page: _Folded, start: int = 0, stop: int | None = None
) -> Iterator[tuple[int, int]]:
    """Yield where `wanted` stands as whole words and numbers, beginning in `start`..`stop`."""
    needle = _needle(wanted)
    limit = len(page.text) if stop is None else stop + len(needle)
    at = page.text.find(needle, start, limit) if needle else -1
    while at >= 0:
        end = at + len(needle)
        if _whole(page.text, at) and _whole(page.text, end):
            yield at, end
        at = page.text.find(needle, at + 1, limit)


@lru_cache(maxsize=64)
def _needle(wanted: str) -> str:
    return _Folded(wanted).text.strip()


def _whole(text: str, at: int) -> bool:
    """Return whether no word and no number is cut in two before `at`."""
    left, right = text[max(0, at - 1) : at], text[at : at + 1]
    if left in ".,:" and right.isdigit() and text[max(0, at - 2) : at - 1].isdigit():
        return False
    if right and right in ".,:" and left.isdigit() and text[at + 1 : at + 2].isdigit():
        return False
    if not (left.isalnum() and right.isalnum()):
        return True
    return bool(_UNSPACED.match(left) or _UNSPACED.match(right))


def _spliced(wanted: str, page: _Folded) -> tuple[int, int] | None:
    """Find a quote that was shortened with an ellipsis: its parts, near, in order, unopposed.

    What was left out must be short, end no sentence and hold no negation: distant sentences
    joined would say what nobody said.
    """
    parts = [part for part in _ELLIPSIS.split(wanted) if len(words(part)) > 1]
    if len(parts) < 2:
        return None
    for start, end in _places(parts[0], page):
        last: int | None = end
        for part in parts[1:]:
            last = _next(part, page, last) if last is not None else None
        if last is not None:
            return start, last
    return None


def _next(part: str, page: _Folded, end: int) -> int | None:
    """Return where the next part of a shortened quote ends, if it follows closely."""
    following = next(_places(part, page, end, end + _LEFT_OUT), None)
    if following is None:
        return None
    between = page.slice(end - 1, following[0] + 1)
    if negated(between) or len(sentences(between)) > 1:
        return None
    return following[1]


def _nearest(wanted: str, text: str) -> Located | None:
    """Return the page's sentence that differs from the quote only in small words, if any."""
    target = _folded_words(wanted)
    vocabulary = set(target)
    best: tuple[float, str] = (0.0, "")
    for sentence, candidate in _sentences(text):
        if not 0.7 * len(target) <= len(candidate) <= 1.4 * len(target):
            continue
        if len(vocabulary.intersection(candidate)) < 0.7 * len(vocabulary):
            continue
        ratio = SequenceMatcher(None, target, candidate, autojunk=False).ratio()
        best = max(best, (ratio, sentence))
    ratio, sentence = best
    if ratio < _SAME_ENOUGH or numbers(wanted) != numbers(sentence):
        return None
    if negated(wanted) != negated(sentence):
        return None
    return _checked(sentence, repaired=True)


@lru_cache(maxsize=2)
def _sentences(text: str) -> list[tuple[str, list[str]]]:
    return [(sentence, _folded_words(sentence)) for sentence in sentences(text)]


def _folded_words(text: str) -> list[str]:
    return [fold(word) for word in words(text)]
