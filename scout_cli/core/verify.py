"""A claim without a quote is not reported: code, not the model, checks every quote.

The quote is looked for in the stored text of the page, blind to case, white space, typographic
quotes and dashes. A near miss becomes the page's own sentence; anything else is dropped.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

from scout_cli.core.models import Record
from scout_cli.core.signature import NEGATIONS, numbers
from scout_cli.core.words import fold, sentences, words

MIN_QUOTE_WORDS = 4
MAX_QUOTE = 600
"""Characters; a longer quote proves nothing that a sentence of it would not."""

_SAME_ENOUGH = 0.85
_REPLACED = str.maketrans({**dict.fromkeys("‘’‚‛`´′", "'"), **dict.fromkeys("“”„‟«»″", '"'),
                           **dict.fromkeys("‐‑‒–—―−", "-"), "…": "..."})  # fmt: skip
_ELLIPSIS = re.compile(r"\s*(?:\[\s*(?:\.\.\.|…)\s*\]|\.\.\.|…)\s*")
_URL = re.compile(r"\bhttps?:|\bwww\.|\]\(", re.IGNORECASE)


class Located(Record, frozen=True, kw_only=True):
    """A quote as it stands in the page."""

    quote: str
    """The page's exact characters."""
    repaired: bool


def locate(quote: str, text: str) -> Located | None:
    """Find `quote` in `text`.

    Args:
        quote: what a model claims the page says.
        text: the stored text of the page.

    Returns:
        the exact words of the page, or None when the page does not say it.
    """
    wanted = quote.strip().strip("\"'“”„«»‘’")
    if len(words(wanted)) < MIN_QUOTE_WORDS:
        return None
    folded, offsets = _folded(text)
    if span := _span(wanted, folded, offsets):
        return _checked(text[span[0] : span[1]], repaired=False)
    if spliced := _spliced(wanted, folded, offsets):
        return _checked(text[spliced[0] : spliced[1]], repaired=True)
    return _nearest(wanted, text)


def supported(fact: str, quote: str) -> bool:
    """Return whether `fact` says no more than `quote` as far as code can tell.

    Every number of the fact must stand in the quote, a negation must be in both or in neither,
    and a fact holds no link.
    """
    if _URL.search(fact):
        return False
    if not numbers(fact) <= numbers(quote):
        return False
    return _negated(fact) <= _negated(quote)


def _negated(text: str) -> bool:
    return any(fold(word) in NEGATIONS for word in words(text))


def _checked(quote: str, *, repaired: bool) -> Located | None:
    flat = " ".join(quote.split())
    return Located(quote=flat, repaired=repaired) if len(flat) <= MAX_QUOTE else None


def _folded(text: str) -> tuple[str, list[int]]:
    """Return `text` normalised and, per character of it, the offset it came from."""
    kept: list[str] = []
    offsets: list[int] = []
    space = True
    for at, char in enumerate(text):
        if char.isspace():
            if not space:
                kept.append(" ")
                offsets.append(at)
            space = True
            continue
        piece = unicodedata.normalize("NFKC", char.translate(_REPLACED)).casefold()
        piece = "".join(c for c in piece if unicodedata.category(c) not in ("Cf", "Mn"))
        if piece:
            kept.append(piece)
            offsets += [at] * len(piece)
            space = False
    return "".join(kept), offsets


def _span(wanted: str, folded: str, offsets: list[int]) -> tuple[int, int] | None:
    needle = _folded(wanted)[0].strip()
    at = folded.find(needle) if needle else -1
    if at < 0:
        return None
    return offsets[at], offsets[at + len(needle) - 1] + 1


def _spliced(wanted: str, folded: str, offsets: list[int]) -> tuple[int, int] | None:
    """Find a quote that was shortened with an ellipsis: its parts, near and in order."""
    parts = [part for part in _ELLIPSIS.split(wanted) if len(words(part)) > 1]
    if len(parts) < 2:
        return None
    start = position = -1
    for part in parts:
        needle = _folded(part)[0].strip()
        position = folded.find(needle, max(position, 0))
        if position < 0:
            return None
        start = position if start < 0 else start
        position += len(needle)
    return offsets[start], offsets[position - 1] + 1


def _nearest(wanted: str, text: str) -> Located | None:
    """Return the page's sentence that differs from the quote only in small words, if any."""
    target = [fold(word) for word in words(wanted)]
    vocabulary = set(target)
    best: tuple[float, str] = (0.0, "")
    for sentence in sentences(text):
        candidate = [fold(word) for word in words(sentence)]
        if len(vocabulary.intersection(candidate)) < 0.7 * len(vocabulary):
            continue
        ratio = SequenceMatcher(None, target, candidate, autojunk=False).ratio()
        best = max(best, (ratio, sentence))
    ratio, sentence = best
    if ratio < _SAME_ENOUGH or numbers(wanted) != numbers(sentence):
        return None
    if _negated(wanted) != _negated(sentence):
        return None
    return _checked(sentence, repaired=True)
