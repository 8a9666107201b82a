"""What a user's opinions of findings mean for the next run: bounded, plain counts, all reversible.

Nothing is learnt and kept: the opinions are stored, their meaning follows from them each time, and
an opinion that is taken back has never been.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from scout_cli.core.models import HELD_BACK, REPORTED, Novelty, Opinion, Record
from scout_cli.core.ports import Habits
from scout_cli.core.signature import numbers
from scout_cli.core.urls import registrable
from scout_cli.core.words import terms

STEP = 0.02
"""By how much one opinion moves the cut-offs."""
MOST = 0.06
"""The farthest that all opinions together move them."""
WEIGHT = 0.2
"""The most that a liking adds to or takes from the rank of a search result, which is 0 to 1."""
_DOUBT = 2
"""Opinions that a host or word seems to have had without any: one alone moves little."""
_VALUE: dict[Opinion, float] = {"useful": 1.0, "not_useful": -1.0, "wrong": -1.0, "repeat": 0.0}


class Said(Record, frozen=True, kw_only=True):
    """An opinion and the finding it is about."""

    opinion: Opinion
    novelty: Novelty
    host: str
    fact: str


def habits_of(said: Sequence[Said]) -> Habits:
    """Return what opinions mean: the shift of the cut-offs, the liking of hosts and words.

    A finding that was reported and called a repeat moves both cut-offs down by `STEP`; one that was
    held back and called useful moves them up. Useful findings raise their domain and their words
    in the choice of what to read, the others lower them.
    """
    hosts: dict[str, list[float]] = defaultdict(list)
    about: dict[str, list[float]] = defaultdict(list)
    for each in said:
        value = _VALUE[each.opinion]
        if value:
            hosts[registrable(each.host)].append(value)
            for term in dict.fromkeys(terms(each.fact)):
                if not numbers(term):
                    about[term].append(value)
    return Habits(shift=shift(said), hosts=_likings(hosts), terms=_likings(about))


def shift(said: Sequence[Said]) -> float:
    """Return by how much opinions move the cut-offs, -`MOST` to `MOST`."""
    missed = sum(each.opinion == "repeat" and each.novelty in REPORTED for each in said)
    hidden = sum(each.opinion == "useful" and each.novelty in HELD_BACK for each in said)
    return round(max(-MOST, min(MOST, STEP * (hidden - missed))), 4)


def liking(habits: Habits, host: str, text: str) -> float:
    """Return how much a search result is liked, -1 to 1: half by its domain, half by its words."""
    about = [habits.terms[term] for term in dict.fromkeys(terms(text)) if term in habits.terms]
    strongest = sorted(about, key=abs, reverse=True)[:3]
    worded = sum(strongest) / 3 if strongest else 0.0
    return 0.5 * habits.hosts.get(registrable(host), 0.0) + 0.5 * worded


def _likings(values: dict[str, list[float]]) -> dict[str, float]:
    found = {name: round(sum(each) / (len(each) + _DOUBT), 3) for name, each in values.items()}
    return {name: value for name, value in sorted(found.items()) if value}
