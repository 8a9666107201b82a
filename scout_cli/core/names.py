"""Names in a sentence by their capitals, and whether two of them may be one.

Names are compared across scripts and cases: Cyrillic is spelled in Latin letters, and two words
with the same beginning are one name, since languages change only the ends (Москва, в Москве).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from scout_cli.core.words import ELIDED, STOP_WORDS, fold, folded_set, language_of, words

_LATIN = {
    fold(letter): latin
    for letter, latin in zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch  y  e yu ya".split(" "),
        strict=True,
    )
}
_MONTHS_AND_DAYS = folded_set(
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday januar februar märz mai juni juli "
    "oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag sonnabend jan "
    "feb mar apr jun jul aug sep sept oct nov dec okt dez enero mayo mio mrd"
)
_LEGAL_FORMS = folded_set(
    "inc ltd llc plc corp co gmbh ag kg se sa sas sarl srl spa nv bv ab oy oao ooo ооо ао"
)
_GERMAN_BEFORE = folded_set(
    "der die das den dem des ein eine einen einem einer eines im am zum zur vom beim ins ans kein "
    "keine keinen keinem keiner sein seine seinen seiner ihr ihre ihren ihrer alle viele mehrere "
    "neue neuen neuer neues zwei drei vier funf sechs sieben acht neun zehn elf zwolf"
)
_GERMAN_NOUN = re.compile(
    r"(?:ung|ungen|heit|heiten|keit|keiten|schaft|schaften|tion|tionen|nis|nisse|tat|ismus|chen|"
    r"prozent|jahr|jahre|jahren|uhr|euro|million|millionen|milliarde|milliarden|tag|tage|tagen|"
    r"konzern|firma|unternehmen|hersteller|kette|werk|fabrik|stelle|stellen|jobs?|mitarbeiter|"
    r"beschaftigten?|kunden|nutzer|gericht|polizei|feuerwehr|gemeinde|landkreis|behorde|"
    r"woche|wochen|monat|monate|monaten|menschen|leute|stadt|preis|preise)"
)
_ADJECTIVE = re.compile(r"[a-zß]{4,}(?:e|en|er|es|em)")
_SHORTEST = 4
"""Letters at the beginning that two words must share to be one."""
_ENDING = 2
"""Letters at the end in which forms of a word may differ."""
_STEM = 3
"""Letters at the beginning that two forms of a name share at the least."""
_ENDINGS = frozenset({""}) | folded_set(
    "s 's es e n en er ern ers ns a as i y ies ian ians ien iens ienne isch ische ischer ischen "
    "ish o os u yu om oi ei oy ey ov ev am akh ami ya yakh ogo omu im ikh skii skaya skoe skogo "
    "skoi skie skom"
)
"""What names end in where the rest is the same."""


def names_of(text: str) -> frozenset[str]:
    """Return the folded names of `text`: words with a capital that do not open the sentence.

    In German every noun has one; there a noun behind an article or an adjective is no name.
    """
    found = words(text)
    german = language_of(text) == "de"
    kept = (
        folded
        for before, word in pairwise(found)
        if _may_be_name(word, folded := fold(word)) and not (german and _is_noun(before, folded))
    )
    return frozenset(kept)


def first_word(found: list[str]) -> str:
    """Return the first word, folded, when it may be a name; empty when it is none."""
    first = fold(found[0]) if found and found[0][0].isupper() else ""
    return "" if first in STOP_WORDS or first in _MONTHS_AND_DAYS else first


def alike(word: str, others: frozenset[str]) -> bool:
    """Return whether a folded word, or another form of it, is among others."""
    return word in others or any(one_word(word, other) for other in others)


def named_alike(name: str, others: frozenset[str]) -> bool:
    """Return whether a folded name, or a form of it in the same language, is among others.

    Stricter than `alike`: Austria and Australia differ in more than an ending.
    """
    return name in others or any(_one_name(name, other) for other in others)


@lru_cache(maxsize=65536)
def _one_name(one: str, other: str) -> bool:
    left, right = _latin(one), _latin(other)
    shared = next(
        (at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
        min(len(left), len(right)),
    )
    return shared >= _STEM and left[shared:] in _ENDINGS and right[shared:] in _ENDINGS


@lru_cache(maxsize=65536)
def one_word(one: str, other: str) -> bool:
    """Return whether two folded words may be forms of one: alike but for their ends.

    They share their beginning up to the last two letters of the shorter one, four at the least.
    """
    left, right = _latin(one), _latin(other)
    if left == right:
        return True
    least = max(_SHORTEST, min(len(left), len(right)) - _ENDING)
    return left[:least] == right[:least] and not left[0].isdigit()


def _may_be_name(word: str, folded: str) -> bool:
    return (
        word[0].isupper()
        and len(word) > 1
        and folded not in STOP_WORDS
        and folded not in _MONTHS_AND_DAYS
        and folded not in _LEGAL_FORMS
    )


def _is_noun(before: str, folded: str) -> bool:
    plain = fold(before)
    if plain in _GERMAN_BEFORE or before[0].isdigit() or _GERMAN_NOUN.search(folded):
        return True
    return before[0].islower() and bool(_ADJECTIVE.fullmatch(before))


@lru_cache(maxsize=8192)
def _latin(word: str) -> str:
    """Return a folded word in Latin letters, without an article that was run into it."""
    plain = ELIDED.sub("", word)
    return plain if plain.isascii() else "".join(_LATIN.get(letter, letter) for letter in plain)
