"""What must agree before two sentences can be the same fact, and what is different if it does not.

Two facts in one template ("version 16.3 is out", "version 16.4 is out") are closer to each other
by any embedding than two tellings of one event; only these details tell them apart.
"""

from __future__ import annotations

import re
from calendar import day_name, month_name
from functools import lru_cache

from scout_cli.core import lexicon
from scout_cli.core.models import Record
from scout_cli.core.names import alike, first_word, names_of, one_word
from scout_cli.core.signature import date_of, numbers
from scout_cli.core.words import STOP_WORDS, fold, folded_set, language_of, terms, words

_SCALES = {
    "thousand tausend mille mil тысяч тысячи тысяча тыс": 10**3,
    "million millions millionen mio mill millon millones миллион миллиона миллионов млн m": 10**6,
    "billion billions milliarde milliarden mrd milliard milliards bn миллиард миллиарда "
    "миллиардов млрд": 10**9,
    "billones billon trillion trillions": 10**12,
}
_SCALE = {fold(word): scale for listed, scale in _SCALES.items() for word in listed.split()}
_SMALL = {fold(word): number for number, listed in enumerate(
    ("one eine ein un une uno один", "two zwei deux dos два", "three drei trois tres три",
     "four vier quatre cuatro четыре", "five funf cinq cinco пять", "six sechs seis шесть",
     "seven sieben sept siete семь", "eight acht huit ocho восемь", "nine neun neuf nueve девять",
     "ten zehn dix diez десять"), 1) for word in listed.split()}  # fmt: skip
_SCALED = re.compile(r"(\d+(?:[.,]\d+)?|[^\W\d_]+)[\s\u00a0\u202f]?([^\W\d_]+)\b")
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3})(?:[\u00a0\u202f ](\d{3}))+(?!\d)")
_CLOCK = re.compile(
    r"\b(\d{1,2})(?:[:.h](\d{2}))?\s?(a\.?m\b\.?|p\.?m\b\.?|uhr\b|h\b)", re.IGNORECASE
)
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_VERSION = re.compile(
    r"(?:\bv|(?<=[^\W\d_])[\s-])(\d+(?:\.\d+)+)(?!\s?[%€$£]|[\d,])", re.IGNORECASE
)
_UNIT = re.compile(
    r"\s?(?:%|percent|per cent|prozent|pour cent|por ciento|процент|million|billion|mrd|mio|euro|"
    r"dollar|degrees|grad|km|meter|metre|kilo|points|punkte|uhr|h\b|a\.?m|p\.?m)",
    re.IGNORECASE,
)
_DAY_MONTH = re.compile(
    r"(?<![\d.,:])([0-3]?\d)(?:st|nd|rd|th|\.|er|-го)?\s+(?:de\s+|of\s+)?([^\W\d_]+)", re.IGNORECASE
)
_MONTH_DAY = re.compile(r"([^\W\d_]+)\.?\s+([0-3]?\d)(?:st|nd|rd|th)?(?![\d:.,]*\d)", re.IGNORECASE)
_NUMERIC = re.compile(r"\b(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4})\b")
_WEEKDAYS = {fold(word): f"weekday {number}" for number, listed in enumerate(
    ("monday montag lundi lunes понедельник", "tuesday dienstag mardi martes вторник",
     "wednesday mittwoch mercredi miercoles среду среда",
     "thursday donnerstag jeudi jueves четверг", "friday freitag vendredi viernes пятницу пятница",
     "saturday samstag sonnabend samedi sabado субботу суббота",
     "sunday sonntag dimanche domingo воскресенье"), 1) for word in listed.split()}  # fmt: skip
_COMMON = folded_set("version release update edition")
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+")
_GERMAN = "de"
_MANY = 2
"""Details in common from which another verb is taken for another wording."""
_PLENTY = 1
"""Details in common from which one word in exchange for another is taken for another wording."""
_TELLING = 0.2
"""The share of its words that these must be."""
_ON_TOP = 2
"""Words more than were replaced, from which a sentence may tell something new."""


class Signature(Record, frozen=True, kw_only=True):
    """The details of one sentence."""

    versions: frozenset[str]
    figures: frozenset[str]
    """Amounts, counts and times of day, in one spelling."""
    dates: frozenset[str]
    """`month 5`, `day 3`, `weekday 1`, `2026`."""
    denied: bool
    states: frozenset[str]
    names: frozenset[str]
    titled: bool
    """Most words have a capital, as in headlines: then a capital marks no name."""
    words: frozenset[str]
    terms: tuple[str, ...]
    opening: str
    """The first word when it may be a name: every first word has a capital."""
    language: str


class Difference(Record, frozen=True, kw_only=True):
    """What speaks against a repeat; an empty text when nothing does."""

    text: str = ""
    changed: str = ""
    """The same for people: `3 instead of 2`."""
    updates: bool = False
    """The same matter in another state, rather than another matter."""


SAME = Difference()


@lru_cache(maxsize=2048)
def signature(text: str) -> Signature:
    """Return the details of `text` that a repeat of it must share."""
    versions = frozenset(_versions(text))
    found = words(text)
    folded = frozenset(map(fold, found))
    spelled = _spelled(text)
    dates = frozenset(_dates(spelled, numbers(spelled)))
    days = {date.partition(" ")[2] for date in dates if date.startswith("day ")}
    figures = numbers(spelled) - versions - dates - days
    return Signature(
        versions=versions,
        figures=frozenset(each for each in figures if not each.startswith("month ")),
        dates=dates,
        denied=bool(lexicon.denials(folded)),
        states=lexicon.states(folded) | lexicon.told(fold(text)),
        names=names_of(text),
        titled=_titled(found),
        words=folded,
        terms=tuple(terms(text)),
        opening=first_word(found),
        language=language_of(text),
    )


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


def unsure(new: Signature, earlier: Signature) -> bool:
    """Return whether the two may differ in the one word that matters.

    `Berlin opens a museum` and `Munich opens a museum` open with other words that may be names;
    `approved the bridge` and `approved the tunnel` have one word in the place of another.
    """
    other_opening = bool(
        new.opening
        and earlier.opening
        and not alike(new.opening, earlier.words)
        and not alike(earlier.opening, new.words)
    )
    return (
        other_opening
        or _swapped(new, earlier)
        or _strangers(new, earlier)
        or _adds(new, earlier)
        or _turned_round(new, earlier)
        or (agreement(new, earlier) < _MANY and bool(new.states - earlier.states))
        or (lexicon.pending(earlier.words) and not lexicon.pending(new.words))
        or (agreement(new, earlier) < _PLENTY and _exchanged_one(new, earlier))
    )


def translated(new: Signature, earlier: Signature) -> bool:
    """Return whether the two are in different languages, as far as that can be told."""
    return _languages_differ(new, earlier)


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
    counted = [term for term in new.terms if _counts(term)]
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
    if new.titled or earlier.titled or _languages_differ(new, earlier):
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


def _languages_differ(new: Signature, earlier: Signature) -> bool:
    return bool(new.language and earlier.language and new.language != earlier.language)


def _strangers(new: Signature, earlier: Signature) -> bool:
    """Return whether names differ where capitals say little: other languages, headlines."""
    if _GERMAN in (new.language, earlier.language) and _languages_differ(new, earlier):
        return False  # every noun has a capital there: nothing follows from one
    if not (new.titled or earlier.titled or _languages_differ(new, earlier)):
        return False
    came = any(not alike(name, earlier.words) for name in new.names)
    return came and any(not alike(name, new.words) for name in earlier.names)


def _swapped(new: Signature, earlier: Signature) -> bool:
    """Return whether words stand in the very place of others, with the rest in the same order.

    That is how two facts fill one template. Whoever tells a fact in other words moves them about.
    """
    known, told = frozenset(earlier.terms), frozenset(new.terms)
    came = [(term, alike(term, known)) for term in new.terms if _counts(term)]
    went = [(term, alike(term, told)) for term in earlier.terms if _counts(term)]
    strange = [sum(not there for _, there in side) for side in (came, went)]
    if not min(strange) or max(strange) > len(came) - strange[0]:
        return False
    one, other = [t for t, there in came if there], [t for t, there in went if there]
    return len(one) == len(other) and all(map(one_word, one, other))


def _adds(new: Signature, earlier: Signature) -> bool:
    """Return whether `new` has more words of its own than take the place of others.

    Other words for the same come in exchange for those that were there; what comes on top of them
    is told for the first time. Who said it is not counted.
    """
    if _languages_differ(new, earlier):
        return False
    known, told = frozenset(earlier.terms), frozenset(new.terms)
    came = sum(
        not alike(term, known)
        for term in new.terms
        if _counts(term) and not lexicon.attributes(term)
    )
    went = sum(not alike(term, told) for term in earlier.terms if _counts(term))
    counted = sum(map(_counts, new.terms))
    return came >= went + _ON_TOP and came >= _TELLING * counted


def _exchanged_one(new: Signature, earlier: Signature) -> bool:
    """Return whether one word, wherever it stands, came in exchange for another."""
    known, told = frozenset(earlier.terms), frozenset(new.terms)
    came = sum(not alike(term, known) for term in new.terms if _counts(term))
    went = sum(not alike(term, told) for term in earlier.terms if _counts(term))
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


def _counts(term: str) -> bool:
    """Return whether a term is compared as a word: numbers and dates are compared as such."""
    return not (term[0].isdigit() or numbers(f"1 {term}") - {"1"} or term in _WEEKDAYS)


def _spelled(text: str) -> str:
    """Return `text` with its amounts in digits: `1.5 million` as `1500000`, `9 pm` as `21:00`."""
    grouped = _GROUPED.sub(lambda match: re.sub(r"\D", "", match[0]), text)
    return _SCALED.sub(_scaled, _CLOCK.sub(_timed, grouped))


def _scaled(match: re.Match[str]) -> str:
    scale = _SCALE.get(fold(match[2]))
    number = match[1].replace(",", ".")
    if scale is None or (match[2] == "M" and not match[1][0].isdigit()):
        return match[0]
    if not number[0].isdigit():
        small = _SMALL.get(fold(number))
        return str(small * scale) if small else match[0]
    return str(round(float(number) * scale)) if number.count(".") < 2 else match[0]


def _timed(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), match[2] or "00", match[3].lower().replace(".", "")
    if hour > 24:
        return match[0]
    if half == "pm" and hour < 12:
        hour += 12
    return f"{hour % 24 if half != 'am' else hour % 12}:{minute} "


def _versions(text: str) -> list[str]:
    found = []
    for match in _VERSION.finditer(text):
        before = words(text[: match.start(1)])
        capital = bool(before) and (before[-1][0].isupper() or fold(before[-1]) in _COMMON)
        marked = match[0][0] in "vV"
        if _NUMERIC.match(text, match.start(1)) or _THOUSANDS.fullmatch(match[1]):
            continue
        if (marked or capital or match[1].count(".") > 1) and not _UNIT.match(text, match.end(1)):
            found.append(match[1])
    return found


def _dates(text: str, found: frozenset[str]) -> list[str]:
    """Return the parts of dates in `text`; a number beside a month is its day."""
    dates = [each for each in found if each.startswith("month ") or _YEAR.fullmatch(each)]
    dates += [_WEEKDAYS[word] for word in map(fold, words(text)) if word in _WEEKDAYS]
    pairs = [(match[1], match[2]) for match in _DAY_MONTH.finditer(text)]
    pairs += [(match[2], match[1]) for match in _MONTH_DAY.finditer(text)]
    days = [day for day, month in pairs if "month" in " ".join(numbers(f"in {month} {day}"))]
    days += [str(date[2]) for match in _NUMERIC.finditer(text) if (date := date_of(match[0]))]
    return dates + [f"day {int(day)}" for day in days]


def _titled(found: list[str]) -> bool:
    telling = [word for word in found if word[0].isalpha() and fold(word) not in STOP_WORDS]
    small = sum(word[0].islower() for word in telling)
    return len(telling) > 3 and small <= len(telling) // 10


def _listed(details: frozenset[str]) -> str:
    """Return details as people read them: `day 3` and `month 5` as `3 May`."""
    parts = {each.partition(" ")[0]: each.partition(" ")[2] for each in details if " " in each}
    told = [parts["day"]] if "day" in parts else []
    told += [month_name[int(parts["month"])]] if "month" in parts else []
    told += [day_name[int(parts["weekday"]) - 1]] if "weekday" in parts else []
    rest = sorted(each for each in details if " " not in each)
    return ", ".join([" ".join(told), *rest] if told else rest)
