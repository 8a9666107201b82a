"""The numbers of a sentence in one spelling, and whether it says that something is not so."""

from __future__ import annotations

import re
from functools import lru_cache

from scout_cli.core.spelling import digits
from scout_cli.core.words import ELIDED, fold, folded_set, words

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
_AMBIGUOUS_MONTHS = folded_set("may mar mars sept mai")
_NUMBER = re.compile(r"\d+(?:[.,:/\u00a0\u202f-]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f]\d{3})+")
_GROUP_MARKS = re.compile(r"[.,\u00a0\u202f]")
_LEADING_ZEROS = re.compile(r"^0+(?=\d)")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[./](\d{1,2})[./](\d{4})")


@lru_cache(maxsize=512)
def numbers(text: str) -> frozenset[str]:
    """Return the numbers, versions, times and dates of `text`, in one spelling.

    Thousands separators go, a decimal comma becomes a point, dates such as 2026-05-03 fall into
    day, month and year, and what is spelled out counts as digits, but for one.
    """
    plain = digits(text)
    found = {part for match in _NUMBER.finditer(plain) for part in _spelled(match.group())}
    tokens = words(plain)
    for at, word in enumerate(tokens):
        folded = ELIDED.sub("", fold(word))
        if folded in _MONTHS and (folded not in _AMBIGUOUS_MONTHS or _names_month(tokens, at)):
            found.add(f"month {_MONTHS[folded]}")
    return frozenset(found)


@lru_cache(maxsize=512)
def negated(text: str) -> bool:
    """Return whether `text` says that something is not so."""
    return any(fold(word) in NEGATIONS for word in words(text))


def names_month(word: str) -> bool:
    """Return whether a folded word names a month where it stands beside a number."""
    return ELIDED.sub("", word) in _MONTHS


def date_of(number: str) -> tuple[int, int, int] | None:
    """Return year, month and day of `2026-05-03`, `3.5.2026` or `3/5/2026`, else None.

    A second number above 12 is the day, as Americans write it.
    """
    found = _DATE.fullmatch(number)
    if found is None:
        return None
    year, month, day = (1, 2, 3) if found[1] else (6, 5, 4)
    parts = int(found[year]), int(found[month]), int(found[day])
    if parts[1] > 12 >= parts[2]:
        parts = parts[0], parts[2], parts[1]
    return parts if 1 <= parts[1] <= 12 and 1 <= parts[2] <= 31 else None


def _spelled(number: str) -> list[str]:
    if date := date_of(number):
        year, month, day = date
        return [str(year), f"month {month}", str(day)]
    if _GROUPED.fullmatch(number):
        return [_GROUP_MARKS.sub("", number)]
    return [_LEADING_ZEROS.sub("", number.replace(",", "."))]


def _names_month(tokens: list[str], at: int) -> bool:
    """Return whether a word such as `May` is a month here: with a capital inside, or by a digit."""
    around = tokens[max(0, at - 1) : at] + tokens[at + 1 : at + 2]
    return (at > 0 and tokens[at][0].isupper()) or any(token[0].isdigit() for token in around)
