"""What must agree before two sentences can be the same fact: numbers, dates, names, negation.

Two facts in one template ("version 16.3 is out", "version 16.4 is out") are closer to each other
by any embedding than two tellings of one event; only these details tell them apart.
"""

from __future__ import annotations

import re

from scout_cli.core.models import Record
from scout_cli.core.words import STOP_WORDS, fold, words

NEGATIONS = frozenset(
    "no not never none nobody nothing neither without cannot cancelled canceled denies denied "
    "nicht kein keine keinen keiner keinem nie niemals ohne "
    "ne pas jamais aucun aucune sans no nunca ningun ninguna sin не нет никогда без".split()
) | {"isn't", "won't", "doesn't", "didn't", "wasn't", "aren't", "weren't", "can't", "couldn't"}

_MONTHS = {
    name: number
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
    name: str(value)
    for value, names in {
        2: "two zwei deux dos два две", 3: "three drei trois tres три",
        4: "four vier quatre cuatro четыре", 5: "five funf cinq cinco пять",
        6: "six sechs seis шесть", 7: "seven sieben sept siete семь",
        8: "eight acht huit ocho восемь", 9: "nine neun neuf nueve девять",
        10: "ten zehn dix diez десять", 11: "eleven elf onze once", 12: "twelve zwolf douze doce",
    }.items()
    for name in names.split()
}  # fmt: skip
_AMBIGUOUS_MONTHS = frozenset("may mar mars sept mai".split())
_NUMBER = re.compile(r"\d+(?:[.,:/\u00a0\u202f-]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f]\d{3})+")
_GROUP_MARKS = re.compile(r"[.,\u00a0\u202f]")


class Signature(Record, frozen=True, kw_only=True):
    """The details of one sentence."""

    numbers: frozenset[str]
    names: frozenset[str]
    negated: bool


def numbers(text: str) -> frozenset[str]:
    """Return the numbers, versions, times and dates of `text`, in one spelling.

    Thousands separators go, a decimal comma becomes a point, months and the numbers from two to
    twelve count as digits when they are spelled out.
    """
    found = {_spelled(match.group()) for match in _NUMBER.finditer(text)}
    tokens = words(text)
    for at, word in enumerate(tokens):
        folded = fold(word)
        if folded in _MONTHS and (folded not in _AMBIGUOUS_MONTHS or _near_digit(tokens, at)):
            found.add(f"month {_MONTHS[folded]}")
        elif folded in _COUNTS and folded not in _AMBIGUOUS_MONTHS:
            found.add(_COUNTS[folded])
    return frozenset(found)


def signature(text: str) -> Signature:
    """Return the details of `text` that a repeat of it must share."""
    return Signature(
        numbers=numbers(text),
        names=_names(text),
        negated=any(fold(word) in NEGATIONS for word in words(text)),
    )


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
    came, went = new.names - earlier.names, earlier.names - new.names
    if came and went:
        return f"other names: {_listed(came)} instead of {_listed(went)}"
    return ""


def _spelled(number: str) -> str:
    if _GROUPED.fullmatch(number):
        return _GROUP_MARKS.sub("", number)
    return number.replace(",", ".")


def _near_digit(tokens: list[str], at: int) -> bool:
    around = tokens[max(0, at - 1) : at] + tokens[at + 1 : at + 2]
    return any(token[0].isdigit() for token in around)


def _names(text: str) -> frozenset[str]:
    """Capitalised words that do not open the sentence; in German every noun is one, and helps."""
    found = words(text)[1:]
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
