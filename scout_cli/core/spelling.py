"""Numbers that are spelled out, in digits: `two hundred cars` as `200 cars`.

English, German, French and Spanish by the library text2num; Russian, which it does not have, by the
words here, in the cases that news has.
"""

from __future__ import annotations

import re
from functools import lru_cache

from scout_cli.core.words import fold, language_of

_LANGUAGES = ("en", "de", "fr", "es")
_RUSSIAN = {
    fold(word): value
    for value, listed in {
        2: "два две двух двое", 3: "три трех трое", 4: "четыре четырех четверо",
        5: "пять пяти пятеро", 6: "шесть шести шестеро", 7: "семь семи семеро",
        8: "восемь восьми", 9: "девять девяти", 10: "десять десяти", 11: "одиннадцать",
        12: "двенадцать", 13: "тринадцать", 14: "четырнадцать", 15: "пятнадцать",
        16: "шестнадцать", 17: "семнадцать", 18: "восемнадцать", 19: "девятнадцать",
        20: "двадцать двадцати", 30: "тридцать тридцати", 40: "сорок сорока",
        50: "пятьдесят", 60: "шестьдесят", 70: "семьдесят", 80: "восемьдесят", 90: "девяносто",
        100: "сто ста", 200: "двести", 300: "триста", 400: "четыреста", 500: "пятьсот",
        600: "шестьсот", 700: "семьсот", 800: "восемьсот", 900: "девятьсот",
    }.items()
    for word in listed.split()
}  # fmt: skip
_CYRILLIC = re.compile(r"[а-яё]+(?:\s+[а-яё]+)*", re.IGNORECASE)
_PERCENT = re.compile(r"\b(?:pour cent|por ciento)\b", re.IGNORECASE)
_DOZEN = re.compile(r"(?<!\w)(?:a|ein|une|una) (?:dozen|dutzend|douzaine|docena)\b", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_PIECE = re.compile(r"\w+|\W+")
_SCALE = re.compile(r"mil\w*|bil\w*|tausende?|thousands?|hundreds?|hunderte?|cents?", re.IGNORECASE)
_ALONE = re.compile(r"mil.+|bil.+|cents?|.+(?:nds|reds|nde|rte)", re.IGNORECASE)
"""Scales that are a number only behind another one in words: `two million`."""
_LEAST = 2.0
"""One is left as it is: in most languages it is an article too."""


class _Piece:
    """A word, or what is between two, as text2num takes it."""

    def __init__(self, piece: str, *, plain: bool) -> None:
        self._piece = piece
        self._plain = plain

    def text(self) -> str:
        return self._piece

    def nt_separated(self, _previous: object) -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return self._plain


@lru_cache(maxsize=2048)
def digits(text: str) -> str:
    """Return `text` with the numbers that are spelled out in it as digits.

    Where the language cannot be told, as in a headline, the first one counts in which there are
    any. Ordinals are left as they are: the third one is not three.
    """
    if not _LETTER.search(text):
        return text
    if language := language_of(text):
        return _russian(text) if language == "ru" else _converted(text, language)
    return next((c for tag in _LANGUAGES if (c := _converted(text, tag)) != text), text)


@lru_cache(maxsize=8192)
def is_number(word: str) -> bool:
    """Return whether a folded word spells a number in one of the languages."""
    return word in _RUSSIAN or any(_converted(word, tag) != word for tag in _LANGUAGES)


def _converted(text: str, language: str) -> str:
    # Imported here: 20 ms that commands save which compare nothing.
    from text_to_num import find_numbers  # noqa: PLC0415

    pieces = _PIECE.findall(_PERCENT.sub("%", _DOZEN.sub("12", text)))
    words_ = [_Piece(piece, plain=_is_plain(pieces, at)) for at, piece in enumerate(pieces)]
    for found in reversed(find_numbers(words_, language, _LEAST)):
        if not found.is_ordinal and any(c.isalpha() for c in pieces[found.start]):
            pieces[found.start : found.end] = [found.text]
    return "".join(pieces)


def _is_plain(pieces: list[str], at: int) -> bool:
    """Return whether a scale stands behind a number in digits, or by itself: `1.5 million`."""
    if not _SCALE.fullmatch(pieces[at]):
        return False
    before = pieces[at - 2] if at > 1 and not pieces[at - 1].strip() else ""
    if before[:1].isdigit():
        return True
    return bool(_ALONE.fullmatch(pieces[at])) and not (before and is_number(fold(before)))


def _russian(text: str) -> str:
    return _CYRILLIC.sub(lambda match: _summed(match[0]), text)


def _summed(run: str) -> str:
    """Return words with neighbours such as `сто двадцать пять` added up, the larger one first."""
    parts: list[str] = []
    total, smallest = 0, 0
    for word in [*run.split(), ""]:
        value = _RUSSIAN.get(fold(word), 0)
        if total and not (value and value < 10 ** (len(str(smallest)) - 1)):
            parts.append(str(total))
            total = 0
        if value:
            total, smallest = total + value, value
        elif word:
            parts.append(word)
    return " ".join(parts)
