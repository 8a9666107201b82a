"""Many vectors in little room: a byte for each number, and how far off that is at most.

A vector is kept as whole numbers from -127 to 127 and the number to multiply them with. What is
left over has a length, and by Cauchy and Schwarz no cosine with it is off by more than that length:
a look through the bytes tells which vectors can be among the closest, and only these are compared.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.core.ports import Vector
from scout_cli.store.blocks import Block, Bound
from scout_cli.store.vectors import FoundVector

_STEPS = 127
_ROUNDING = 1e-4
"""Added to what a cosine may be off: results are ordered by four digits."""
_ID = 16
_NUMBER = 4


class Packed(Record, frozen=True, kw_only=True):
    """The vectors of a block, in memory."""

    ids: Any
    """The findings, 16 bytes each."""
    scouts: Any
    """Their scouts, 16 bytes each."""
    scales: Any
    errors: Any
    """By how much a cosine may be off."""
    steps: Any
    """A row of small whole numbers for each vector."""


class Bounds(Record, frozen=True, kw_only=True):
    """Between what the cosines of a question with many findings lie, highest upper bound first."""

    ids: Any
    least: Any
    most: Any

    def part(self, start: int, end: int) -> list[Bound]:
        """Return some of them."""
        some = slice(start, end)
        found = zip(self.ids[some], self.least[some], self.most[some], strict=True)
        return [
            Bound(id=UUID(bytes=bytes(each).ljust(_ID, b"\0")), least=float(low), most=float(high))
            for each, low, high in found
        ]


def pack(found: Sequence[FoundVector]) -> bytes:
    """Return what `unpacked` reads; all vectors have one length."""
    import numpy as np  # noqa: PLC0415 - a tenth of a second that other commands save

    rows = np.frombuffer(b"".join(each.vector for each in found), dtype="<f4")
    rows = rows.reshape(len(found), -1)
    highest = np.abs(rows).max(axis=1)
    scales = (np.where(highest > 0, highest, 1.0) / _STEPS).astype("<f4")
    steps = np.rint(rows / scales[:, None]).astype("i1")
    left = np.linalg.norm(rows - steps * scales[:, None], axis=1)
    errors = (left + _ROUNDING).astype("<f4")
    ids = b"".join(each.id.bytes for each in found)
    scouts = b"".join(each.scout_id.bytes for each in found)
    return b"".join((ids, scouts, scales.tobytes(), errors.tobytes(), steps.tobytes()))


def unpacked(block: Block) -> Packed:
    """Return the vectors of a block that has them in it."""
    import numpy as np  # noqa: PLC0415 - see `pack`

    data = memoryview(block.packed or b"")
    count = len(data) // (2 * _ID + 2 * _NUMBER + block.dimension)
    ends = [0]
    for size in (_ID, _ID, _NUMBER, _NUMBER, block.dimension):
        ends.append(ends[-1] + size * count)
    parts = [data[start:end] for start, end in pairwise(ends)]
    kinds = (f"S{_ID}", f"S{_ID}", "<f4", "<f4", "i1")
    ids, scouts, scales, errors, steps = (
        np.frombuffer(part, dtype=kind) for part, kind in zip(parts, kinds, strict=True)
    )
    return Packed(
        ids=ids,
        scouts=scouts,
        scales=scales,
        errors=errors,
        steps=steps.reshape(count, block.dimension),
    )


def bounds(
    blocks: Collection[Packed], question: Vector, floor: float, scouts: Sequence[UUID] = ()
) -> Bounds:
    """Return roughly how alike a question and the vectors of blocks are.

    Args:
        blocks: at least one.
        question: its unit vector.
        floor: the least cosine that counts.
        scouts: of these scouts only; empty for all.
    """
    import numpy as np  # noqa: PLC0415 - see `pack`

    asked = np.asarray(question, dtype="<f4")
    room = np.empty((max(len(block.ids) for block in blocks), len(question)), dtype="<f4")
    cosines = []
    for block in blocks:
        rows = room[: len(block.ids)]  # small enough to stay in the processor's cache
        np.copyto(rows, block.steps)
        cosines.append(rows @ asked * block.scales)
    ids, alike, errors = (
        np.concatenate(each)
        for each in ([b.ids for b in blocks], cosines, [b.errors for b in blocks])
    )
    kept = alike + errors >= floor
    if scouts:
        wanted = np.array([each.bytes for each in scouts], dtype=f"S{_ID}")
        kept &= np.isin(np.concatenate([block.scouts for block in blocks]), wanted)
    places = np.flatnonzero(kept)
    places = places[np.argsort(-(alike + errors)[places], kind="stable")]
    ids, alike, errors = ids[places], alike[places], errors[places]
    return Bounds(ids=ids, least=alike - errors, most=alike + errors)
