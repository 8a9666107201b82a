"""`scout import`: what is added, what was there, and what is told."""

from __future__ import annotations

import json

import pytest

from tests.cli.stage import call
from tests.unit.test_importing import OPML, URLWATCH, backup


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write(data, name="theirs"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    return write


def report(*words, **more):
    """Return the JSON report of an import."""
    said = call("import", *words, "--json", **more)
    assert (said.code, said.err) == (0, "")
    return json.loads(said.out)


def scouts():
    """Return the scouts that there are, by title."""
    found = json.loads(call("list", "--json").out)["scouts"]
    return {each["scout"]["title"]: each["scout"] for each in found}


def test_a_backup_becomes_scouts_once(write):
    """Three watches are added; a second import adds nothing and undoes no change."""
    path = write(backup(), "backup.zip")
    first = report(path)
    assert first["counts"] == {"added": 3, "there": 0, "skipped": 4}
    ferry = scouts()["Ferry timetable"]
    assert (ferry["urls"], ferry["schedule"]) == (
        ["https://harbour.example/timetable"],
        "0 */3 * * *",
    )
    assert [each["is_active"] for each in scouts().values()].count(False) == 1
    assert call("edit", ferry["id"], "--title", "Mine", "--every", "weekly").code == 0
    again = report(path)
    assert again["counts"] == {"added": 0, "there": 3, "skipped": 4}
    assert {each["id"] for each in again["scouts"]} == {each["id"] for each in first["scouts"]}
    assert scouts()["Mine"]["schedule"] == "weekly"


def test_what_is_taken_over_searches_for_nothing_until_it_has_a_topic(write):
    """`show` says so in place of queries, which are there for a wish to come."""
    assert call("import", write(OPML)).code == 0
    assert "names no topic" in call("show", "Port news").out
    assert call("edit", "Port news", "--goal", "The ferry to Hollen").code == 0
    shown = call("show", "Port news").out
    assert "names no topic" not in shown
    assert "Port news" in shown


def test_a_dry_run_adds_nothing(write):
    """It says the same, and the database stays as it is."""
    path = write(OPML)
    said = call("import", path, "--dry-run")
    assert said.code == 0
    assert "Port news" in said.out
    assert "https://port.example/feed.xml" in said.out
    assert said.err.splitlines()[-1] == "Dry run: 2 to add, 0 there already, 2 skipped."
    assert scouts() == {}
    assert call("import", path).err.splitlines()[-1] == "2 added, 0 there already, 2 skipped."
    assert scouts()["Port news"]["feeds"] == ["https://port.example/feed.xml"]


def test_the_report_names_what_was_left(write):
    """A row for every entry: what it becomes, or why it becomes nothing."""
    said = call("import", write(URLWATCH), "--from", "urlwatch")
    rows = said.out.splitlines()
    assert rows[0].split()[:2] == ["ACTION", "WHAT"]
    assert any("Ferry news" in row and "its filters" in row for row in rows)
    assert any(row.startswith("skip") and "runs a command" in row for row in rows)


def test_more_of_a_file_is_added_beside_what_is_there(write):
    """A feed that is new in the list is added, the others stay."""
    one = "https://a.example/feed Ferries\n"
    assert report(write(one))["counts"]["added"] == 1
    two = report(write(one + "https://b.example/feed Bridges\n"))
    assert (two["counts"]["added"], two["counts"]["there"]) == (1, 1)


def test_standard_input():
    """A dash reads it."""
    found = report("-", stdin="https://a.example/feed Ferries\n")
    assert found["from"] == "google-alerts"
    assert found["scouts"][0]["action"] == "add"


def test_what_it_cannot_read_is_said_in_two_lines(write):
    """Exit 2, and nothing is changed."""
    said = call("import", write("hello there"))
    assert said.code == 2
    assert "none of the files" in said.err
    assert "--from" in said.err
    assert scouts() == {}
    assert call("import", "nowhere.zip").code == 2


def test_the_wrong_origin_is_said(write):
    """An OPML file is no list of jobs."""
    assert call("import", write(OPML), "--from", "urlwatch").code == 2
