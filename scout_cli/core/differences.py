"""What is different in two sentences that cannot be the same fact, and what they share."""

from __future__ import annotations

import re
from calendar import day_name, month_name
from collections.abc import Iterator, Sequence
from itertools import chain

from msgspec.structs import replace

from scout_cli.core import lexicon
from scout_cli.core.details import Signature, counts
from scout_cli.core.models import Record
from scout_cli.core.names import alike, named_alike, one_word

_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "des", "не", "без")
_STEM = 5
"""Letters of a word at the least, for `in-` before it to turn it round."""
_NAME_WEIGHT, _NUMBER_WEIGHT = 0.2, 0.6
_SMALL = 12
_ROUGHLY = 0.05
"""How far off a number may be that is said to be about so much."""
_YEAR = re.compile(r"(?:19|20)\d\d")


class Difference(Record, frozen=True, kw_only=True):
    """What speaks against a repeat; an empty text when nothing does."""

    text: str = ""
    changed: str = ""
    """The same for people: `3 instead of 2`."""
    updates: bool = False
    """The same matter in another state, rather than another matter."""


SAME = Difference()


class Shared(Record, frozen=True, kw_only=True):
    """Details that two sentences have in common and that are no part of one another."""

    names: int
    """Small numbers and dates count here: facts of one event share them as they share names."""
    numbers: int
    """Amounts and counts, but for what belongs to a name."""

    @property
    def firm(self) -> bool:
        """Return whether there is a number beside a name or another: few facts share both."""
        return self.numbers > 0 and self.names + self.numbers > 1

    @property
    def weight(self) -> float:
        """Return how much speaks for one fact, 0..1; names alone, which a topic shares, nothing."""
        if not self.numbers:
            return 0.0
        return min(1.0, _NAME_WEIGHT * self.names + _NUMBER_WEIGHT * self.numbers)

    @property
    def plenty(self) -> bool:
        """Return whether there are two of each."""
        return min(self.names, self.numbers) > 1


def compare(new: Signature, earlier: Signature) -> Difference:
    """Return what speaks against `new` being a repeat of `earlier`.

    A new number is new information. A name counts only when it stands in the place of another,
    since outlets add and drop attributions. Fewer details are no difference.
    """
    names = _other_names(new, earlier)
    found = next(chain(_other_counts(new, earlier), _other_sayings(new, earlier)), None)
    if found is None:
        return Difference(text=names, changed=names) if names else SAME
    return replace(found, updates=found.updates and not names)


def difference(new: Signature, earlier: Signature) -> str:
    """Return why `new` cannot be a repeat of `earlier`, or an empty text."""
    return compare(new, earlier).text


def same_denial(new: Signature, earlier: Signature) -> bool:
    """Return whether one says with a `not` what the other says without: is closed, is not open.

    The word that denies must be in the other only: `is closed` and `is not closed` are opposites.
    """
    if new.denied == earlier.denied:
        return False
    plain, denied = (earlier, new) if new.denied else (new, earlier)
    said = frozenset(term for term in plain.terms if lexicon.lacking(term))
    return bool(said) and not any(alike(term, said) for term in denied.terms)


def translated(new: Signature, earlier: Signature) -> bool:
    """Return whether the two are in different languages, as far as that can be told."""
    return bool(new.language and earlier.language and new.language != earlier.language)


def agreement(new: Signature, earlier: Signature) -> int:
    """Return how many details two sentences share; at most two without a name and a number."""
    shared = len(new.versions & earlier.versions) + len(new.figures & earlier.figures)
    shared += len(new.dates & earlier.dates)
    named = sum(alike(name, earlier.names) for name in new.names)
    return shared + named if shared and named else min(2, shared + named)


def shared(new: Signature, earlier: Signature) -> Shared:
    """Return the details that two sentences have in common."""
    known = earlier.names | {earlier.opening}
    named = sum(any(alike(word, known) for word in name) for name in new.whole_names)
    figures = (new.figures & earlier.figures) - new.labels - earlier.labels
    small = sum(each.isdecimal() and int(each) <= _SMALL for each in figures)
    dated = any(each.startswith(("day ", "month ")) for each in new.dates & earlier.dates)
    return Shared(names=named + small + dated, numbers=len(figures) - small)


def coverage(new: Signature, earlier: Signature) -> float:
    """Return which share of the words of `new` the earlier sentence has too, 0..1.

    Numbers and dates are left out: they are compared as such.
    """
    known = frozenset(earlier.terms)
    counted = [term for term in new.terms if counts(term)]
    return sum(alike(term, known) for term in counted) / len(counted) if counted else 0.0


def _other_counts(new: Signature, earlier: Signature) -> Iterator[Difference]:
    """Yield what differs in versions, numbers, dates and what they count, the plainest first."""
    if text := _exchanged(new.versions - earlier.figures, earlier.versions, "version"):
        yield Difference(text=text, changed=_change(new.versions, earlier.versions))
    for came, went, kind in (
        (_other_figures(new, earlier), earlier.figures, "numbers"),
        (_added_dates(new, earlier), earlier.dates - new.dates, "dates"),
    ):
        if text := _exchanged(came, went, kind):
            another = bool(came & new.labels)  # another man of another age, not one who got older
            yield Difference(text=text, changed=_change(came, went), updates=not another)
    if counted := _counts_else(new, earlier):
        yield Difference(text=f"another measure: {counted}", changed=counted, updates=True)


def _other_sayings(new: Signature, earlier: Signature) -> Iterator[Difference]:
    """Yield what is denied, turned round or in another state."""
    if same_denial(new, earlier):
        return
    if new.denied != earlier.denied:
        said = "now denied" if new.denied else "no longer denied"
        yield Difference(text="one says that it is not so", changed=said, updates=True)
    elif new.denied and (turned := _denied_else(new, earlier)):
        said = f"{turned}, of which one says that it is not so"
        yield Difference(text=said, changed=turned, updates=True)
    if turned := _prefixed(new, earlier):
        yield Difference(text=f"the opposite: {turned}", changed=turned, updates=True)
    now, before = lexicon.turned(new.states, earlier.states)
    if now:
        said = f"{now} instead of {before}" if before else f"now {now}"
        yield Difference(text=f"another state: {said}", changed=said, updates=True)


def _exchanged(new: frozenset[str], earlier: frozenset[str], kind: str) -> str:
    came, went = new - earlier, earlier - new
    if not came:
        return ""
    return f"other {kind}: {_listed(came)}" + (f" instead of {_listed(went)}" if went else "")


def _other_figures(new: Signature, earlier: Signature) -> frozenset[str]:
    """Return the numbers of `new` that are not those of `earlier`, rounded ones included."""
    came = new.figures - earlier.versions
    return frozenset(
        each
        for each in came
        if not (each in new.rough and any(_near(each, other) for other in earlier.figures))
    )


def _counts_else(new: Signature, earlier: Signature) -> str:
    """Return `5 km instead of 5 m` when one number counts something else; likewise its sign."""
    for number in sorted(new.figures & earlier.figures):
        now, before = (
            {unit for figure, unit in side.units if figure == number} for side in (new, earlier)
        )
        if now and before and now.isdisjoint(before):
            return f"{number} {min(now)} instead of {number} {min(before)}"
        if (number in new.below) != (number in earlier.below):
            signed = (f"-{number}", number)
            return " instead of ".join(signed if number in new.below else signed[::-1])
    return ""


def _near(rough: str, exact: str) -> bool:
    try:
        one, other = float(rough), float(exact)
    except ValueError:  # a time of day, or a range
        return False
    return abs(one - other) <= _ROUGHLY * abs(other)


def _denied_else(new: Signature, earlier: Signature) -> str:
    """Return a word of both that only one denies: is safe, with no trace; is not safe, with one."""
    known = frozenset(earlier.terms)
    for term in sorted(set(new.terms)):
        one_sided = alike(term, new.denied_words) != alike(term, earlier.denied_words)
        if one_sided and alike(term, known):
            return term
    return ""


def _prefixed(new: Signature, earlier: Signature) -> str:
    """Return `invalid instead of valid` when a word of one is the other's with such a prefix."""
    if found := _negative_of(new.terms, earlier.terms):
        return " instead of ".join(found)
    if found := _negative_of(earlier.terms, new.terms):
        return " instead of ".join(reversed(found))
    return ""


def _negative_of(some: Sequence[str], others: Sequence[str]) -> tuple[str, str] | None:
    """Return a word of `some` that is one of `others` behind a prefix such as in-, and that one."""
    known = frozenset(others)
    for term in some:
        for stem in (term.removeprefix(prefix) for prefix in _PREFIXES if term.startswith(prefix)):
            plain = next((each for each in others if one_word(stem, each)), "")
            if len(stem) >= _STEM and plain and not alike(term, known):
                return term, plain
    return None


def _change(new: frozenset[str], earlier: frozenset[str]) -> str:
    came, went = new - earlier, earlier - new
    return f"{_listed(came)} instead of {_listed(went)}" if went else f"now with {_listed(came)}"


def _added_dates(new: Signature, earlier: Signature) -> frozenset[str]:
    """Return the dates that are new; a year or a weekday more is no other date."""
    added = new.dates - earlier.dates
    known = bool(earlier.dates)

    def matters(date: str) -> bool:
        kind = date.partition(" ")[0]
        same_kind = any(other.partition(" ")[0] == kind for other in earlier.dates)
        if _YEAR.fullmatch(date):
            return any(_YEAR.fullmatch(other) for other in earlier.dates) or not known
        return same_kind or not (known and kind in ("weekday", "day"))

    return frozenset(date for date in added if matters(date))


def _other_names(new: Signature, earlier: Signature) -> str:
    """Return the names that stand in the place of others, where capitals can be trusted."""
    if new.titled or earlier.titled or translated(new, earlier):
        return ""
    came = frozenset(name for name in new.names if not named_alike(name, earlier.words))
    went = frozenset(name for name in earlier.names if not named_alike(name, new.words))
    if not came or not went or _abbreviates(came, went) or _abbreviates(went, came):
        return ""
    return f"other names: {_listed(came)} instead of {_listed(went)}"


def _abbreviates(some: frozenset[str], others: frozenset[str]) -> bool:
    """Return whether a name such as ECB may stand for the names in the other sentence."""
    initials = sorted(name[0] for name in others)
    return len(others) > 1 and any(sorted(name) == initials for name in some)


def _listed(details: frozenset[str]) -> str:
    """Return details as people read them: `day 3` and `month 5` as `3 May`."""
    numbers: dict[str, list[int]] = {"day": [], "month": [], "weekday": []}
    rest = []
    for each in sorted(details):
        kind, _, number = each.partition(" ")
        if number:
            numbers[kind].append(int(number))
        else:
            rest.append(each)
    days = [str(number) for number in sorted(numbers["day"])]
    months = [month_name[number] for number in sorted(numbers["month"])]
    weekdays = [day_name[number - 1] for number in sorted(numbers["weekday"])]
    told = " ".join(" and ".join(said) for said in (days, months, weekdays) if said)
    return ", ".join([told, *rest] if told else rest)
