"""What a user knows of earlier findings: by what they repeat, and by what was said of those."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from scout_cli.core.models import Record
from scout_cli.core.standing import standings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Kept(Record, frozen=True, kw_only=True):
    """A finding as it is stored."""

    id: UUID
    novelty: str
    same_as: UUID | None = None
    opinion: str | None = None
    said_at: datetime | None = None


def kept(number, novelty, same_as=0, opinion=None):
    """Return a finding by small numbers."""
    followed = UUID(int=same_as) if same_as else None
    said_at = NOON if opinion else None
    return Kept(
        id=UUID(int=number), novelty=novelty, same_as=followed, opinion=opinion, said_at=said_at
    )


def of(*found):
    """Return what is known of the last one."""
    return standings(found)[found[-1].id]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([kept(1, "new")], "before"),
        ([kept(1, "possible_repeat", 9)], "before"),
        ([kept(1, "stale")], "never"),
        ([kept(1, "new"), kept(2, "suppressed", 1)], "never"),
        ([kept(1, "new"), kept(2, "repeat", 1)], "before"),
        ([kept(1, "stale"), kept(2, "repeat", 1)], "never"),
        ([kept(1, "stale"), kept(2, "repeat", 1), kept(3, "repeat", 2)], "never"),
        ([kept(1, "stale"), kept(2, "new", 1), kept(3, "repeat", 2)], "before"),
        ([kept(1, "repeat", 9)], "before"),
    ],
)
def test_a_repeat_was_told_when_what_it_repeats_was(found, told):
    """In whatever order they are stored; what was forgotten since was told."""
    assert of(*found).told == told
    assert standings(found[::-1])[found[-1].id].told == told


def test_an_opinion_reaches_what_was_held_back_for_it():
    """However many steps away, and no further: what was told has its own."""
    found = [kept(1, "new", opinion="wrong"), kept(2, "suppressed", 1), kept(3, "suppressed", 2)]
    assert (of(*found).opinion, of(*found).said_at) == ("wrong", NOON)
    assert of(*found, kept(4, "repeat", 3)).opinion == "wrong"
    assert of(*found, kept(4, "update", 3)).opinion is None
    assert of(*found, kept(4, "suppressed", 3, "useful")).opinion == "useful"
    assert of(kept(1, "new"), *found[1:]).opinion is None


def test_repeats_are_one_matter_with_what_they_repeat():
    """Another state is another matter."""
    found = standings([kept(1, "new"), kept(2, "repeat", 1), kept(3, "repeat", 2)])
    assert {each.matter for each in found.values()} == {UUID(int=1)}
    assert of(kept(1, "new"), kept(2, "suppressed", 1)).matter == UUID(int=2)


def test_findings_that_repeat_each_other_end():
    """A circle, or a finding that repeats itself, is told."""
    assert of(kept(1, "repeat", 2), kept(2, "repeat", 1)).told == "before"
    assert of(kept(1, "repeat", 1)).told == "before"


def test_a_chain_of_any_length_is_followed():
    """A standing page repeats itself every day for years."""
    chain = [kept(1, "stale"), *(kept(n, "repeat", n - 1) for n in range(2, 5_000))]
    assert of(*chain).told == of(*chain[::-1], chain[-1]).told == "never"
