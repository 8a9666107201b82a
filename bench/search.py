"""Search over 100,000 findings: the first one of a process, and warm, on each kind of database.

SQLite, PostgreSQL, and PostgreSQL with the extension `vector`, which need the test requirements;
PostgreSQL keeps up to 512 MB in memory, where the vectors have room. The floor of meaning is the
bare product of matrix and vector in numpy, measured in the same run; `--version` is what a process
of the command line takes that does nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import numpy as np
from measure import Row, show

from scout_cli.core.models import Finding, Scout
from scout_cli.llm.builtin import DIMENSIONS, LexicalEmbedder
from scout_cli.service import meaning as meanings
from scout_cli.service.clocks import SystemClock
from scout_cli.service.findings import Findings
from scout_cli.service.meaning import Meaning
from scout_cli.store import findings, migrate, open_database, scouts, users, vectors, words
from scout_cli.store.database import Database
from tests import postgres as launcher

_WORDS = 4_000
_BATCH = 2_000
_ROUNDS = 20
_BUFFERS = "shared_buffers=512MB"
_PROCESSES = 5
_WARM, _FIRST = 100.0, 1_000.0
"""The goals, in milliseconds."""


def _vocabulary(chance: random.Random) -> list[str]:
    letters = "abcdefghijklmnoprstuvwz"
    return ["".join(chance.choices(letters, k=chance.randint(4, 9))) for _ in range(_WORDS)]


async def _fill(db: Database, number: int, repeats: int) -> None:
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
                novelty="repeat" if (start + at) % (repeats + 1) else "new",
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


def _floor(number: int) -> float:
    numbers = np.random.default_rng(2)
    matrix = numbers.standard_normal((number, DIMENSIONS)).astype("<f4")
    taken = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        cosines = matrix @ matrix[0]
        np.argpartition(-cosines, 50)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


@contextmanager
def _places() -> Iterator[dict[str, str]]:
    """Yield the URL of an empty database of each kind."""
    with tempfile.TemporaryDirectory() as folder:
        found = {"sqlite": f"sqlite:///{folder}/scout.db"}
        install = launcher.wheel()
        if install is None:
            yield found
            return
        server = launcher.start(install, _BUFFERS)
        try:
            found["postgresql"] = server.url(server.create())
            name = server.create()
            server.sql(name, "CREATE EXTENSION vector")
            yield {**found, "postgresql with vector": server.url(name)}
        finally:
            server.stop()


async def _measured(kind: str, url: str, number: int, repeats: int, floor: float) -> list[Row]:
    """Fill a database and measure searches in it."""
    db = await open_database(url, SystemClock())
    try:
        await migrate.migrate(db)
        await _fill(db, number, repeats)
        began = time.perf_counter()
        await words.bring_over(db)
        await meanings.pack_all(db)
        ordered = time.perf_counter() - began
        rows = [Row(what=f"{kind}: put in order, once", value=ordered, unit="s")]
        rows += await _warm(kind, db, floor)
    finally:
        await db.close()
    return [*rows, *_cold(kind, url)]


async def _warm(kind: str, db: Database, floor: float) -> list[Row]:
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
    first = (time.perf_counter() - began) * 1000
    rows = [Row(what=f"{kind}: first search", value=first, unit="ms", goal=_FIRST)]
    for name, questions in (("rare words", rare), ("common words", common)):
        taken = await _timed(found.search, questions)
        rows.append(Row(what=f"{kind}: warm, {name}", value=taken, unit="ms", goal=_WARM))
    meant = await _timed(lambda text: meaning.ranked(db, owner, embedder, text, limit=50), rare)
    what = f"{kind}: warm, meaning alone"
    rows.append(Row(what=what, value=meant, unit="ms", times_floor=meant / floor))
    return rows


def _cold(kind: str, url: str) -> list[Row]:
    """Return what `scout search` takes as a process, beside a process that does nothing."""
    env = {**os.environ, "SCOUT_DATABASE_URL": url, "SCOUT_EMBED_URL": "builtin://"}
    search = _process(["search", "absent words", "--json"], env)
    nothing = _process(["--version"], env)
    return [
        Row(what=f"{kind}: scout search", value=search, unit="ms", goal=_FIRST),
        Row(what=f"{kind}: scout --version", value=nothing, unit="ms"),
    ]


def _process(arguments: list[str], env: dict[str, str]) -> float:
    command, taken = [sys.executable, "-m", "scout_cli", *arguments], []
    for _ in range(_PROCESSES):
        began = time.perf_counter()
        subprocess.run(command, env=env, check=True, capture_output=True)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def main() -> int:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=0, help="held back, for each told (0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    floor = _floor(given.findings)
    rows = [Row(what="bare numpy", value=floor, unit="ms")]
    with _places() as places:
        for kind, url in places.items():
            rows += asyncio.run(_measured(kind, url, given.findings, given.repeats, floor))
    return show(f"Searching {given.findings:,} findings", rows, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
