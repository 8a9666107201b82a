"""Cut a long page to the passages that matter for a goal, so that it fits a model's context."""

from __future__ import annotations

from collections.abc import Sequence

from scout_cli.core.ranking import bm25
from scout_cli.core.words import sentences, terms, topic_terms

CHARACTERS_PER_TOKEN = 3
"""Careful for English (about 4); right for code, numbers and most other languages."""

GAP = "[…]"
"""Stands where something was left out."""


def tokens_of(text: str) -> int:
    """Return a careful estimate of how many tokens a model makes of `text`."""
    return len(text) // CHARACTERS_PER_TOKEN + 1


def cut(text: str, goal: str, limit: int) -> str:
    """Return the passages of `text` that say most about `goal`, in their order.

    Args:
        text: the page, one paragraph per line.
        goal: the wish in plain words.
        limit: most characters to return.
    """
    if len(text) <= limit:
        return text
    paragraphs = [line for raw in text.splitlines() if (line := raw.strip())]
    pieces = [piece for paragraph in paragraphs for piece in _pieces(paragraph, limit)]
    return _join(pieces, _chosen(pieces, goal, limit), limit)


def added(text: str, before: str) -> str:
    """Return the sentences of `text` that did not stand in `before`, line by line, in order."""
    old = {_plain(sentence) for sentence in sentences(before)}
    kept = (
        " ".join(sentence for sentence in sentences(line) if _plain(sentence) not in old)
        for line in text.splitlines()
    )
    return "\n".join(line for line in kept if line)


def _plain(sentence: str) -> str:
    return " ".join(sentence.split())


def _pieces(paragraph: str, limit: int) -> list[str]:
    """Cut a long paragraph between words; where there is no space, anywhere."""
    size = max(200, min(1_500, limit // 2))
    pieces: list[str] = []
    start = 0
    while len(paragraph) - start > size:
        space = paragraph.rfind(" ", start + size // 2, start + size)
        end = space if space > 0 else start + size
        pieces.append(paragraph[start:end].strip())
        start = end
    return [*pieces, paragraph[start:].strip()]


def _chosen(pieces: Sequence[str], goal: str, limit: int) -> set[int]:
    scores = bm25(topic_terms(goal), [terms(piece) for piece in pieces])
    order = sorted(range(len(pieces)), key=lambda at: (-scores[at], at))
    chosen: set[int] = set()
    used = 0
    for at in [0, *order]:
        cost = len(pieces[at]) + len(GAP) + 2
        if at not in chosen and used + cost <= limit:
            chosen.add(at)
            used += cost
    return chosen


def _join(pieces: Sequence[str], chosen: set[int], limit: int) -> str:
    parts: list[str] = []
    last = -1
    for at in sorted(chosen):
        if at != last + 1:
            parts.append(GAP)
        parts.append(pieces[at])
        last = at
    return "\n".join(parts)[:limit]
