"""`scout` alone: what to do next, at a glance, and nothing made by looking."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.stage import GOAL, HOSTILE, LIMITED, add, call


def commands(text: str) -> list[list[str]]:
    """Return the command lines that a text asks to type, as words after `scout`."""
    rows = [row.strip() for row in text.splitlines()]
    return [shlex.split(row.partition("  ")[0])[1:] for row in rows if row.startswith("scout ")]


def test_a_newcomer_is_told_how_to_begin(isolated):
    """Without a database: the demo, a look, a first scout; exit 0, no file made."""
    said = call()
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("No scouts yet.")
    assert [words[0] for words in commands(said.out)] == ["demo", "once", "add"]
    assert "scout --help" in said.out
    assert [path for path in isolated.rglob("*") if path.is_file()] == []


def test_a_database_without_scouts_is_a_newcomer_s_too():
    """An empty database says the same as none."""
    assert call("init-db").code == 0
    assert call().out.startswith("No scouts yet.")


def test_an_empty_file_stays_empty(isolated, monkeypatch):
    """A file of no bytes is no database yet, and looking does not make it one."""
    file = isolated / "fresh.db"
    file.touch()
    monkeypatch.setenv("SCOUT_DATABASE_URL", f"sqlite:///{file}")
    assert call().out.startswith("No scouts yet.")
    assert file.stat().st_size == 0


def test_due_scouts_are_named_with_the_command_that_runs_them(tmp_path, monkeypatch):
    """What it says to type runs what is due; after that nothing is."""
    monkeypatch.chdir(tmp_path)
    first = add("--title", "Hollen ferry")
    add("--title", "Winter timetable")
    said = call()
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("2 scouts are due:\n")
    assert f"  {first}  Hollen ferry" in said.out
    assert call(*commands(said.out)[0]).code == 0
    after = call().out
    assert "due:" not in after
    assert after.startswith("2 scouts. Next: ")
    assert ["findings", "--since", "24h"] in commands(after)
    assert "4 new findings in the last 24 hours." in after
    assert {"show", "edit", "export"} < {words[0] for words in commands(after)}
    for words in commands(after):
        if words == ["worker"] or "|" in words:
            continue
        assert call(*[w.replace("URL", "console://").replace("...", GOAL) for w in words]).code == 0


def test_a_run_that_came_to_nothing_is_told_with_the_way_to_look():
    """The last failure stands there with its reason until a run ends well."""
    name = add("--title", "Limited", "--query", "engine", goal=LIMITED)
    assert call("run", name).code == 4
    said = call()
    assert "1 scout failed at the last run:" in said.out
    assert f"  {name}  Limited, now: " in said.out
    assert "the engine is limited" in said.out
    found = commands(said.out)
    assert ["history", name, "--steps"] in found
    assert ["doctor"] in found


def test_more_than_a_handful_are_counted():
    """Seven due scouts: five are named, two are a number."""
    for number in range(7):
        add("--title", f"Ferry {number}", "--query", "x")
    said = call()
    assert said.out.startswith("7 scouts are due:\n")
    assert said.out.count("  Ferry ") == 5
    assert "  and 2 more: scout list" in said.out


def test_paused_scouts_are_not_due():
    """Who rests is counted, not named."""
    name = add("--title", "Ferry", "--query", "x")
    assert call("pause", name).code == 0
    said = call()
    assert "due:" not in said.out
    assert "1 scout, 1 of them paused" in said.out


def test_nothing_hostile_reaches_the_terminal():
    """A title is text, not an escape sequence."""
    add("--title", HOSTILE, goal=GOAL)
    assert not set("\x1b\x07\u202e\u200b\U000e0041") & set(call().out)


@pytest.mark.parametrize(
    ("url", "code"), [("sqlite:////etc/passwd", 4), ("sqlite:////etc", 4), ("mysql://h/d", 2)]
)
def test_a_database_that_cannot_be_opened_is_an_error(url, code):
    """Two lines, as from every command."""
    said = call("--database", url)
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("scout: error: ")
    assert len(said.err.splitlines()) == 2


def test_a_server_without_tables_names_init_db(postgres, monkeypatch):
    """PostgreSQL is looked at too, and nothing is made there either."""
    monkeypatch.setenv("SCOUT_DATABASE_URL", postgres.url(postgres.create()))
    said = call()
    assert said.code == 4
    assert "scout init-db" in said.err
    assert call("init-db").code == 0
    add("--title", "Ferry", "--query", "x")
    assert call().out.startswith("1 scout is due:\n")
