"""Labelled pairs of sentences: what a scout reported, and what a later page says.

`data/pairs.jsonl` holds one pair a line, in five languages. `same` tells nothing that the earlier
sentence did not, `different` is another fact, `update` the same matter in another state: only the
first may be kept silent. One part is for cut-offs and rules; the other one, by authors who did not
know the rules, is for measuring alone.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from scout_cli.core.shape import Shape, decode

Half = Literal["tuning", "held-out"]
Label = Literal["same", "different", "update"]
Kind = Literal[
    "copy",
    "outlet",
    "language",
    "template",
    "negation",
    "number",
    "date",
    "update",
    "topic",
]
"""`copy` is a lightly edited copy, `outlet` the same story in other words, `language` in another
language, `template` another fact in the same words, `topic` another fact on the same subject."""


_FILE = files("scout_cli.evaluation") / "data" / "pairs.jsonl"


class Pair(Shape, frozen=True, kw_only=True):
    """Two sentences and how they relate."""

    half: Half
    kind: Kind
    label: Label
    earlier: str
    """What was reported."""
    later: str
    """What is read now."""

    @property
    def same(self) -> bool:
        """Return whether the later sentence may be kept silent."""
        return self.label == "same"


@cache
def all_pairs() -> tuple[Pair, ...]:
    """Return every bundled pair, in the order of the file."""
    return tuple(decode(line, Pair, what="a pair") for line in _FILE.read_bytes().splitlines())


@cache
def half(which: Half) -> tuple[Pair, ...]:
    """Return the pairs for tuning, or those for measuring alone."""
    return tuple(pair for pair in all_pairs() if pair.half == which)
