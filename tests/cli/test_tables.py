"""Tables fit the terminal: the least important columns go first, the id never."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.cli import tables
from scout_cli.cli.tables import Column
from tests.cli.planted import plant
from tests.cli.stage import command
from tests.cli.terminal import on_terminal

ROOT = Path(__file__).parents[2]
LONG = "A title of some length that a narrow terminal has to break into several lines"

SHOWN = {
    ("list", 40): "id title next run",
    ("list", 80): "id title last run outcome next run findings",
    ("list", 200): "id title rhythm last run outcome next run findings",
    ("history", 40): "run started outcome",
    ("history", 80): "run started took outcome new summary",
    ("history", 200): "run scout started took outcome new repeats pages unread tokens summary",
    ("findings", 40): "id found fact",
    ("findings", 80): "id found status fact source",
    ("findings", 200): "id found status scout fact source published url",
}


@pytest.fixture
def env(isolated):
    """Return the environment of a process."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TZ": "UTC"}


@pytest.mark.parametrize(("name", "width"), SHOWN)
def test_a_table_fits_its_terminal(env, tmp_path, name, width):
    """No line is longer than the terminal; the columns that matter are whole, ids above all."""
    plant(title=LONG)
    words = [name, *(["--status", "all"] if name == "findings" else [])]
    seen = on_terminal(command(*words), env, tmp_path, width=width)
    head, *body = [line for line in seen.lines if line]
    assert seen.code == 0
    assert max(map(len, seen.lines)) <= width
    assert " ".join(head.split()) == SHOWN[name, width]
    ids = [line.split()[0] for line in body if line[0] != " "]
    assert len(ids) == {"list": 2, "history": 3, "findings": 4}[name]
    assert {len(each) for each in ids} == {8}
    assert "\N{HORIZONTAL ELLIPSIS}" not in seen.text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_exact_times_fit_as_well(env, tmp_path, width):
    """A time is shown whole or not at all."""
    plant(title=LONG)
    for name in ("list", "history", "findings"):
        seen = on_terminal(command(name, "--utc"), env, tmp_path, width=width)
        assert max(map(len, seen.lines)) <= width
        assert "\N{HORIZONTAL ELLIPSIS}" not in seen.text
        assert "ago" not in seen.text


_COLUMNS = st.lists(
    st.tuples(st.integers(1, 12), st.booleans(), st.integers(1, 60), st.integers(1, 90)),
    max_size=10,
)


@given(_COLUMNS, st.integers(8, 300))
def test_columns_are_chosen_by_rank(made, room):
    """What is kept fits, unless it is the id alone; nothing kept ranks behind what was dropped."""
    columns = [Column("id"), *(Column("t", rank, wide, least) for rank, wide, least, _ in made)]
    widths = [8, *(width for *_, width in made)]
    kept = tables.chosen(columns, widths, room)
    needs = [
        min(width, column.least) if column.wide else width
        for column, width in zip(columns, widths, strict=True)
    ]
    assert kept == sorted(kept)
    assert kept[0] == 0
    assert kept == [0] or sum(needs[each] for each in kept) + 2 * (len(kept) - 1) <= room
    dropped = [columns[each].rank for each in range(len(columns)) if each not in kept]
    assert all(columns[each].rank <= min(dropped, default=99) for each in kept)


def test_a_pipe_gets_everything(env, tmp_path):
    """Width means nothing to a program."""
    plant(title=LONG)
    said = subprocess.run(
        command("list"), env={**env, "COLUMNS": "40"}, cwd=tmp_path, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert LONG in said.stdout
    assert said.stdout.split("\n")[0].split()[-1] == "FINDINGS"
