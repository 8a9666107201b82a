"""The full text of findings: the words of each, folded by scout itself, searched by the database.

SQLite has them in an FTS5 table, PostgreSQL in a GIN index of its simple configuration. Words are
made the same for both by `core.words`, so that a language without spaces is searched in pairs of
characters, and no operator of either query language is ever in them. A sign that makes a name is
spelled out, what signs hold together is a word as well: C++ is found as `cplusplus`, Wi-Fi as
`wifi`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from uuid import UUID

from scout_cli.core.models import Novelty, Record
from scout_cli.core.words import fold, terms, words
from scout_cli.store.database import Connection
from scout_cli.store.statements import placeholders

CANDIDATES = 2_000
"""The newest findings with one of the words; these are ranked. A word that more have says little.
"""
_BATCH = 500

_SIGNED = re.compile(r"\b([^\W\d_]+)(\+{1,2}|#)(?![\w+#])")
_GLUED = re.compile(r"[^\W\d_]+(?:[&.-][^\W\d_]+)+")
_SIGNS = str.maketrans({"+": "plus", "#": "sharp", "&": "", ".": "", "-": ""})
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})+")

_SQLITE = """
    SELECT m.id FROM (
        SELECT id, bm25(finding_words, 0, 0, 1) AS score FROM finding_words
        WHERE finding_words MATCH $1 ORDER BY rowid DESC LIMIT $2) m
    ORDER BY m.score, m.id LIMIT $3
"""
_POSTGRESQL = """
    SELECT m.id FROM (
        SELECT f.id,
            ts_rank(to_tsvector('simple', f.terms), to_tsquery('simple', $1), 1) AS score
        FROM scout_findings f
        WHERE to_tsvector('simple', f.terms) @@ to_tsquery('simple', $1)
            AND f.user_id = $4 {only}
        ORDER BY f.created_at DESC, f.id DESC LIMIT $2) m
    ORDER BY m.score DESC, m.id LIMIT $3
"""


class _Due(Record, frozen=True, kw_only=True):
    finding_id: UUID
    user_id: UUID | None
    scout_id: UUID | None
    novelty: str | None
    terms: str | None

    @property
    def key(self) -> str:
        """Return the words by which a search finds it among others, as in 0008_words."""
        whose = (each.hex for each in (self.finding_id, self.user_id, self.scout_id) if each)
        return " ".join((*whose, _plain(self.novelty or "")))


def indexed(*texts: str) -> str:
    """Return the words that some texts are found by, each once, as the database keeps them."""
    return " ".join(dict.fromkeys(word for text in texts for word in _words(text)))


def asked(text: str) -> list[str]:
    """Return the words that a question looks for; quotes and operators are not words.

    Earlier spellings are among them, for findings that were stored before scout folded them, read
    decimals, or knew that ferries are more than one ferry.
    """
    earlier = [_plain(term) for term in terms(text)]
    for word in words(text):
        folded = fold(word)
        earlier += [_plain(word.lower())] if folded != word.lower() else []
        earlier += [_plain(folded[:-1])] if folded.endswith("ies") else []
    return list(dict.fromkeys(word for word in (*_words(text), *earlier) if word))


async def ranked(
    db: Connection,
    user_id: UUID,
    text: str,
    *,
    scout_ids: Sequence[UUID] = (),
    novelty: Sequence[Novelty] = (),
    limit: int,
) -> list[UUID]:
    """Return the findings that have words of `text`, best first.

    Args:
        db: the database.
        user_id: the owner.
        text: any text; every word of it counts, none is an operator.
        scout_ids: of these scouts only; empty for all.
        novelty: of these kinds only; empty for all.
        limit: how many at most.
    """
    found = asked(text)
    if not found:
        return []
    if db.kind == "sqlite":
        await bring_over(db)
        query = _matching(found, user_id, scout_ids, novelty)
        return await db.all(UUID, _SQLITE, query, CANDIDATES, limit)
    args: list[object] = [" | ".join(found), CANDIDATES, limit, user_id]
    only = ""
    for column, wanted in (("scout_id", scout_ids), ("novelty", novelty)):
        if wanted:
            only += f" AND f.{column} IN ({placeholders(wanted, first=len(args) + 1)})"
            args += wanted
    return await db.all(UUID, _POSTGRESQL.format(only=only), *args)


def _matching(
    found: Sequence[str], user_id: UUID, scout_ids: Sequence[UUID], novelty: Sequence[Novelty]
) -> str:
    """Return the query of FTS5 for findings with one of these words, of one user."""
    given: list[tuple[str, Sequence[str]]] = [
        ("terms", found),
        ("key", [user_id.hex]),
        ("key", [each.hex for each in scout_ids]),
        ("key", [_plain(each) for each in novelty]),
    ]
    return " AND ".join(
        f"{column} : (" + " OR ".join(f'"{word}"' for word in wanted) + ")"
        for column, wanted in given
        if wanted
    )


async def bring_over(db: Connection) -> int:
    """Bring what was stored and deleted since the last time into the full text of SQLite.

    Returns:
        How many findings were brought over or taken out; 0 on PostgreSQL, whose index is its own.
    """
    if db.kind != "sqlite":
        return 0
    total = 0
    while due := await db.all(_Due, _NEXT, _BATCH):
        await _bring(db, due)
        total += len(due)
    return total


_NEXT = """
    SELECT d.finding_id, f.user_id, f.scout_id, f.novelty, f.terms FROM finding_words_due d
    LEFT JOIN scout_findings f ON f.id = d.finding_id
    ORDER BY d.rowid LIMIT $1
"""


async def _bring(db: Connection, due: Sequence[_Due]) -> None:
    async with db.transaction() as tx:
        await tx.executemany(
            "DELETE FROM finding_words WHERE finding_words MATCH $1",
            [(f"key : {each.finding_id.hex}",) for each in due],
        )
        await tx.executemany(
            "INSERT INTO finding_words (id, key, terms) VALUES ($1, $2, $3)",
            [(e.finding_id, e.key, e.terms) for e in due if e.terms is not None],
        )
        await tx.executemany(
            "DELETE FROM finding_words_due WHERE finding_id = $1",
            [(each.finding_id,) for each in due],
        )


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text as they are kept, what signs join or end as a word of its own."""
    for term in (*terms(text), *terms(" ".join(_joined(text)))):
        if word := _plain(_number(term)):
            yield word


def _joined(text: str) -> Iterator[str]:
    """Yield `cplusplus` for C++, `wifi` for Wi-Fi, `att` for AT&T."""
    for pattern in (_SIGNED, _GLUED):
        for match in pattern.finditer(text):
            yield match[0].translate(_SIGNS)


def _number(term: str) -> str:
    """Return a number in one spelling: 1,500 and 1.500 are 1500, and 12,50 is 12.50."""
    if _THOUSANDS.fullmatch(term):
        return _plain(term).replace("x", "")
    return term.replace(",", ".")


def _plain(term: str) -> str:
    """Return the letters and digits of a term: one word for either database."""
    return "".join(char if char.isalnum() else "x" if char == "." else "" for char in term)
