"""Two rankings of findings made one: by the words of a question and by its meaning."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from scout_cli.core.models import Finding, Record
from scout_cli.errors import InvalidInput
from scout_cli.store import findings
from scout_cli.store.database import Database

LONGEST = 1_000
"""Characters of a question; every word of it is looked for."""
_FUSION_K = 60
_DEPTH = 50


class Match(Record, frozen=True, kw_only=True):
    """A finding that a search brought."""

    finding: Finding
    score: float
    by_words: int | None
    """Its place among those that have the words, from 1."""
    by_meaning: int | None
    """Its place among those that mean something like it, from 1."""


def checked(text: str) -> str:
    """Return a question that can be asked.

    Raises:
        InvalidInput: there is no word in it, or it is longer than `LONGEST`.
    """
    if not any(char.isalnum() for char in text):
        raise InvalidInput("there is no word to search for", hint="scout search WORDS")
    if len(text) > LONGEST:
        raise InvalidInput(
            f"a question has at most {LONGEST:,} characters, this one {len(text):,}",
            hint="search for the words that matter",
        )
    return text


def depth_of(limit: int) -> int:
    """Return how many findings each ranking contributes, for so many in the end."""
    return max(_DEPTH, limit * 3)


async def fused(
    db: Database, owner: UUID, worded: Sequence[UUID], meant: Sequence[UUID], limit: int
) -> list[Match]:
    """Return the best of two rankings, by their places in them (reciprocal rank fusion).

    Args:
        db: the database.
        owner: whose findings they are.
        worded: those that have the words, best first.
        meant: those that mean something like it, best first.
        limit: how many at most.
    """
    by_words = {each: place for place, each in enumerate(worded, 1)}
    by_meaning = {each: place for place, each in enumerate(meant, 1)}
    scores = {
        each: sum(
            1 / (_FUSION_K + place[each]) for place in (by_words, by_meaning) if each in place
        )
        for each in (*worded, *meant)
    }
    order = sorted(scores, key=lambda each: (-scores[each], str(each)))
    return [
        Match(
            finding=each,
            score=round(scores[each.id], 6),
            by_words=by_words.get(each.id),
            by_meaning=by_meaning.get(each.id),
        )
        for each in await findings.by_ids(db, owner, order[:limit])
    ]
