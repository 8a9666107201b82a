"""What a claim rests on: whether a sentence says no more than the words that prove it.

Code understands neither of them. It asks that every word that tells something stands in the quote,
in some form: one word in the place of another is all that a lie needs. What fails is told in the
page's own words instead, so that strictness costs wording and never news.
"""

from __future__ import annotations

import re
from functools import lru_cache

from scout_cli.core import lexicon
from scout_cli.core.details import counts, signature
from scout_cli.core.names import names_of
from scout_cli.core.signature import negated, numbers
from scout_cli.core.words import ELIDED, fold, folded_set, terms, words

_SHORTEST = 4
"""Letters at the beginning that two forms of one word share."""
_ENDING = 3
"""Letters at the end in which they may differ: `open` and `opening`, not `bank` and `bankrupt`."""
_ENDING_OF_NAMES = 2
_DENIED = 3
"""Words behind a `not` of which it may speak."""
_STEM = 4
_LITTLE = folded_set(
    "per pro via around approximately roughly circa ca rund etwa environ quelque unos unas cerca "
    "около примерно"
)
"""Words that may stand in a claim without being in its quote."""
_PERHAPS = folded_set(
    "might could perhaps possibly probably reportedly allegedly rumoured könnte könnten vielleicht "
    "möglicherweise wohl angeblich mutmasslich pourrait pourraient peut-être prétendument podría "
    "podrían quizá quizás supuestamente возможно вероятно якобы"
)
_URL = re.compile(r"https?:|\w://|\bwww\.|\]\(", re.IGNORECASE)
"""Also in the middle of a word: what is glued to an address may be taken off again."""


def supported(claim: str, quote: str, *, title: str = "", overlap: float | None = None) -> bool:
    """Return whether `claim` says no more than `quote` as far as code can tell.

    Every number and every telling word of the claim must stand in the quote, a negation must be in
    both or in neither and deny the same, and the claim holds no link.

    Args:
        claim: a sentence in somebody's own words.
        quote: what it rests on.
        title: of the page; see `tells`.
        overlap: for a translation, whose words cannot be compared: the least share of them that
            must be known all the same.
    """
    if has_link(claim) or not numbers(claim) <= numbers(quote):
        return False
    if negated(claim) != negated(quote):
        return False
    return tells(quote, claim, title) if overlap is None else shared(claim, quote) >= overlap


def tells(quote: str, claim: str, title: str = "") -> bool:
    """Return whether each telling word of `claim` stands in `quote`, and is denied where it is.

    Args:
        quote: what should bear the claim out.
        claim: a sentence, or a few words of one.
        title: of the page. It may name what the quote calls `it`, unless the quote names another.
    """
    said, known = signature(claim), signature(quote)
    if not _weekdays(said.dates) <= _weekdays(known.dates):
        return False
    if _open(quote) - _open(claim):
        return False
    missing = frozenset(
        term
        for term in said.terms
        if _telling(term)
        and not _stands(term, known.words.union(known.terms), said.names)
        and not lexicon.states(frozenset((term,))) & known.states
    )
    if missing and not _names_it(title, missing, claim, quote):
        return False
    within = denied(quote, _DENIED)
    return all(_stands(term, within, said.names) for term in denied(claim, 1))


def denied(text: str, reach: int = _DENIED) -> frozenset[str]:
    """Return the telling words behind each `not` of `text`, at most `reach` for each."""
    found: set[str] = set()
    left = 0
    for word in words(text):
        if lexicon.denials(frozenset((fold(word),))):
            left = reach
        elif left and (telling := [term for term in terms(word) if _telling(term)]):
            found.update(telling)
            left -= 1
    return frozenset(found)


def shared(claim: str, ground: str) -> float:
    """Return the share of the claim's words that are in `ground`, by their first letters, 0..1."""
    said = _stems(claim)
    return len(said & _stems(ground)) / len(said) if said else 0.0


def has_link(text: str) -> bool:
    """Return whether `text` holds a web address or the Markdown of a link."""
    return _URL.search(text) is not None


def without_links(text: str) -> str:
    """Return `text` without the words that hold a link."""
    return " ".join(word for word in text.split() if not _URL.search(word))


def _telling(term: str) -> bool:
    return counts(term) and not lexicon.attributes(term) and term not in _LITTLE


def _open(text: str) -> frozenset[str]:
    """Return in which ways a sentence leaves open whether it is so: a plan, or a perhaps."""
    found = words(text)
    folded = frozenset(map(fold, found))
    perhaps = "may" in found or not folded.isdisjoint(_PERHAPS)
    planned = lexicon.pending(folded)
    return frozenset(name for name, so in (("plan", planned), ("perhaps", perhaps)) if so)


def _stands(term: str, known: frozenset[str], names: frozenset[str]) -> bool:
    """Return whether a word, or another form of it, is among others."""
    most = _ENDING_OF_NAMES if term in names else _ENDING
    plain = ELIDED.sub("", term)
    return plain in known or any(_one_word(plain, ELIDED.sub("", other), most) for other in known)


@lru_cache(maxsize=65536)
def _one_word(one: str, other: str, most: int) -> bool:
    """Return whether two folded words begin alike and differ in a few last letters only."""
    least = max(_SHORTEST, max(len(one), len(other)) - most)
    return one[:least] == other[:least] and min(len(one), len(other)) >= _SHORTEST


def _names_it(title: str, missing: frozenset[str], claim: str, quote: str) -> bool:
    """Return whether a title has the missing names, and the quote no name that the claim lacks."""
    capitals = frozenset(term for word in words(title) if word[0].isupper() for term in terms(word))
    spelled = frozenset(term for word in words(claim) if word[0].isupper() for term in terms(word))
    return missing <= capitals & spelled and names_of(quote) <= frozenset(map(fold, words(claim)))


def _weekdays(dates: frozenset[str]) -> frozenset[str]:
    return frozenset(date for date in dates if date.startswith("weekday"))


@lru_cache(maxsize=512)
def _stems(text: str) -> frozenset[str]:
    return frozenset(term[:_STEM] for term in terms(text))
