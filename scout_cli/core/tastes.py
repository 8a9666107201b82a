"""What a user's opinions of findings mean for the next run: bounded, plain counts, all reversible.

Nothing is learnt and kept: the opinions are stored, their meaning follows from them each time, and
an opinion that is taken back has never been.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import cast, get_args

from scout_cli.core.models import REPORTED, Novelty, Opinion, Record
from scout_cli.core.ports import Habits
from scout_cli.core.report import clean
from scout_cli.core.signature import numbers
from scout_cli.core.urls import registrable
from scout_cli.core.words import terms
from scout_cli.errors import InvalidInput

STEP = 0.02
"""By how much one opinion moves the cut-offs."""
MOST = 0.06
"""The farthest that all opinions together move them."""
WEIGHT = 0.2
"""The most that a liking adds to or takes from the rank of a search result, which is 0 to 1."""
_DOUBT = 2
"""Opinions that a host or word seems to have had without any: one alone moves little."""
WORDS = ("useful", "not-useful", "repeat", "wrong")
"""Opinions as people write them."""
_ALREADY: dict[Novelty, str] = {
    "repeat": "It was held back as a repeat already.",
    "stale": "It was held back for its age, which no opinion moves.",
    "suppressed": "It was held back for what you said of another finding.",
}
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
    held back as a repeat and called useful moves them up. Useful findings raise their domain and
    their words in the choice of what to read, unwanted ones lower them.
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
    return round(max(-MOST, min(MOST, STEP * sum(map(_push, said)))), 4)


def _push(said: Said) -> int:
    """Return in which direction an opinion moves the cut-offs; they know nothing of age."""
    if said.opinion == "repeat" and said.novelty in REPORTED:
        return -1
    return 1 if said.opinion == "useful" and said.novelty == "repeat" else 0


def effect(now: Said | None, past: Said | None, before: Habits, after: Habits) -> str:
    """Return what an opinion changed, in a few sentences.

    Args:
        now: what is said of a finding; None when it was taken back.
        past: what was said of it before; None for nothing.
        before: what all opinions meant without the change.
        after: what they mean with it.
    """
    one = now or past
    if one is None:
        return ""
    told = [*_moved(now, before.shift, after.shift), *_read(one, before, after)]
    refused, was = (unwanted(each.opinion if each else None) for each in (now, past))
    if refused != was:
        held = "is" if refused else "is no longer"
        told.append(f"What closely follows this finding {held} held back.")
    if now is None:
        return " ".join(["It counts no more.", *told])
    return " ".join(told) or f"{_ALREADY.get(one.novelty, '')} Nothing changes.".strip()


def _moved(now: Said | None, before: float, after: float) -> list[str]:
    if after == before:
        stay = f"Both cut-offs of this scout stay at {after:+.2f}, the farthest that opinions go."
        return [stay] if now and _push(now) and abs(after) == MOST else []
    way, less = ("down", "more") if after < before else ("up", "less")
    by = f"by {abs(after - before):.2g} (to {after:+.2f} in all)"
    return [f"Both cut-offs of this scout go {way} {by}: it holds back {less}."]


def _read(one: Said, before: Habits, after: Habits) -> list[str]:
    came, was = (liking(habits, one.host, one.fact) for habits in (after, before))
    if came == was:
        return []
    way = "sooner" if came > was else "later"
    domain = registrable(one.host)
    return [f"Results from {domain} and with these words are read {way} than before."]


def unwanted(opinion: Opinion | None) -> bool:
    """Return whether what closely follows a finding of which this was said is held back."""
    return opinion in ("not_useful", "wrong")


def opinion_of(word: str) -> Opinion:
    """Return the opinion that a word is, in either spelling of `not-useful`.

    Raises:
        InvalidInput: it is none.
    """
    for known in get_args(Opinion):
        if word.replace("-", "_") == known:
            return cast("Opinion", known)
    raise InvalidInput(f"{clean(word)[:40]!r} is no opinion", hint=f"one of: {', '.join(WORDS)}")


def liking(habits: Habits, host: str, text: str) -> float:
    """Return how much a search result is liked, -1 to 1: half by its domain, half by its words."""
    about = [habits.terms[term] for term in dict.fromkeys(terms(text)) if term in habits.terms]
    strongest = sorted(about, key=abs, reverse=True)[:3]
    worded = sum(strongest) / 3 if strongest else 0.0
    return 0.5 * habits.hosts.get(registrable(host), 0.0) + 0.5 * worded


def _likings(values: dict[str, list[float]]) -> dict[str, float]:
    found = {name: round(sum(each) / (len(each) + _DOUBT), 3) for name, each in values.items()}
    return {name: value for name, value in sorted(found.items()) if value}
