"""Words and sentences: what the ranking, the built-in engine and the quote check all stand on.

Works without a dictionary in any language that puts spaces between words; Chinese, Japanese and
Thai runs are cut into pairs of characters, which is what search engines do without a dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ELIDED = re.compile(r"^(?:[cdjlmnst]|qu)'")
"""An article or a pronoun run into a folded word, as in French: `l'usine`."""
_WORD = re.compile(
    r"[A-Za-z](?:\+\+|#)(?![^\W_])|[^\W_]+(?:['’][^\W\d_]+)*(?:[.,:/-]\d+)*", re.UNICODE
)
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+")
_RUNS = re.compile(f"{_UNSPACED.pattern}|[^\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+")


def fold(text: str) -> str:
    """Return `text` in lower case, without accents and with plain apostrophes, to compare words."""
    if text.isascii():
        return text.lower()  # most words: the rest would leave it as it is
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def folded_set(listed: str) -> frozenset[str]:
    """Return the words of a list in the spelling of `fold`."""
    return frozenset(map(fold, listed.split()))


_SMALL_WORDS = {
    "en": folded_set(
        "a about after all also an and any are as at be been before being but by can could did do "
        "does for from had has have he her his how i if in into is it its just me more most my no "
        "not of on or our out over she should so some than that the their them then there these "
        "they this those to too us was we were what when where which who why will with would you "
        "your"
    ),
    "de": folded_set(
        "aber alle als am auch auf aus bei bis das dass dem den der des die durch ein eine einem "
        "einen einer es für haben hat ich im ist mit nach nicht noch nur oder sich sie sind um und "
        "uns unter vom von vor war wenn werden wie wir wird zu zum zur"
    ),
    "fr": folded_set(
        "au aux avec ce ces cette dans de des du elle en est et il ils la le les leur mais ne nous "
        "on ou par pas pour qu que qui sa se ses son sont sur un une vous"
    ),
    "es": folded_set(
        "al como con cuando de del donde el ella ellos en es esta este la las lo los más muy o "
        "para pero por que se sin sobre su sus también un una uno y ya"
    ),
    "ru": folded_set(
        "без был была было в во вы для до его ее её же за и из или их к как ко мы на не но о об он "
        "она они от по при с со то что это этот я"
    ),
}
_LETTERS = {
    tag: re.compile(f"[{letters}]", re.IGNORECASE)
    for tag, letters in {"de": "äöüß", "fr": "àâçèêëîïôùûœ", "es": "ñ¿¡", "ru": "а-яё"}.items()
}
_TELLING_LETTER = 2
"""Small words that a letter of one of the five languages alone is worth."""
STOP_WORDS = frozenset().union(*_SMALL_WORDS.values())
"""Words that carry no topic, in the five languages that facts are compared in."""

ASKING_WORDS = folded_set(
    "alert announce announced announces announcement announcements anything changes discover every "
    "find give gives happens happening hear interested keep know latest let look looking message "
    "monitor new news newest notify please recent recently report show something soon tell track "
    "update updates want watch whenever informiere neu neue neues neuigkeiten sag zeige aktuelle "
    "neuf nouvelles nouveau nouveautés informe avise nuevas nuevo nuevos novedades noticias сообщи "
    "нового новое новые новости"
)
"""How people ask for news rather than what about."""
_SOURCE_WORDS = folded_set(
    "article articles blog blogs channel entries entry feed feeds here page pages post posts site "
    "sites there website websites beitrag beiträge diese diesem dieser gibt hier seite fuente hay "
    "página sitio aquí flux ici quoi лента ленте сайт сайте страница странице этом этой"
)
"""How people name where to look rather than what for."""


def words(text: str) -> list[str]:
    """Return the words of `text` as written, numbers and versions whole."""
    return _WORD.findall(text)


def terms(text: str) -> list[str]:
    """Return the folded words of `text` that may carry meaning, in order, with repeats.

    Plain plurals agree with their singulars, `ports` with `port` and `ferries` with `ferry`; real
    stemming needs a dictionary per language.
    """
    found: list[str] = []
    for word in words(text):
        folded = fold(word)
        if folded in STOP_WORDS:
            continue
        if _UNSPACED.search(folded):
            found += [part for run in _RUNS.findall(folded) for part in _pairs(run)]
        else:
            found.append(_singular(folded))
    return found


def _pairs(run: str) -> list[str]:
    if len(run) == 1 or not _UNSPACED.match(run):
        return [run]
    return [run[at : at + 2] for at in range(len(run) - 1)]


def language_of(text: str) -> str:
    """Return `en`, `de`, `fr`, `es` or `ru` by small words and letters; empty when unclear."""
    found = [fold(word) for word in words(text)]
    counts = {tag: sum(word in small for word in found) for tag, small in _SMALL_WORDS.items()}
    for tag, letters in _LETTERS.items():
        counts[tag] += _TELLING_LETTER * bool(letters.search(text))
    first, second = sorted(counts, key=lambda tag: -counts[tag])[:2]
    return first if counts[first] > counts[second] else ""


def width(text: str) -> int:
    """Return the length of `text` as it reads: a character of an unspaced script counts twice."""
    return len(text) + sum(map(len, _UNSPACED.findall(text)))


@lru_cache(maxsize=256)
def topic_terms(goal: str) -> tuple[str, ...]:
    """Return the terms of a goal that name its topic, without the words of asking, no repeats."""
    topic = [t for t in terms(goal) if t not in _ASKING_TERMS]
    return tuple(dict.fromkeys(topic or terms(goal)))


def names_topic(text: str) -> bool:
    """Return whether a wish or query names a topic: "what is new in this feed" names none."""
    return any(t not in _ASKING_TERMS and t not in _SOURCE_TERMS for t in terms(text))


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith(("ies", "ie")):
        return word[: word.rindex("ie")] + "y"  # movie too, as its plural cannot be told from it
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


_ASKING_TERMS = frozenset(map(_singular, ASKING_WORDS))
_SOURCE_TERMS = frozenset(map(_singular, _SOURCE_WORDS))
_ALWAYS_SHORT = re.compile(
    r"\b(?:mr|mrs|ms|dr|prof|hr|fr|vs|e\.g|i\.e|z\.b|d\.h|bzw|ca|approx|nr|fig|vol)\.$",
    re.IGNORECASE,
)
_MAYBE_SHORT = re.compile(
    r"(?:\b(?:[A-ZÀ-Þ]|st|no|etc|inc|ltd|co|corp|u\.s|u\.k|jan|feb|mar|apr|jun|jul|aug|sep|sept|"
    r"oct|nov|dec)|(?<![\d.,])\d{1,2})\.$",
    re.IGNORECASE,
)
"""Abbreviations and ordinals, unless a small word such as `The` opens a sentence behind them."""
_BOUNDARY = re.compile(
    r"(?<=[.!?…])[\"'”’»)\]]{0,4}\s+(?=[\"'“‘„(\[¿¡]{0,4}(?:«\s?)?[^\W_])|(?<=[。！？])\s*(?![」』”’）\s]|$)"
)
_LINE_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|[-*+•]\s+|>\s+|\d{1,3}[.)]\s+)+")


def lines(text: str) -> list[str]:
    """Return the lines of a page's text without Markdown's marks, empty ones dropped."""
    stripped = (_LINE_MARKS.sub("", line).strip() for line in text.splitlines())
    return [line for line in stripped if line]


def sentences(text: str) -> list[str]:
    """Return the sentences of a page's text as they stand there."""
    return [sentence for line in lines(text) for sentence in _split(line)]


def _split(line: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for boundary in _BOUNDARY.finditer(line):
        if _goes_on(line, start, boundary):
            continue
        pieces.append(line[start : boundary.end()].strip())
        start = boundary.end()
    pieces.append(line[start:].strip())
    return [piece for piece in pieces if piece]


def _goes_on(line: str, start: int, boundary: re.Match[str]) -> bool:
    """Return whether the sentence does not end here: an abbreviation, or a lower-case word next."""
    opening = _WORD.search(line, boundary.end(), boundary.end() + 40)
    if opening and opening.group()[0].islower():
        return True
    if not line[boundary.start() : boundary.start() + 1].isspace():
        return False
    before = line[max(start, boundary.start() - 12) : boundary.start()]
    if _ALWAYS_SHORT.search(before):
        return True
    small = opening is not None and fold(opening.group()) in STOP_WORDS
    return bool(_MAYBE_SHORT.search(before)) and not small


def shorten(text: str, limit: int) -> str:
    """Return `text` on one line, at most `limit` characters, cut at a word with an ellipsis."""
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    cut = flat[: limit - 1]
    if " " in cut[limit // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:-–—") + "…"
