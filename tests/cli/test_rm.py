"""`scout rm`: what goes is shown, asked for, and gone."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from scout_cli.store import scouts
from tests.cli.planted import BUSES, FERRY, call, inside, plant, start, stored
from tests.cli.stage import command
from tests.cli.terminal import on_terminal
from tests.contract.rows import AT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def env(isolated):
    """Return the environment of a process."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def there() -> list[str]:
    """Return the titles of the scouts that are left."""
    return [each["scout"]["title"] for each in json.loads(call("list", "--json").out)["scouts"]]


def test_yes_removes_without_asking():
    """The scout goes with runs and findings; stdout stays free for data."""
    plant()
    said = call("rm", "hollen ferry", "-y")
    assert (said.code, said.out) == (0, "")
    assert said.err == "Removed Hollen ferry (11111111) with 2 runs and 4 findings.\n"
    assert there() == ["Night buses"]
    assert json.loads(call("findings", "--status", "all", "--json").out)["findings"] == []
    assert len(json.loads(call("history", "--json").out)["executions"]) == 1


def test_without_a_terminal_it_refuses():
    """What it would remove and the command that does are in the error; stdin is not read."""
    before = plant()
    said = call("rm", "1111", "night", stdin="y\n")
    first, second = said.err.splitlines()
    assert (said.code, said.out) == (2, "")
    assert "Hollen ferry (11111111) with 2 runs and 4 findings and 1 more" in first
    assert second == "  scout rm 11111111 22220000 --yes"
    assert stored() == before


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [("y\n", 0, ["Night buses"]), ("n\n", 1, ["Hollen ferry", "Night buses"]),
     ("\n", 1, ["Hollen ferry", "Night buses"]), ("\x03", 130, ["Hollen ferry", "Night buses"])],
)  # fmt: skip
def test_on_a_terminal_it_shows_and_asks(env, tmp_path, answer, code, left):
    """Only a yes removes."""
    plant()
    seen = on_terminal(command("rm", "1111"), env, tmp_path, answers=[("findings? [y/N]", answer)])
    assert seen.code == code, seen.text
    assert seen.lines[0].split() == ["id", "title", "runs", "findings"]
    assert seen.lines[1].split() == ["11111111", "Hollen", "ferry", "2", "4"]
    assert there() == left


def test_a_running_scout_is_not_removed():
    """Nor is the one beside it; a run whose process went away long ago does not protect it."""
    start(plant())
    said = call("rm", "2222", "1111", "--yes")
    assert said.code == 1
    assert "'Hollen ferry' is running since 2026-11-21 02:37:14 UTC" in said.err
    assert there() == ["Hollen ferry", "Night buses"]
    assert call("rm", "1111", "--yes", at=AT + timedelta(minutes=2)).code == 0
    assert there() == ["Night buses"]


def test_json_asks_on_stderr(env, tmp_path):
    """The question does not mix with the data."""
    plant()
    seen = on_terminal(command("rm", "1111", "--json"), env, tmp_path, answers=[("[y/N]", "y\n")])
    assert seen.code == 0
    assert "This removes Hollen ferry (11111111) with 2 runs and 4 findings." in seen.text
    assert '{"removed":[{"id":"11111111-' in seen.text


def test_one_that_another_process_removed_meanwhile():
    """It is said, with the exit code of what is not there."""
    plant()
    assert inside(lambda db: scouts.delete(db, FERRY)) is True
    said = call("rm", str(FERRY), "--yes")
    assert said.code == 3
    assert stored(BUSES).id == BUSES
