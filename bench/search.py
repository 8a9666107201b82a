"""Search over 100,000 findings, warm, on SQLite: words, meaning and both, beside their floors.

    python -m bench.search [--findings 100000]

The floor of meaning is the bare product of matrix and vector in numpy, the floor of words the bare
FTS5 statement through sqlite3; both are measured in the same run, so that the ratio compares.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import numpy as np

from scout_cli.core.models import Finding, Scout
from scout_cli.llm.builtin import DIMENSIONS, LexicalEmbedder
from scout_cli.service.clocks import SystemClock
from scout_cli.service.findings import Findings
from scout_cli.service.meaning import Meaning
from scout_cli.store import findings, migrate, open_database, scouts, users, vectors, words
from scout_cli.store.database import Database

_WORDS = 4_000
_BATCH = 2_000
_ROUNDS = 20


def _vocabulary(chance: random.Random) -> list[str]:
    letters = "abcdefghijklmnoprstuvwz"
    return ["".join(chance.choices(letters, k=chance.randint(4, 9))) for _ in range(_WORDS)]


async def _fill(db: Database, number: int) -> None:
    chance = random.Random(1)
    numbers = np.random.default_rng(1)
    vocabulary = _vocabulary(chance)
    weights = [1 / (rank + 1) for rank in range(_WORDS)]
    owner, now = await users.local_owner(db), await db.now()
    scout = Scout(id=db.uuid(), user_id=owner.id, title="Bench", created_at=now, updated_at=now)
    await scouts.add(db, scout)
    for start in range(0, number, _BATCH):
        made = [
            Finding(
                id=db.uuid(),
                user_id=owner.id,
                scout_id=scout.id,
                execution_id=None,
                source=1,
                fact=" ".join(chance.choices(vocabulary, weights, k=14)),
                quote="",
                url="https://bench.example/",
                canonical_url=f"https://bench.example/{start + at}",
                host="bench.example",
                title="",
                novelty="new",
                created_at=now - timedelta(seconds=number - start - at),
            )
            for at in range(min(_BATCH, number - start))
        ]
        rows = numbers.standard_normal((len(made), DIMENSIONS)).astype("<f4")
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        async with db.transaction() as tx:
            await findings.add_many(tx, made)
            await vectors.put_many(
                tx,
                [
                    vectors.Embedding(
                        subject_kind="finding",
                        subject_id=each.id,
                        user_id=owner.id,
                        scout_id=scout.id,
                        embedder=LexicalEmbedder.name,
                        dimension=DIMENSIONS,
                        vector=row.tobytes(),
                    )
                    for each, row in zip(made, rows, strict=True)
                ],
            )


async def _timed(work: Callable[[str], Awaitable[object]], questions: list[str]) -> float:
    """Return the median of some questions in milliseconds."""
    taken = []
    for question in questions:
        began = time.perf_counter()
        await work(question)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def _floor_of_words(path: Path, questions: list[str]) -> float:
    sql = "SELECT id FROM finding_words WHERE finding_words MATCH ? ORDER BY rank LIMIT 50"
    taken = []
    connection = sqlite3.connect(path)
    for question in questions:
        query = " OR ".join(f'"{word}"' for word in question.split())
        began = time.perf_counter()
        connection.execute(sql, (query,)).fetchall()
        taken.append((time.perf_counter() - began) * 1000)
    connection.close()
    return statistics.median(taken)


def _floor_of_meaning(number: int) -> float:
    numbers = np.random.default_rng(2)
    matrix = numbers.standard_normal((number, DIMENSIONS)).astype("<f4")
    taken = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        cosines = matrix @ matrix[0]
        np.argpartition(-cosines, 50)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


async def measure(number: int) -> None:
    """Fill a database and print what a search takes, warm."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scout.db"
        db = await open_database(f"sqlite:///{path}", SystemClock())
        try:
            await migrate.migrate(db)
            await _fill(db, number)
            began = time.perf_counter()
            await words.bring_over(db)
            print(f"full text brought over   {(time.perf_counter() - began):8.1f} s")
            await _search(db, path, number)
        finally:
            await db.close()


async def _search(db: Database, path: Path, number: int) -> None:
    vocabulary = _vocabulary(random.Random(1))
    common = [" ".join(vocabulary[at : at + 2]) for at in range(_ROUNDS)]
    rare = [" ".join(vocabulary[500 + at : 503 + at]) for at in range(_ROUNDS)]
    embedder, meaning = LexicalEmbedder(), Meaning()

    async def opened() -> LexicalEmbedder:
        return embedder

    found = Findings(db, opened, meaning)
    owner = await found.owner()
    began = time.perf_counter()
    await found.search(rare[0])
    print(f"first search (cold)      {(time.perf_counter() - began):8.2f} s")
    for name, questions in (("rare words", rare), ("common words", common)):
        both = await _timed(found.search, questions)
        worded = await _timed(lambda text: words.ranked(db, owner, text, limit=50), questions)
        floor = _floor_of_words(path, questions)
        told = f"{both:8.1f} ms; words alone {worded:.1f} ms, bare FTS5 {floor:.1f} ms"
        print(f"{name:<24} {told}")
    meant = await _timed(lambda text: meaning.ranked(db, owner, embedder, text, limit=50), rare)
    floor = _floor_of_meaning(number)
    print(f"meaning alone            {meant:8.1f} ms; bare numpy {floor:.1f} ms")


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=100_000)
    asyncio.run(measure(parser.parse_args().findings))


if __name__ == "__main__":
    main()
