"""Words and sentences: what the ranking, the built-in engine and the quote check all stand on.

Works without a dictionary in any language that puts spaces between words; Chinese, Japanese and
Thai runs are cut into pairs of characters, which is what search engines do without a dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*(?:[.,:/-]\d+)*", re.UNICODE)
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]{2,}")

STOP_WORDS = frozenset(
    # English
    "a about after all also an and any are as at be been before being but by can could did do does "
    "for from had has have he her his how i if in into is it its just me more most my no not of on "
    "or our out over she should so some than that the their them then there these they this those "
    "to too us was we were what when where which who why will with would you your "
    # German
    "aber alle als am auch auf aus bei bis das dass dem den der des die durch ein eine einem einen "
    "einer es für haben hat ich im ist mit nach nicht noch nur oder sich sie sind um und uns unter "
    "vom von vor war wenn werden wie wir wird zu zum zur "
    # French
    "au aux avec ce ces cette dans de des du elle en est et il ils la le les leur mais ne nous on "
    "ou par pas pour qu que qui sa se ses son sont sur un une vous "
    # Spanish
    "al como con cuando del donde el ella ellos esta este lo los más muy o para pero por sin sobre "
    "su sus también una uno y ya "
    # Russian
    "без был была было в во вы для до его ее её же за и из или их к как ко мы на не но о об он она "
    "они от по при с со то что это этот я".split()
)
"""Words that carry no topic, in the five languages that facts are compared in."""

ASKING_WORDS = frozenset(
    "alert announce announced announcement announcements anything changes discover every find give "
    "gives happens happening hear interested keep know latest let look looking message monitor new "
    "news newest notify please recent recently report show something soon tell track update "
    "updates want watch whenever informiere neue neues neuigkeiten sag zeige aktuelle nouvelles "
    "nouveau informe avise nuevas nuevos noticias сообщи новые новости".split()
)
"""How people ask for news rather than what about."""


def fold(text: str) -> str:
    """Return `text` in lower case without accents, for comparing words."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """Return the words of `text` as written, numbers and versions whole."""
    return _WORD.findall(text)


def terms(text: str) -> list[str]:
    """Return the folded words of `text` that may carry meaning, in order, with repeats.

    A plain plural `s` is cut, so that `ferries` and `ferry` still differ but `ports` and `port`
    agree; real stemming needs a dictionary per language.
    """
    found: list[str] = []
    for word in words(text):
        folded = fold(word)
        if folded in STOP_WORDS:
            continue
        if _UNSPACED.fullmatch(folded):
            found += [folded[at : at + 2] for at in range(len(folded) - 1)]
        else:
            found.append(_singular(folded))
    return found


@lru_cache(maxsize=256)
def topic_terms(goal: str) -> tuple[str, ...]:
    """Return the terms of a goal that name its topic, without the words of asking, no repeats."""
    topic = [t for t in terms(goal) if t not in ASKING_WORDS and _singular(t) not in ASKING_WORDS]
    return tuple(dict.fromkeys(topic or terms(goal)))


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-ZÀ-Þ]|mr|mrs|ms|dr|prof|st|no|nr|vs|etc|e\.g|i\.e|approx|bzw|z\.b|ca|inc|ltd|co|"
    r"jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|u\.s|u\.k|fig|vol)\.|\b\d+\.)$",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(r"(?<=[.!?…。！？])[\"'”’»)\]]*\s+(?=[\"'“‘„«(\[¿¡]*[^\W_a-zß-ÿа-я])")
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
        if _ABBREVIATION.search(line[start : boundary.start()]):
            continue
        pieces.append(line[start : boundary.end()].strip())
        start = boundary.end()
    pieces.append(line[start:].strip())
    return [piece for piece in pieces if piece]


def shorten(text: str, limit: int) -> str:
    """Return `text` on one line, at most `limit` characters, cut at a word with an ellipsis."""
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    cut = flat[: limit - 1]
    if " " in cut[limit // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:-–—") + "…"
