"""The search engine of the demo web: full text in SQLite FTS5, answers in SearXNG's words.

Source: docs.searxng.org/dev/search_api.html and sqlite.org/fts5.html (bm25).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from scout_cli.core.models import Record
from scout_cli.demo.pages import Leaf

PAGE_SIZE = 10
"""Results on one page of answers; `pageno` turns the pages."""

_WORD = re.compile(r"\w+")
_IGNORED = frozenset(
    "a an and are as at be between by for from how in is it its new news not of on or that the "
    "their this to was what when where which who why will with".split()
)
_DAYS = {"day": 1, "week": 7, "month": 31, "year": 366}
_TAIL = 0.25
"""Results that score less than this share of the best one are noise and are left out."""

_TABLE = """
CREATE VIRTUAL TABLE pages USING fts5(
  host UNINDEXED, path UNINDEXED, language UNINDEXED, published UNINDEXED, day UNINDEXED,
  title, body, tokenize = 'porter unicode61')
"""
_INSERT = "INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)"
_SEARCH = """
SELECT host, path, published, title, snippet(pages, 6, '', '', ' … ', 28) AS extract,
       -bm25(pages, 0, 0, 0, 0, 0, 4.0, 1.0) AS score
FROM pages
WHERE pages MATCH ? AND day <= ? AND (? = '' OR language = ?) AND (? = '' OR published >= ?)
ORDER BY score DESC, host, path
"""


class Question(Record, frozen=True, kw_only=True):
    """One search, as the query string of the search page spells it."""

    text: str
    day: int
    """The day of the demo on which it is asked."""
    now: datetime
    time_range: str = ""
    """Empty, or one of day, week, month, year."""
    language: str = ""
    """BCP 47 tag; empty, `all` and `auto` mean any."""
    pageno: int = 1


class Index:
    """A search engine in memory over the pages of the demo web."""

    def __init__(self, leaves: Iterable[tuple[Leaf, str]]) -> None:
        """Index the pages.

        Args:
            leaves: each page with the language of its site.
        """
        self._db = sqlite3.connect(":memory:")
        self._db.execute(_TABLE)
        self._db.executemany(_INSERT, (_row(leaf, language) for leaf, language in leaves))

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()

    def search(self, question: Question, port: int) -> dict[str, Any]:
        """Answer a search in the shape of SearXNG's JSON format.

        Args:
            question: what is asked.
            port: the port of the demo web, part of every address in the answer.
        """
        rows = self._rows(question)
        first = (question.pageno - 1) * PAGE_SIZE
        shown = rows[first : first + PAGE_SIZE]
        return {
            "query": question.text,
            "number_of_results": len(rows),
            "results": [_result(row, first + place, port) for place, row in enumerate(shown, 1)],
            "answers": [],
            "corrections": [],
            "infoboxes": [],
            "suggestions": [],
            "unresponsive_engines": [],
        }

    def _rows(self, question: Question) -> list[tuple[Any, ...]]:
        words = [w for w in _WORD.findall(question.text.lower()) if w not in _IGNORED]
        if not words:
            return []
        language = question.language.partition("-")[0].lower()
        language = "" if language in {"all", "auto"} else language
        since = _since(question)
        match = " OR ".join(f'"{word}"' for word in words)
        values = (match, question.day, language, language, since, since)
        rows = self._db.execute(_SEARCH, values).fetchall()
        return [row for row in rows if row[5] >= _TAIL * rows[0][5]]


def _row(leaf: Leaf, language: str) -> tuple[Any, ...]:
    front = leaf.front
    published = front.published.isoformat() if front.published else ""
    return leaf.host, leaf.path, language, published, front.day, front.title, leaf.text


def _since(question: Question) -> str:
    # Search engines count in calendar days: "the last day" holds all of yesterday.
    days = _DAYS.get(question.time_range)
    return "" if days is None else (question.now - timedelta(days=days)).date().isoformat()


def _result(row: tuple[Any, ...], place: int, port: int) -> dict[str, Any]:
    host, path, published, title, extract, score = row
    return {
        "url": f"http://{host}:{port}{path}",
        "title": title,
        "content": extract,
        "publishedDate": published or None,
        "engine": "demo",
        "engines": ["demo"],
        "positions": [place],
        "score": round(score, 4),
        "category": "general",
    }
