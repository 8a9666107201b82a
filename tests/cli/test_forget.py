"""`scout forget` as it is typed."""

from __future__ import annotations

import json

import pytest

from tests.cli import planted
from tests.cli.planted import call


def facts() -> list[str]:
    """Return the ids of all findings."""
    found = json.loads(call("findings", "--status", "all", "--json").out)["findings"]
    return [each["id"] for each in found]


@pytest.fixture(autouse=True)
def _planted():
    """Store two scouts; the first has four findings, an hour apart."""
    planted.plant()


def test_a_finding_is_forgotten():
    """By its id, and it says so; a second time there is none."""
    first = facts()[0]
    said = call("forget", first, "--yes")
    assert (said.code, said.err) == (0, "Forgot 1 finding.\n")
    assert first not in facts()
    assert call("forget", first, "--yes").code == 3


def test_all_of_a_scout_or_from_before_a_moment():
    """`--before` counts back from now."""
    said = call("forget", "--scout", "Hollen ferry", "--before", "23h", "--yes", "--json")
    assert said.code == 0
    assert json.loads(said.out)["forgotten"]["findings"] == 1
    assert len(facts()) == 3
    assert call("forget", "--scout", "Hollen ferry", "--yes").code == 0
    assert facts() == []


def test_it_asks_first():
    """Without a terminal it names the whole command."""
    said = call("forget", "--scout", "Hollen ferry", "--before", "23h")
    assert said.code == 2
    assert "this deletes 1 finding of Hollen ferry" in said.err
    assert "scout forget --scout 'Hollen ferry' --before 23h --yes" in said.err
    assert len(facts()) == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name findings, or a scout"),
        (["1234", "--scout", "Hollen ferry"], "name findings, or a scout"),
        (["1234", "--before", "7d"], "--before goes with --scout"),
        (["--scout", "Hollen ferry", "--before", "soon"], "--before: 'soon'"),
        (["--scout", "Hollen fery"], "Hollen ferry"),
        (["ffff"], "no finding 'ffff'"),
        ([""], "no finding"),
    ],
)
def test_what_names_nothing_is_refused(words, told):
    """Nothing is deleted, and what to type is said."""
    said = call("forget", *words, "--yes")
    assert said.code in (2, 3)
    assert told in said.err
    assert len(facts()) == 4
