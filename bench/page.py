"""Write docs/reference/benchmarks.md: every benchmark, run now on this machine.

python bench/page.py                all of them, which takes some three hours
python bench/page.py search soak    only these; the others stay as they are
python bench/page.py "soak --postgres"    a name may have an option
python bench/page.py --peers DIR    beside other programs, which are installed there
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
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
    "search": False,
    "novelty": False,
    "soak": False,
    "soak --postgres": False,
}
"""The benchmarks, with their options, as the page has them, and whether peers are measured too."""
_OF_A_ROW = ("bench", "rows", "python", "system")

_HEAD = """# Benchmarks

<!-- Written by bench/page.py. -->

Last measured on a machine with {cores} cores, Python {python}. Times differ from machine to
machine and from hour to hour; so tables of times have a floor, the least that anything could take,
measured in the same run, and the figures to compare are the ratios to it. A goal is what the figure
must not exceed; one that does not depend on the machine fails the benchmark when it is missed.

`python bench/NAME.py --json` prints one of them as JSON, and `python bench/page.py --peers DIR`
writes this page anew, with the peers installed from PyPI below `DIR`.
"""


def main() -> None:
    """Run all or some, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCRIPTS)}")
    parser.add_argument("--peers", metavar="DIR", help="install peers there, measure them too")
    given = parser.parse_args()
    if strange := set(given.names) - SCRIPTS.keys():
        parser.error(f"no benchmark of the page: {', '.join(sorted(strange))}")
    sections = written(PAGE.read_text("utf-8")) if given.names else {}
    for name in given.names or SCRIPTS:
        more = ["--peers", given.peers] if given.peers and SCRIPTS[name] else []
        sections[name] = section(name, _measure(name, more))
    PAGE.write_text(text(sections), "utf-8")


def written(page: str) -> dict[str, str]:
    """Return the sections of a page by the name of their benchmark."""
    parts = [f"## {part.strip()}\n" for part in page.split("\n## ")[1:]]
    names = (part.partition("`bench/")[2].partition("`")[0] for part in parts)
    return {name.replace(".py", "", 1): part for name, part in zip(names, parts, strict=True)}


def text(sections: dict[str, str]) -> str:
    """Return the page.

    Args:
        sections: name of the benchmark to what is said of it.
    """
    head = _HEAD.format(cores=os.cpu_count(), python=platform.python_version())
    return "\n".join([head, *(sections[name] for name in SCRIPTS if name in sections)])


def _measure(name: str, more: list[str]) -> dict[str, Any]:
    command = [sys.executable, str(_script(name)), *name.split()[1:], "--json", *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:  # a missed goal is printed and ends with 1; without words it broke
        raise SystemExit(f"{name} could not be measured")
    return json.loads(done.stdout)


def section(name: str, document: dict[str, Any]) -> str:
    """Return a table of what a benchmark printed with `--json`, and what it says of itself."""
    said = ast.get_docstring(ast.parse(_script(name).read_text())) or ""
    about = said.partition("\n")[2].strip().replace("\n", " ") or said
    rows = "\n".join(_line(Row(**row)) for row in document["rows"])
    notes = {key: value for key, value in document.items() if key not in _OF_A_ROW}
    listed = "".join(f"- {key}: {value}\n" for key, value in notes.items())
    table = f"| what | measured | × floor | goal | |\n|---|---:|---:|---:|---|\n{rows}\n"
    called = " ".join([_script(name).name, *name.split()[1:]])
    return f"## {document['bench']}\n\n`bench/{called}`. {about}\n\n{table}" + (
        f"\n{listed}" if listed else ""
    )


def _line(row: Row) -> str:
    measured = f"{row.value:,.0f} {row.unit}".strip()
    floor = "" if row.times_floor is None else f"{row.times_floor:.2f}"
    goal = "" if row.goal is None else f"{row.goal:,.0f}"
    return f"| {row.what} | {measured} | {floor} | {goal} | {row.verdict} |"


def _script(name: str) -> Path:
    return ROOT / "bench" / f"{name.split(maxsplit=1)[0]}.py"


if __name__ == "__main__":
    main()
