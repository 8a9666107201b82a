"""What must agree before two sentences can be the same fact: numbers, dates, names, negation.

Two facts in one template ("version 16.3 is out", "version 16.4 is out") are closer to each other
by any embedding than two tellings of one event; only these details tell them apart.
"""

from __future__ import annotations

import re
from functools import lru_cache

from scout_cli.core.models import Record
from scout_cli.core.words import STOP_WORDS, fold, folded_set, words

NEGATIONS = folded_set(
    "no not never none nobody nothing neither nor without cannot cancelled canceled denies denied "
    "rejects rejected refuses refused fails failed declined scrapped abandoned isn't won't doesn't "
    "didn't don't wasn't aren't weren't can't couldn't hasn't haven't hadn't wouldn't shouldn't "
    "nicht kein keine keinen keiner keinem nie niemals ohne abgelehnt abgesagt "
    "ne pas jamais aucun aucune sans refuse rejette annule "
    "no nunca ningun ninguna sin rechaza rechazó canceló не нет никогда без отказался отменил"
)

_MONTHS = {
    fold(name): number
    for number, names in enumerate(
        (
            "january jan januar janvier enero января январь",
            "february feb februar fevrier febrero февраля февраль",
            "march mar marz mars marzo марта март",
            "april apr avril abril апреля апрель",
            "may mai mayo мая май",
            "june jun juni juin junio июня июнь",
            "july jul juli juillet julio июля июль",
            "august aug aout agosto августа август",
            "september sep sept septembre septiembre сентября сентябрь",
            "october oct oktober octobre octubre октября октябрь",
            "november nov novembre noviembre ноября ноябрь",
            "december dec dezember decembre diciembre декабря декабрь",
        ),
        1,
    )
    for name in names.split()
}
_COUNTS = {
    fold(name): str(value)
    for value, names in {
        2: "two zwei deux dos два две", 3: "three drei trois tres три",
        4: "four vier quatre cuatro четыре", 5: "five funf cinq cinco пять",
        6: "six sechs seis шесть", 7: "seven sieben sept siete семь",
        8: "eight acht huit ocho восемь", 9: "nine neun neuf nueve девять",
        10: "ten zehn dix diez десять", 11: "eleven elf onze once", 12: "twelve zwolf douze doce",
    }.items()
    for name in names.split()
}  # fmt: skip
_AMBIGUOUS_MONTHS = folded_set("may mar mars sept mai")
_NUMBER = re.compile(r"\d+(?:[.,:/\u00a0\u202f-]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f]\d{3})+")
_GROUP_MARKS = re.compile(r"[.,\u00a0\u202f]")
_LEADING_ZEROS = re.compile(r"^0+(?=\d)")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4})")


class Signature(Record, frozen=True, kw_only=True):
    """The details of one sentence."""

    numbers: frozenset[str]
    names: frozenset[str]
    negated: bool
    words: frozenset[str]
    opening: str
    """The first word when it may be a name: every first word has a capital."""


@lru_cache(maxsize=512)
def numbers(text: str) -> frozenset[str]:
    """Return the numbers, versions, times and dates of `text`, in one spelling.

    Thousands separators go, a decimal comma becomes a point, dates such as 2026-05-03 fall into
    day, month and year, months and the numbers from two to twelve count as digits when they are
    spelled out.
    """
    found = {part for match in _NUMBER.finditer(text) for part in _spelled(match.group())}
    tokens = words(text)
    for at, word in enumerate(tokens):
        folded = fold(word)
        if folded in _MONTHS and (folded not in _AMBIGUOUS_MONTHS or _names_month(tokens, at)):
            found.add(f"month {_MONTHS[folded]}")
        elif folded in _COUNTS and folded not in _AMBIGUOUS_MONTHS:
            found.add(_COUNTS[folded])
    return frozenset(found)


@lru_cache(maxsize=512)
def signature(text: str) -> Signature:
    """Return the details of `text` that a repeat of it must share."""
    found = words(text)
    first = fold(found[0]) if found and found[0][0].isupper() else ""
    return Signature(
        numbers=numbers(text),
        names=_names(found[1:]),
        negated=negated(text),
        words=frozenset(map(fold, found)),
        opening="" if first in STOP_WORDS or first in _MONTHS else first,
    )


@lru_cache(maxsize=512)
def negated(text: str) -> bool:
    """Return whether `text` says that something is not so."""
    return any(fold(word) in NEGATIONS for word in words(text))


def difference(new: Signature, earlier: Signature) -> str:
    """Return why `new` cannot be a repeat of `earlier`, or an empty text.

    A new number is new information. A name counts only when it stands in the place of another,
    since outlets add and drop attributions. Fewer details are no difference.
    """
    if added := new.numbers - earlier.numbers:
        lost = earlier.numbers - new.numbers
        return f"other numbers: {_listed(added)}" + (f" instead of {_listed(lost)}" if lost else "")
    if new.negated != earlier.negated:
        return "one says that it is not so"
    came, went = new.names - earlier.words, earlier.names - new.words
    if came and went:
        return f"other names: {_listed(came)} instead of {_listed(went)}"
    return ""


def unsure(new: Signature, earlier: Signature) -> bool:
    """Return whether the two open with different words that may be names.

    `Berlin opens a museum` and `Munich opens a museum` differ in nothing else.
    """
    return bool(
        new.opening
        and earlier.opening
        and new.opening not in earlier.words
        and earlier.opening not in new.words
    )


def _spelled(number: str) -> list[str]:
    if date := _DATE.fullmatch(number):
        year, month, day = (date[1], date[2], date[3]) if date[1] else (date[6], date[5], date[4])
        return [year, f"month {int(month)}", str(int(day))]
    if _GROUPED.fullmatch(number):
        return [_GROUP_MARKS.sub("", number)]
    return [_LEADING_ZEROS.sub("", number.replace(",", "."))]


def _names_month(tokens: list[str], at: int) -> bool:
    """Return whether a word such as `May` is a month here: with a capital inside, or by a digit."""
    around = tokens[max(0, at - 1) : at] + tokens[at + 1 : at + 2]
    return (at > 0 and tokens[at][0].isupper()) or any(token[0].isdigit() for token in around)


def _names(found: list[str]) -> frozenset[str]:
    """Capitalised words that do not open the sentence; in German every noun is one, and helps."""
    return frozenset(
        folded
        for word in found
        if word[0].isupper()
        and len(word) > 1
        and (folded := fold(word)) not in STOP_WORDS
        and folded not in _MONTHS
    )


def _listed(details: frozenset[str]) -> str:
    return ", ".join(sorted(details))
