"""Labelled pairs of sentences: what a scout reported, and what a later page says.

`data/pairs.jsonl` holds one pair a line, in five languages. `same` tells nothing that the earlier
sentence did not, `different` is another fact, `update` the same matter in another state: only the
first may be kept silent. Half of each kind is for tuning; the other half is for measuring alone.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import groupby
from typing import Literal

from scout_cli.core.shape import Shape, decode

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

Half = Literal["tuning", "held-out"]

_FILE = files("scout_cli.evaluation") / "data" / "pairs.jsonl"


class Pair(Shape, frozen=True, kw_only=True):
    """Two sentences and how they relate."""

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

    @property
    def digest(self) -> str:
        """Return a hash of the two sentences, which decides to which half the pair belongs."""
        return sha256(f"{self.earlier}\0{self.later}".encode()).hexdigest()


@cache
def all_pairs() -> tuple[Pair, ...]:
    """Return every bundled pair, in the order of the file."""
    return tuple(decode(line, Pair, what="a pair") for line in _FILE.read_bytes().splitlines())


@cache
def half(which: Half) -> tuple[Pair, ...]:
    """Return half of the pairs of each kind and label, by their hashes: always the same ones."""
    ordered = sorted(all_pairs(), key=lambda pair: (pair.kind, pair.label, pair.digest))
    strata = groupby(ordered, key=lambda pair: (pair.kind, pair.label))
    start = 0 if which == "tuning" else 1
    return tuple(pair for _, stratum in strata for pair in list(stratum)[start::2])
