"""Whether two sentences without a difference that shows may still be two facts."""

from __future__ import annotations

from scout_cli.core import lexicon
from scout_cli.core.details import Signature, counts
from scout_cli.core.differences import Shared, agreement, shared, translated
from scout_cli.core.names import alike, one_word
from scout_cli.core.particles import opposed

_GERMAN = "de"
_MANY = 2
"""Details in common from which another verb is taken for another wording."""
_PLENTY = 1
"""Details in common from which one word in exchange for another is taken for another wording."""
_TELLING = 0.2
"""The share of its words that these must be."""
_OWN = 3
"""Words of its own from which each of two sentences about one event may tell another part of it."""
_ON_TOP = 2
"""Words more than were replaced, from which a sentence may tell something new."""


def unsure(new: Signature, earlier: Signature) -> bool:
    """Return whether the two may differ in the one word that matters.

    `Berlin opens a museum` and `Munich opens a museum` open with other words that may be names;
    `approved the bridge` and `approved the tunnel` have one word in the place of another.
    """
    common = shared(new, earlier)
    return (
        (not common.plenty and (other_subject(new, earlier) or _swapped(new, earlier)))
        or _strangers(new, earlier)
        or _adds(new, earlier, common)
        or _turned_round(new, earlier)
        or bool(opposed(new.led, earlier.led))
        or (agreement(new, earlier) < _MANY and bool(new.states - earlier.states))
        or (lexicon.pending(earlier.words) and not lexicon.pending(new.words))
        or (agreement(new, earlier) < _PLENTY and _exchanged_one(new, earlier))
    )


def other_subject(new: Signature, earlier: Signature) -> bool:
    """Return whether the two open with other words that may be names."""
    return bool(
        new.opening
        and earlier.opening
        and not alike(new.opening, earlier.words)
        and not alike(earlier.opening, new.words)
    )


def _strangers(new: Signature, earlier: Signature) -> bool:
    """Return whether names differ where capitals say little: other languages, headlines."""
    if _GERMAN in (new.language, earlier.language) and translated(new, earlier):
        return False  # every noun has a capital there: nothing follows from one
    if translated(new, earlier) and agreement(new, earlier) > _MANY:
        return False  # a foundation is a fondation
    if not (new.titled or earlier.titled or translated(new, earlier)):
        return False
    came = any(not alike(name, earlier.words) for name in new.names)
    return came and any(not alike(name, new.words) for name in earlier.names)


def _says(term: str) -> bool:
    """Return whether a term tells what happened, rather than when, how many or who said so."""
    return counts(term) and not lexicon.attributes(term)


def _swapped(new: Signature, earlier: Signature) -> bool:
    """Return whether words stand in the very place of others, with the rest in the same order.

    That is how two facts fill one template. Whoever tells a fact in other words moves them about.
    """
    known, told = frozenset(earlier.terms), frozenset(new.terms)
    came = [(term, alike(term, known)) for term in new.terms if _says(term)]
    went = [(term, alike(term, told)) for term in earlier.terms if _says(term)]
    strange = [sum(not there for _, there in side) for side in (came, went)]
    if not min(strange) or max(strange) > len(came) - strange[0]:
        return False
    one, other = [t for t, there in came if there], [t for t, there in went if there]
    return len(one) == len(other) and all(map(one_word, one, other))


def _adds(new: Signature, earlier: Signature, common: Shared) -> bool:
    """Return whether `new` has more words of its own than take the place of others.

    Other words for the same come in exchange for those that were there; what comes on top of them
    is told for the first time. Who said it is not counted. When both have several of their own
    and no number in common, each may tell another part of one event.
    """
    if translated(new, earlier):
        return False
    known, told = frozenset(earlier.terms), frozenset(new.terms)
    came = sum(not alike(term, known) for term in new.terms if _says(term))
    went = sum(not alike(term, told) for term in earlier.terms if counts(term))
    counted = sum(map(counts, new.terms))
    if came >= went + _ON_TOP and came >= _TELLING * counted:
        return True
    return min(came, went) >= _OWN and not common.numbers


def _exchanged_one(new: Signature, earlier: Signature) -> bool:
    """Return whether one word, wherever it stands, came in exchange for another."""
    known, told = frozenset(earlier.terms), frozenset(new.terms)
    came = sum(not alike(term, known) for term in new.terms if counts(term))
    went = sum(not alike(term, told) for term in earlier.terms if counts(term))
    return came == went == 1


def _turned_round(new: Signature, earlier: Signature) -> bool:
    """Return whether the same words have their names the other way round.

    Who beat whom, and what moves from where to where, is told by nothing else.
    """
    if sorted(new.terms) != sorted(earlier.terms):
        return False
    names = new.names | earlier.names | {new.opening, earlier.opening}
    one, other = ([t for t in side.terms if t in names] for side in (new, earlier))
    return len(one) > 1 and one == other[::-1]
