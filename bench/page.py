"""Write docs/reference/benchmarks.md: every benchmark, run now on this machine.

python bench/page.py                the benchmarks as `make bench` runs them
python bench/page.py --peers DIR    beside other programs, which are installed there
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from measure import ROOT, Row

PAGE = ROOT / "docs" / "reference" / "benchmarks.md"
SCRIPTS = {
    "startup": True,
    "overhead": False,
    "economy": False,
    "fetching": True,
    "scheduling": False,
}
"""The benchmarks in the order of the page, and whether peers are measured beside."""
_OF_A_ROW = ("bench", "rows", "python", "system")

_HEAD = """# Benchmarks

<!-- Written by bench/page.py. -->

Last measured on a machine with {cores} cores, Python {python}. Times differ from machine to
machine and from hour to hour; so each table of times has a floor, the least that anything could
take, measured in the same run, and the figures to compare are the ratios to it. A goal is what the
figure must not exceed; one that does not depend on the machine fails the benchmark when it is
missed.

`make bench` prints these tables without the peers, `python bench/NAME.py --json` one of them as
JSON, and `python bench/page.py --peers DIR` writes this page anew, with the peers installed from
PyPI below `DIR`.
"""


def main() -> None:
    """Run all and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", metavar="DIR", help="install peers there, measure them too")
    given = parser.parse_args()
    measured = {}
    for name, has_peers in SCRIPTS.items():
        more = ["--peers", given.peers] if given.peers and has_peers else []
        measured[name] = _measure(name, more)
    PAGE.write_text(text(measured))


def text(measured: dict[str, dict[str, Any]]) -> str:
    """Return the page.

    Args:
        measured: name of the benchmark to what it printed with `--json`.
    """
    python = next(iter(measured.values()))["python"]
    parts = [_HEAD.format(cores=os.cpu_count(), python=python)]
    parts += [_section(name, document) for name, document in measured.items()]
    return "\n".join(parts)


def _measure(name: str, more: list[str]) -> dict[str, Any]:
    command = [sys.executable, str(_script(name)), "--json", *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:  # a missed goal is printed and ends with 1; without words it broke
        raise SystemExit(f"{name} could not be measured")
    return json.loads(done.stdout)


def _section(name: str, document: dict[str, Any]) -> str:
    said = ast.get_docstring(ast.parse(_script(name).read_text())) or ""
    about = said.partition("\n")[2].strip().replace("\n", " ") or said
    rows = "\n".join(_line(Row(**row)) for row in document["rows"])
    notes = {key: value for key, value in document.items() if key not in _OF_A_ROW}
    listed = "".join(f"- {key}: {value}\n" for key, value in notes.items())
    table = f"| what | measured | × floor | goal | |\n|---|---:|---:|---:|---|\n{rows}\n"
    return f"## {document['bench']}\n\n`bench/{name}.py`. {about}\n\n{table}" + (
        f"\n{listed}" if listed else ""
    )


def _line(row: Row) -> str:
    measured = f"{row.value:,.0f} {row.unit}".strip()
    floor = "" if row.times_floor is None else f"{row.times_floor:.2f}"
    goal = "" if row.goal is None else f"{row.goal:,.0f}"
    return f"| {row.what} | {measured} | {floor} | {goal} | {row.verdict} |"


def _script(name: str) -> Path:
    return ROOT / "bench" / f"{name}.py"


if __name__ == "__main__":
    main()
