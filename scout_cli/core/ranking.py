"""Which results to read first: rank fusion of several searches, then relevance to the goal.

Sources: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009);
Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion" (SIGIR 2009).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from scout_cli.core import urls
from scout_cli.core.models import Record
from scout_cli.core.ports import Habits, Hit
from scout_cli.core.tastes import WEIGHT, liking
from scout_cli.core.words import terms, topic_terms

_FUSION_K = 60
_PRIMARY = re.compile(
    r"\b(press|release|announce|announcement|changelog|statement|official|notice|advisory|"
    r"pressemitteilung|communique|comunicado)",
    re.IGNORECASE,
)
_COMMENTARY = re.compile(
    r"\b(opinion|analysis|comment|commentary|review|reaction|explainer|column|editorial|kommentar|"
    r"meinung|tribune|opinión)",
    re.IGNORECASE,
)


class Candidate(Record, frozen=True, kw_only=True):
    """A page that may be read, with the reasons for and against."""

    hit: Hit
    canonical_url: str
    score: float = 0.0
    pinned: bool = False
    """A fixed URL of the scout: read first, whatever its score."""


def bm25(query: Sequence[str], documents: Sequence[Sequence[str]]) -> list[float]:
    """Return one relevance score per document, 0 for no common term.

    Args:
        query: terms of the question.
        documents: terms of each document.
    """
    if not documents:
        return []
    k1, b = 1.2, 0.75
    counts = [Counter(document) for document in documents]
    average = sum(map(len, documents)) / len(documents) or 1.0
    scores = [0.0] * len(documents)
    for term in dict.fromkeys(query):
        holders = sum(term in count for count in counts)
        if not holders:
            continue
        weight = math.log(1 + (len(documents) - holders + 0.5) / (holders + 0.5))
        for at, count in enumerate(counts):
            if frequency := count[term]:
                length = k1 * (1 - b + b * len(documents[at]) / average)
                scores[at] += weight * frequency * (k1 + 1) / (frequency + length)
    return scores


def fuse(rankings: Sequence[Sequence[Hit]]) -> list[Candidate]:
    """Merge several result lists by reciprocal rank fusion, one candidate per canonical URL.

    The first title, snippet and date seen for a page are kept; ties keep the order of arrival.
    """
    merged: dict[str, Candidate] = {}
    keys: dict[str, str] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, 1):
            key = keys.get(hit.url) or keys.setdefault(hit.url, urls.canonical(hit.url))
            known = merged.get(key)
            gain = 1 / (_FUSION_K + rank)
            if known is None:
                merged[key] = Candidate(hit=hit, canonical_url=key, score=gain)
            else:
                merged[key] = replace(known, hit=_richer(known.hit, hit), score=known.score + gain)
    return sorted(merged.values(), key=lambda candidate: -candidate.score)


def _richer(first: Hit, second: Hit) -> Hit:
    dated = first if first.published_at or not second.published_at else second
    return replace(
        first,
        title=first.title or second.title,
        snippet=first.snippet or second.snippet,
        published_at=dated.published_at,
        published_from=dated.published_from,
    )


def rank(
    candidates: Sequence[Candidate], goal: str, now: datetime, habits: Habits | None = None
) -> list[Candidate]:
    """Order candidates by relevance to the goal, freshness, and primary source before commentary.

    Args:
        candidates: the outcome of `fuse`.
        goal: the wish in plain words.
        now: the present, for freshness.
        habits: what the user liked; None for nothing said.
    """
    query = topic_terms(goal)
    texts = [terms(f"{c.hit.title} {c.hit.title} {c.hit.snippet}") for c in candidates]
    relevance = _scaled(bm25(query, texts))
    fusion = _scaled([candidate.score for candidate in candidates])
    scored = [
        replace(
            candidate,
            score=0.55 * relevance[at]
            + 0.2 * fusion[at]
            + 0.15 * _freshness(candidate.hit.published_at, now)
            + 0.1 * _primacy(candidate.hit, query)
            + _liked(candidate.hit, habits),
        )
        for at, candidate in enumerate(candidates)
    ]
    return sorted(scored, key=lambda candidate: (not candidate.pinned, -candidate.score))


def choose(ranked: Sequence[Candidate], limit: int) -> list[Candidate]:
    """Take at most `limit` candidates, one host not more than its share.

    A host's share is a third of the limit, at least two; it gets more only when the other hosts
    have nothing left.
    """
    share = max(2, math.ceil(limit / 3))
    taken: list[Candidate] = []
    waiting: list[Candidate] = []
    per_host: Counter[str] = Counter()
    for candidate in ranked:
        host = urls.host_of(candidate.hit.url)
        if candidate.pinned or per_host[host] < share:
            taken.append(candidate)
            per_host[host] += 1
        else:
            waiting.append(candidate)
    return (taken + waiting)[:limit]


def _scaled(scores: Sequence[float]) -> list[float]:
    top = max(scores, default=0.0)
    return [score / top if top else 0.0 for score in scores]


def _freshness(published: datetime | None, now: datetime) -> float:
    if published is None:
        return 0.3
    days = max(0.0, (now - published).total_seconds() / 86_400)
    return float(0.5 ** (days / 7))


def _liked(hit: Hit, habits: Habits | None) -> float:
    if habits is None or not (habits.hosts or habits.terms):
        return 0.0
    return WEIGHT * liking(habits, urls.host_of(hit.url), f"{hit.title} {hit.snippet}")


def _primacy(hit: Hit, query: Sequence[str]) -> float:
    if _COMMENTARY.search(hit.title):
        return 0.0
    host = urls.host_of(hit.url)
    own_site = any(len(term) > 3 and term in host for term in query)
    return 1.0 if own_site or _PRIMARY.search(f"{hit.title} {hit.url}") else 0.5
