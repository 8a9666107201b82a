"""`scout audit`: what the log says of scouts, runs and accounts, and whether it is whole."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from tests.cli.planted import AT, FERRY, SECRET, call, inside, plant

_WORDS = ("add", "The bridge to Saltmere", "--title", "Bridge", "--tz", "UTC", "--notify", "-")


def lines(*words: str) -> list[dict]:
    """Return the lines that the command prints."""
    said = call("audit", *words, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)["lines"]


def test_every_write_leaves_a_line_and_no_secret():
    """Made, changed, paused, resumed, run and removed: who, what, which, when and from where."""
    assert call(*_WORDS, stdin=SECRET).code == 0
    for words in (
        ("edit", "bridge", "--title", "Old bridge"),
        ("pause", "old"),
        ("pause", "old"),
        ("resume", "old"),
        ("run", "old", "--quiet"),
        ("rm", "old", "--yes"),
    ):
        assert call(*words).code == 0, words
    found = lines()
    assert [line["action"] for line in reversed(found)] == [
        "scout.create",
        "scout.change",
        "scout.pause",
        "scout.resume",
        "run.start",
        "scout.remove",
    ]
    assert {line["actor"] for line in found} == {"command line"}
    assert all(UUID(line["target"]) for line in found)
    assert "canary" not in json.dumps(found)


def test_a_table_for_people_and_filters():
    """By action, by what it was done to, by time and account; the newest first."""
    plant()
    call("pause", "1111", "2222")
    call("resume", "1111")
    said = call("audit")
    assert said.out.splitlines()[0].split() == [
        "NO", "WHEN", "WHO", "DID", "TO", "WHOSE", "FROM", "RESULT",
    ]  # fmt: skip
    assert [row.split()[0] for row in said.out.splitlines()[1:]] == ["3", "2", "1"]
    assert [line["number"] for line in lines("--target", "1111")] == [3, 1]
    assert [line["number"] for line in lines("--action", "scout.resume")] == [3]
    assert len(lines("--since", f"{AT:%Y-%m-%d}")) == 3
    assert lines("--since", "2999-01-01") == []
    assert call("audit", "--limit", "1").err.startswith("The newest 1 are shown")
    assert call("audit", "--target", "nothing").err == "No such lines.\n"
    assert call("audit", "--user", "nobody@example.org").code == 3


@pytest.mark.parametrize("harmed", [False, True])
def test_the_log_says_whether_it_is_whole(harmed):
    """A line that was changed afterwards is found, and ends the command with 1."""
    plant()
    call("pause", "1111", "2222")
    call("resume", str(FERRY))
    if harmed:
        inside(lambda db: db.execute("UPDATE audit_log SET actor = 'x' WHERE number = 2"))
    said = call("audit", "--verify")
    told = json.loads(call("audit", "--verify", "--json").out)
    assert (said.code, told["whole"]) == ((1, False) if harmed else (0, True))
    assert said.err.startswith("Line 2 is not" if harmed else "The log is whole: 3 lines")


def test_a_file_that_is_applied_leaves_its_lines(tmp_path):
    """What `apply` adds, changes and removes is there, in one transaction with it."""
    file = tmp_path / "mine.toml"
    wish = '[[scout]]\nkey = "b"\ngoal = "The bridge"\ntitle = "B"\nqueries = ["b"]\n'
    file.write_text(wish)
    assert call("apply", str(file), "--yes").code == 0
    file.write_text(wish + 'every = "weekly"\nactive = false\n')
    assert call("apply", str(file), "--yes").code == 0
    file.write_text("")
    assert call("apply", str(file), "--prune", "--yes").code == 0
    assert [line["action"] for line in reversed(lines())] == [
        "scout.create",
        "scout.pause",
        "scout.change",
        "scout.remove",
    ]
