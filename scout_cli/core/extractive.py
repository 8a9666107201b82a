"""The built-in engine: what scout can do without any language model.

Extractive and deterministic: queries are made of the goal's own words, facts are the sentences of
a page that say most about the goal, word for word. It understands nothing; it never invents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from scout_cli.core.models import Record
from scout_cli.core.orders import is_order
from scout_cli.core.ranking import bm25
from scout_cli.core.verify import quotable
from scout_cli.core.words import (
    ASKING_WORDS,
    STOP_WORDS,
    fold,
    folded_set,
    sentences,
    shorten,
    terms,
    topic_terms,
    width,
    words,
)

_TERMINATED = re.compile(r"[.!…。！]['\"”’»)\]]*$")
_NEWS = folded_set(
    "announced announces opens opened opening launched launches released releases will starts "
    "started begins began closes closed ends ended raised cut approved confirmed signed won lost "
    "reported said says plans planned delayed cancelled postponed adds added removed fixed "
    "eröffnet beginnt startet veröffentlicht beschlossen annonce ouvre lance abre lanza anuncia "
    "открыл объявил"
)
_POINTING = folded_set(
    "it its he his she her they their this that these those but and so however er sie es dies "
    "diese dieser il elle ils elles cela ce esto este esta ellos он она они это"
)
"""Opening words that lean on a sentence before: such a sentence says less when it stands alone."""
_BOILERPLATE = re.compile(
    r"\bcookies?\b|newsletter|privacy policy|terms of (?:use|service)|all rights reserved|"
    r"\bsubscribe|sign up|log in|click here|\bjavascript\b|datenschutz|alle rechte|"
    r"mentions légales|tous droits|política de privacidad|derechos reservados|все права",
    re.IGNORECASE,
)
_SHORTEST, _LONGEST = 40, 360


class Excerpt(Record, frozen=True, kw_only=True):
    """A sentence worth reporting."""

    sentence: str
    score: float


def topic(goal: str) -> list[str]:
    """Return the words of `goal` that name its topic, as written, in order."""
    kept = [
        word
        for word in words(goal)
        if fold(word) not in STOP_WORDS and fold(word) not in ASKING_WORDS
    ]
    return kept or words(goal)


def title(goal: str) -> str:
    """Return a title of two to four words."""
    picked = _distinct(topic(goal))[:4]
    if len(picked) == 1:
        picked.append("news")
    return shorten(" ".join(word[:1].upper() + word[1:] for word in picked), 60) or "Scout"


def queries(goal: str, *, place: str = "", count: int = 3) -> list[str]:
    """Return up to `count` different search queries made of the goal's own words."""
    subject = _distinct(topic(goal))
    names = [word for word in subject if word[0].isupper() or word[0].isdigit()]
    local = [place] if place and fold(place) not in fold(goal) else []
    core = names if len(names) > 1 else subject[:3]
    variants = [
        [*subject[:8], *local],
        [*core, "news", *local],
        [*core, "announcement"],
        [*subject[:4], "latest", *local],
        subject[-4:],
    ]
    texts = (" ".join(variant) for variant in variants if variant)
    return list(dict.fromkeys(text[:120] for text in texts))[:count]


def excerpts(text: str, goal: str, *, page_title: str = "", limit: int = 3) -> list[Excerpt]:
    """Return the sentences of a page that say most about `goal`, best first.

    Args:
        text: the page, one paragraph per line.
        goal: the wish in plain words.
        page_title: counts as context: a page about the topic need not repeat it in each sentence.
        limit: most sentences to return.
    """
    query = topic_terms(goal)
    found = list(dict.fromkeys(filter(_is_statement, sentences(text))))
    if not found or not query:
        return []
    vectors = [terms(sentence) for sentence in found]
    context = set(terms(page_title)).intersection(query)
    needed = 1 if len(query) == 1 or len(context) >= 0.5 * len(query) else 2
    scored = [
        Excerpt(sentence=sentence, score=score * _newsworthy(sentence))
        for sentence, score, vector in zip(found, bm25(query, vectors), vectors, strict=True)
        if len(set(vector).intersection(query)) >= needed
    ]
    best = sorted(scored, key=lambda excerpt: -excerpt.score)
    floor = 0.35 * best[0].score if best else 0.0
    return [excerpt for excerpt in best if excerpt.score >= floor][:limit]


def opening(text: str, limit: int) -> list[str]:
    """Return the first statements of a page, which tell what it is about whatever that is."""
    return list(dict.fromkeys(filter(_is_statement, sentences(text))))[:limit]


def additions(text: str, limit: int) -> list[str]:
    """Return what to tell of what was added to a page: statements, else lines that say something.

    A new row of a timetable is no statement, and is what somebody waits for all the same.
    """
    told = [each for each in dict.fromkeys(sentences(text)) if quotable(each) and _tells(each)]
    return sorted(told, key=lambda each: not _is_sentence(each))[:limit]


def headline(facts: Sequence[str]) -> str:
    """Return one sentence of at most 150 characters that tells the first fact."""
    return shorten(facts[0], 150) if facts else ""


def _is_statement(sentence: str) -> bool:
    return _is_sentence(sentence) and _tells(sentence)


def _is_sentence(sentence: str) -> bool:
    return (
        _SHORTEST <= width(sentence) <= _LONGEST
        and bool(_TERMINATED.search(sentence))
        and (len(words(sentence)) >= 6 or len(terms(sentence)) >= 8)
        and not sentence[0].islower()
    )


def _tells(sentence: str) -> bool:
    return not _BOILERPLATE.search(sentence) and not is_order(sentence)


def _newsworthy(sentence: str) -> float:
    tokens = [fold(word) for word in words(sentence)]
    told = 0.0 if _NEWS.isdisjoint(tokens) else 0.3
    dated = 0.2 if any(char.isdigit() for char in sentence) else 0.0
    leaning = 0.4 if tokens[:1] and tokens[0] in _POINTING else 0.0
    return 1.0 + told + dated - leaning


def _distinct(found: Sequence[str]) -> list[str]:
    distinct: dict[str, str] = {}
    for word in found:
        distinct.setdefault(fold(word), word)
    return list(distinct.values())
