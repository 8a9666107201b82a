"""What is different in two sentences that cannot be the same fact, and what they share."""

from __future__ import annotations

import re
from calendar import day_name, month_name

from scout_cli.core import lexicon
from scout_cli.core.details import Signature, counts
from scout_cli.core.models import Record
from scout_cli.core.names import alike

_YEAR = re.compile(r"(?:19|20)\d\d")


class Difference(Record, frozen=True, kw_only=True):
    """What speaks against a repeat; an empty text when nothing does."""

    text: str = ""
    changed: str = ""
    """The same for people: `3 instead of 2`."""
    updates: bool = False
    """The same matter in another state, rather than another matter."""


SAME = Difference()


def compare(new: Signature, earlier: Signature) -> Difference:
    """Return what speaks against `new` being a repeat of `earlier`.

    A new number is new information. A name counts only when it stands in the place of another,
    since outlets add and drop attributions. Fewer details are no difference.
    """
    if text := _exchanged(new.versions - earlier.figures, earlier.versions, "version"):
        return Difference(text=text, changed=_change(new.versions, earlier.versions))
    names = _other_names(new, earlier)
    for one, other, kind in (
        (new.figures - earlier.versions, earlier.figures, "numbers"),
        (_added_dates(new, earlier), earlier.dates - new.dates, "dates"),
    ):
        if text := _exchanged(one, other, kind):
            return Difference(text=text, changed=_change(one, other), updates=not names)
    if same_denial(new, earlier):
        return Difference(text=names, changed=names) if names else SAME
    if new.denied != earlier.denied:
        said = "one says that it is not so"
        return Difference(text=said, changed="now denied" if new.denied else "no longer denied",
                          updates=not names)  # fmt: skip
    now, before = lexicon.turned(new.states, earlier.states)
    if now:
        said = f"{now} instead of {before}" if before else f"now {now}"
        return Difference(text=f"another state: {said}", changed=said, updates=not names)
    return Difference(text=names, changed=names) if names else SAME


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
    said = [term for term in plain.terms if lexicon.lacking(term)]
    return bool(said) and not any(map(lexicon.lacking, denied.terms))


def translated(new: Signature, earlier: Signature) -> bool:
    """Return whether the two are in different languages, as far as that can be told."""
    return bool(new.language and earlier.language and new.language != earlier.language)


def agreement(new: Signature, earlier: Signature) -> int:
    """Return how many details two sentences share; at most two without a name and a number."""
    shared = len(new.versions & earlier.versions) + len(new.figures & earlier.figures)
    shared += len(new.dates & earlier.dates)
    named = sum(alike(name, earlier.names) for name in new.names)
    return shared + named if shared and named else min(2, shared + named)


def coverage(new: Signature, earlier: Signature) -> float:
    """Return which share of the words of `new` the earlier sentence has too, 0..1.

    Numbers and dates are left out: they are compared as such.
    """
    known = frozenset(earlier.terms)
    counted = [term for term in new.terms if counts(term)]
    return sum(alike(term, known) for term in counted) / len(counted) if counted else 0.0


def _exchanged(new: frozenset[str], earlier: frozenset[str], kind: str) -> str:
    came, went = new - earlier, earlier - new
    if not came:
        return ""
    return f"other {kind}: {_listed(came)}" + (f" instead of {_listed(went)}" if went else "")


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
    came = frozenset(name for name in new.names if not alike(name, earlier.words))
    went = frozenset(name for name in earlier.names if not alike(name, new.words))
    if not came or not went or _abbreviates(came, went) or _abbreviates(went, came):
        return ""
    return f"other names: {_listed(came)} instead of {_listed(went)}"


def _abbreviates(some: frozenset[str], others: frozenset[str]) -> bool:
    """Return whether a name such as ECB may stand for the names in the other sentence."""
    initials = sorted(name[0] for name in others)
    return len(others) > 1 and any(sorted(name) == initials for name in some)


def _listed(details: frozenset[str]) -> str:
    """Return details as people read them: `day 3` and `month 5` as `3 May`."""
    parts = {each.partition(" ")[0]: each.partition(" ")[2] for each in details if " " in each}
    told = [parts["day"]] if "day" in parts else []
    told += [month_name[int(parts["month"])]] if "month" in parts else []
    told += [day_name[int(parts["weekday"]) - 1]] if "weekday" in parts else []
    rest = sorted(each for each in details if " " not in each)
    return ", ".join([" ".join(told), *rest] if told else rest)
