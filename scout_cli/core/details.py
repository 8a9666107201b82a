"""The details of a sentence: its numbers, versions, dates, names, denials and states.

Two facts in one template ("version 16.3 is out", "version 16.4 is out") are closer to each other
by any embedding than two tellings of one event; only these details tell them apart. How two
sentences differ in them is `core.differences`, whether they may `core.doubts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from scout_cli.core import lexicon
from scout_cli.core.models import Record
from scout_cli.core.names import first_word, names_of
from scout_cli.core.particles import Led, led
from scout_cli.core.quantities import AMOUNTS, below_zero, measured
from scout_cli.core.signature import date_of, names_month, numbers
from scout_cli.core.spelling import digits, is_number
from scout_cli.core.words import STOP_WORDS, fold, folded_set, language_of, terms, words

_SCALES = {
    "thousand tausend mille mil тысяч тысячи тысяча тыс": 10**3,
    "million millions millionen mio mill millon millones миллион миллиона миллионов млн m": 10**6,
    "billion billions milliarde milliarden mrd milliard milliards bn миллиард миллиарда "
    "миллиардов млрд": 10**9,
    "billones billon trillion trillions": 10**12,
}
_SCALE = {fold(word): scale for listed, scale in _SCALES.items() for word in listed.split()}
_ONE = folded_set("one eine ein un une uno один")
_SCALED = re.compile(r"(\d+(?:[.,]\d+)?|[^\W\d_]+)[\s\u00a0\u202f]?([^\W\d_]+)\b")
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3})(?:[\u00a0\u202f ](\d{3}))+(?!\d)")
_CLOCK = re.compile(
    r"\b(\d{1,2})(?:[:.h](\d{2}))?\s?(a\.?m\b\.?|p\.?m\b\.?|uhr\b|h\b)", re.IGNORECASE
)
_NOON = re.compile(r"(?<![\w-])(?:noon|midday|midi|полдень)\b", re.IGNORECASE)
_ROUGHLY = re.compile(
    r"\b(?:more than|over|nearly|almost|about|around|some|roughly|mehr als|uber|rund|"
    r"fast|knapp|etwa|circa|gut|plus de|pres de|environ|quelque|mas de|casi|unos|unas|cerca de|"
    r"alrededor de|более|около|почти|свыше|примерно|порядка)\s+\D{0,3}(\d[\d.,]*)"
)
_LABEL = re.compile(
    r"(?:(\d+)-?\s?(?:year-old|jährig|летн)|[^\W\d_]-?(\d+(?:[.,]\d+)*)|"
    r"\b[A-ZÄÖÜА-Я][^\W\d_]+\s(\d\d?(?:\.\d+)*))\b(?![.,]\d)"
)
"""A number that says which one: `Castor Linux 24`, `A7`, a 45-year-old."""
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
_AMOUNTS = frozenset(term for word in AMOUNTS if word[0].isalpha() for term in terms(word))
_AUXILIARIES = folded_set(
    "worden wurde wurden waren hatte hatten hätte sein haben sei wäre ab seit ont été étaient "
    "était sera seront avait avaient être avoir depuis dès partir lors ha han hay sido fue fueron "
    "será serán están está estaba ser estar haber había desde hasta partir будет будут есть "
    "стал стала стали стало "
    "must may might shall should would could muss müssen soll sollen kann können doit doivent peut "
    "peuvent debe deben puede pueden должен должна должны может могут"
)
"""Words that only carry a tense or a beginning: other outlets put others."""
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+")


class Signature(Record, frozen=True, kw_only=True):
    """The details of one sentence."""

    versions: frozenset[str]
    figures: frozenset[str]
    """Amounts, counts and times of day, in one spelling."""
    rough: frozenset[str]
    """Those of them that are said to be about so much."""
    labels: frozenset[str]
    """Those that belong to a name, like the 24 of `Castor Linux 24`."""
    units: frozenset[tuple[str, str]]
    """Figures with what they count."""
    below: frozenset[str]
    """Figures with a minus."""
    dates: frozenset[str]
    """`month 5`, `day 3`, `weekday 1`, `2026`."""
    denied: bool
    denied_words: frozenset[str]
    states: frozenset[str]
    names: frozenset[str]
    whole_names: tuple[frozenset[str], ...]
    """The words of each name: `Whitlow Hospital Trust` is one."""
    titled: bool
    """Most words have a capital, as in headlines: then a capital marks no name."""
    words: frozenset[str]
    terms: tuple[str, ...]
    led: Led
    opening: str
    """The first word when it may be a name: every first word has a capital."""
    language: str


@lru_cache(maxsize=2048)
def signature(text: str) -> Signature:
    """Return the details of `text` that a repeat of it must share."""
    versions = frozenset(_versions(text))
    found = words(text)
    read = [fold(word) for word in found]
    folded = frozenset(read)
    spelled = _spelled(text)
    dates = frozenset(_dates(spelled, numbers(spelled)))
    days = {date.partition(" ")[2] for date in dates if date.startswith("day ")}
    figures = numbers(spelled) - versions - dates - days
    names, opening = names_of(text), first_word(found)
    return Signature(
        versions=versions,
        figures=frozenset(each for each in figures if not each.startswith("month ")),
        rough=frozenset(_spelled_alike(_ROUGHLY.finditer(fold(spelled)))),
        units=frozenset((n, unit) for each, unit in measured(spelled) for n in numbers(each)),
        below=frozenset(n for each in below_zero(spelled) for n in numbers(each)),
        labels=frozenset(_spelled_alike(_LABEL.finditer(spelled))),
        dates=dates,
        denied=lexicon.denied(folded, text),
        denied_words=lexicon.denied_words(read),
        states=lexicon.states(folded) | lexicon.told(fold(text)),
        names=names,
        whole_names=tuple(_runs(read, names | {opening})),
        titled=_titled(found),
        words=folded,
        terms=tuple(terms(text)),
        led=led(spelled),
        opening=opening,
        language=language_of(text),
    )


def _runs(found: list[str], names: frozenset[str]) -> Iterator[frozenset[str]]:
    """Yield the names that stand side by side as one."""
    for named, run in groupby(found, key=names.__contains__):
        if named:
            yield frozenset(run)


@lru_cache(maxsize=8192)
def counts(term: str) -> bool:
    """Return whether a term is compared as a word: numbers, dates and amounts are as such."""
    if term in _AUXILIARIES or term in _SCALE or term in _AMOUNTS or term in _WEEKDAYS:
        return False
    return not (any(map(str.isdigit, term)) or is_number(term) or names_month(term))


def _spelled(text: str) -> str:
    """Return `text` with its amounts in digits: `1.5 million` as `1500000`, `9 pm` as `21:00`."""
    grouped = _GROUPED.sub(lambda match: re.sub(r"\D", "", match[0]), text)
    return _SCALED.sub(_scaled, _CLOCK.sub(_timed, _NOON.sub("12:00", digits(grouped))))


def _spelled_alike(matches: Iterable[re.Match[str]]) -> Iterator[str]:
    """Yield the numbers that were matched in the spelling of `numbers`."""
    for match in matches:
        yield from numbers("".join(part or "" for part in match.groups()).rstrip(".,"))


def _scaled(match: re.Match[str]) -> str:
    scale = _SCALE.get(fold(match[2]))
    number = match[1].replace(",", ".")
    if scale is None or (match[2] == "M" and not match[1][0].isdigit()):
        return match[0]
    if not number[0].isdigit():
        return str(scale) if fold(number) in _ONE else match[0]
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
    days = [day for day, month in pairs if names_month(fold(month))]
    days += [str(date[2]) for match in _NUMERIC.finditer(text) if (date := date_of(match[0]))]
    return dates + [f"day {int(day)}" for day in days]


def _titled(found: list[str]) -> bool:
    telling = [word for word in found if word[0].isalpha() and fold(word) not in STOP_WORDS]
    small = sum(word[0].islower() for word in telling)
    return len(telling) > 3 and small <= len(telling) // 10
