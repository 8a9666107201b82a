"""Takes out one guarantee at a time, in a copy of scout: the chaos tests must notice.

`python -m tests.chaos.mutations` tries all of them and prints a line of JSON for each.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.harness import Outcome

_ROOT = Path(__file__).resolve().parents[2]
_FAILED = 1
"""pytest's exit code when tests ran and some failed; anything else is no proof."""


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One guarantee less."""

    name: str
    path: str
    old: str
    new: str
    test: str
    """Which file of tests must fail."""


MUTATIONS = (
    Mutation(
        name="no fence",
        path="scout_cli/store/executions.py",
        old="LIVE = \"id = $1 AND fence = $2 AND state = 'running'\"",
        new="LIVE = \"id = $1 AND fence >= $2 AND state = 'running'\"",
        test="test_pauses.py",
    ),
    Mutation(
        name="news in a transaction of its own",
        path="scout_cli/service/attempts.py",
        old="                await self._notices.tell(tx, current, ended, result)\n",
        new="            async with self._db.transaction() as tx:\n"
        "                await self._notices.tell(tx, current, ended, result)\n",
        test="test_kills.py",
    ),
    Mutation(
        name="slots are not unique",
        path="scout_cli/store/migrations/0002_scheduler.sql",
        old="CREATE UNIQUE INDEX scout_executions_slot",
        new="CREATE INDEX scout_executions_slot",
        test="test_schedulers.py",
    ),
    Mutation(
        name="a new key for every attempt",
        path="scout_cli/service/news.py",
        old='    return sha256(f"{channel_id} {batch}".encode()).hexdigest()[:32]',
        new="    return __import__('secrets').token_hex(16)",
        test="test_kills.py",
    ),
)


def unnoticed(mutation: Mutation, *, kind: str = "sqlite") -> Outcome:
    """Run the short form of a chaos test against a scout without one of its guarantees.

    Args:
        mutation: which one is missing.
        kind: the database to test on.

    Returns:
        An outcome whose fault is that the test passed, or did not run.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="scout-mutant-") as folder:
        mutant = Path(folder)
        for name in ("scout_cli", "tests"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(_ROOT / name, mutant / name, ignore=ignored)
        shutil.copy(_ROOT / "pyproject.toml", mutant)
        _mutate(mutant / mutation.path, mutation)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"),
                *("-m", "chaos", "-k", kind, f"tests/chaos/{mutation.test}"),
            ],
            cwd=mutant,
            capture_output=True,
            text=True,
            check=False,
        )
    noticed = done.returncode == _FAILED and "AssertionError" in done.stdout
    return Outcome(
        test=f"without: {mutation.name}",
        database=kind,
        seed=0,
        seconds=time.monotonic() - began,
        counts={"tests": mutation.test, "noticed": noticed},
        faults={"unnoticed": int(not noticed)},
        details=[] if noticed else [done.stdout[-2_000:] + done.stderr[-1_000:]],
    )


def _mutate(path: Path, mutation: Mutation) -> None:
    text = path.read_text()
    assert text.count(mutation.old) == 1, f"{mutation.path} has changed: {mutation.name}"
    path.write_text(text.replace(mutation.old, mutation.new))


if __name__ == "__main__":
    survived = False
    for each in MUTATIONS:
        outcome = unnoticed(each)
        sys.stdout.write(outcome.line + "\n")
        survived = survived or any(outcome.faults.values())
    sys.exit(int(survived))
