# ruff: noqa: INP001 - a script beside the page that it writes, not a package
"""Write the page of what was done to scout, and what it came to, from the recorded chaos runs.

python docs/reliability.py            write it from bench/reliability.jsonl
python docs/reliability.py --check    exit 1 when it is out of date
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "bench" / "reliability.jsonl"
PAGE = ROOT / "docs" / "reference" / "reliability.md"

_HEAD = """# Reliability

<!-- Written by docs/reliability.py from bench/reliability.jsonl. -->

Real processes, real databases, real signals: what was done to scout, and what it came to. Each
column is the newest recorded run of `python -m tests.chaos --record bench/reliability.jsonl`; the
same scenarios run in a short form before every change. Model, search engine and web are canned;
database, scheduler, worker, outbox and webhooks are the ones that ship.

After each scenario the database is examined for everything that can never be (`scout doctor
--integrity`), and a receiver that keeps ids tells what arrived.

## What is claimed

- **Every slot runs once.** A run whose process dies is taken over and finished by another one; what
  it had been told by search engine and web is not asked again.
- **Every finding arrives, under one key.** A process that dies between sending a message and noting
  that it was sent leads to the same message again, with the same `webhook-id`. Such repeats are
  counted below as *wire repeats*. A receiver that keeps the ids it has seen is told once.

## What is not claimed

- That nothing comes twice where a receiver keeps no ids: plain SMTP, Telegram, ntfy and Apprise are
  at least once. `doubt=hold` in a channel's URL leaves such a message to a person instead.
- That a run which kills its process is tried for ever: after three deaths it has failed, visibly.
  In these tests no run is to blame for its death, so that limit is lifted.
- That a power cut loses nothing: processes and the database server die here, the machine does not.
- Times: they are those of the machine that the line names, under a load that it can hardly bear.
"""
_NOTES = {
    "ticks": """Two crons under kill -9

Two crons start `scout tick` a second after the last one ended, whatever ended it, while a
killer goes round. Some scouts are due once, others every full minute.""",
    "kills": """SIGKILL of workers

`kills` workers are killed from outside at random moments; `own_deaths` more kill themselves at
the worst ones: while a result is stored, and when a message has arrived and nobody has noted
that yet. `runs_killed` counts the runs that were under way.""",
    "pauses": """SIGSTOP past the lease

Workers are frozen for longer than their lease and go on; `before_storing` of them freeze just
before they store a result and wake when another one is at work on the same run. `fences_held`
counts the runs that noticed they were no longer theirs.""",
    "restarts": """Crashes of PostgreSQL

The server is pulled down at once, under load, and started again. A recovery is the time from
the crash to the end of the next run. Runs that were cut short wait a second for their retry
here, a minute in the real world.""",
    "schedulers": """Many schedulers at once

Processes queue and claim the same due slots. Then every scout is set back to the slot that it
has just run, and they do so again.""",
    "calendar": """Two years of calendars

Every slot of every rhythm in every zone, through all changes of daylight saving, a leap day and
short months; compared with the days that a calendar names.""",
    "almanac": """The scheduler and the clock

The real scheduler lives through the calendar; then its clock leaps a day on, a day back and ten
years on, and comes back. At most one run too many per scout and leap.""",
    "faults": """Faults of the outside

Models that refuse, hang, break off or talk nonsense, broken vectors, search engines that limit
or flood, receivers that fail in every way. Each ends in time in the right state; no scout is
blamed; the other channel is told at once.""",
    "disk": """A full disk

A small disk is filled and freed while scout writes.""",
    "without": """The tests can fail

One guarantee at a time is taken out of a copy of scout; the named test must notice.""",
}
_HIDDEN = {"test", "database", "details"}


def page() -> str:
    """Return the page."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for line in RECORD.read_text().splitlines():
        row = json.loads(line)
        newest[row["test"], row["database"]] = row
    parts = [_HEAD.rstrip()]
    for name, note in _NOTES.items():
        rows = [row for (test, _), row in newest.items() if _kind(test) == name]
        if rows:
            parts += [f"## {note}", _table(rows)]
    return "\n\n".join(parts) + "\n"


def _kind(test: str) -> str:
    if test.startswith("without: "):
        return "without"
    return "disk" if "disk" in test else test


def _table(rows: list[dict[str, Any]]) -> str:
    """Return scenarios as columns, what was done and seen as lines."""
    heads = [row["test"] if row["test"].startswith("without") else "" for row in rows]
    names = [f"{head} {row['database']}".strip() for head, row in zip(heads, rows, strict=True)]
    keys = list(dict.fromkeys(key for row in rows for key in row if key not in _HIDDEN))
    lines = [f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(rows)}"]
    for key in keys:
        cells = (_cell(row.get(key)) for row in rows)
        lines.append(f"| {key.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    text = page()
    if given.check:
        current = PAGE.read_text() if PAGE.exists() else ""
        if current != text:
            sys.stderr.write(f"{PAGE.relative_to(ROOT)} is out of date: python {sys.argv[0]}\n")
        return int(current != text)
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
