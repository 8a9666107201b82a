"""`list`, `show`, `history`, `findings`, `doctor`, `init-db`: for people and as JSON."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest

from scout_cli.core import asking
from tests.cli import planted
from tests.cli.stage import GOAL, LIMITED, SILENT, URL, add, call
from tests.contract.rows import AT


def data(*words: str):
    """Return what a command prints as JSON."""
    said = call(*words, "--json")
    assert (said.code, said.err) == (0, "")
    assert said.out.count("\n") == 1
    return json.loads(said.out)


def test_an_empty_database_says_how_to_begin():
    """Nothing on stdout, the next command on stderr."""
    for words in (["list"], ["history"], ["findings"]):
        said = call(*words)
        assert (said.code, said.out) == (0, "")
        assert "scout " in said.err


def test_list_is_aligned_when_piped():
    """Plain columns with titles, nothing cut, no colour."""
    name = add("--title", "A long title that a narrow screen would cut " + "x" * 100)
    call("run", name)
    head, row = call("list").out.splitlines()
    assert head.split("  ")[0] == "ID"
    assert row.startswith(f"{name}  A long title")
    assert row.index("daily") == head.index("RHYTHM")
    assert row.split()[-1] == "2"
    assert "\x1b" not in row


def test_list_as_json():
    """The scout, its last run, its number of findings."""
    call("run", add("--title", "Ferry"))
    (glance,) = data("list")["scouts"]
    assert set(glance) == {"scout", "last", "findings"}
    assert glance["scout"]["title"] == "Ferry"
    assert glance["last"]["outcome"] == "new"
    assert glance["findings"] == 2


def test_show_has_the_last_brief_with_news():
    """A silent run later does not hide it."""
    name = add("--title", "Ferry")
    call("run", name)
    call("run", name)
    said = call("show", "ferry")
    assert said.code == 0
    assert "last run" in said.out
    assert ": nothing new" in said.out
    assert "next run" in said.out
    assert f"harbour.example <{URL}>" in said.out
    shown = data("show", name)
    assert set(shown) == {"scout", "last", "findings", "last_with_news"}
    assert (shown["last"]["outcome"], shown["last_with_news"]["outcome"]) == ("nothing_new", "new")


def test_history_tells_how_runs_ended():
    """Newest first; the error of a run that could not look stands in its row."""
    call("run", add("--title", "Ferry"))
    call("run", add("--title", "Limited", "--query", "engine", goal=LIMITED))
    first, second, third = call("history").out.splitlines()
    assert first.split()[:2] == ["RUN", "SCOUT"]
    assert "Limited" in second
    assert "could not look" in second
    assert "Ferry" in third
    assert [each["outcome"] for each in data("history")["executions"]] == ["could_not_look", "new"]
    assert len(data("history", "Ferry")["executions"]) == 1


def test_history_with_steps():
    """Every step of the newest run, in order, with who answered."""
    call("run", add())
    said = call("history", "--steps")
    (run,) = data("history")["executions"]
    model, prompts = run["model"], asking.fingerprint()
    assert f"Steps of {run['id'][:8]} (model {model}, prompts {prompts}):" in said.out
    assert "Search: " in said.out
    steps = data("history", "--steps")["executions"][0]["steps"]
    assert [step["step_number"] for step in steps] == list(range(1, len(steps) + 1))
    assert {step["status"] for step in steps} == {"completed"}


def test_a_list_that_was_cut_says_so():
    """More than --limit is not passed over in silence."""
    name = add()
    call("run", name)
    call("run", name)
    said = call("history", "--limit", "1")
    assert len(said.out.splitlines()) == 2
    assert "The newest 1 are shown; more with --limit 5" in said.err
    assert "The newest 1 are shown" in call("findings", "--limit", "1").err


def test_findings_are_facts_with_proof():
    """What was reported, with its quote and source."""
    call("run", add("--title", "Ferry"))
    found = data("findings")["findings"]
    assert len(found) == 2
    assert {each["novelty"] for each in found} == {"new"}
    assert all(each["quote"] and each["url"] == URL for each in found)
    assert "14 May 2026" in call("findings").out


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["--scout", "Ferry"], 2),
        (["--scout", "Eels"], 0),
        (["--since", "1h"], 2),
        (["--since", "2999-01-01"], 0),
        (["--status", "repeat"], 0),
        (["--status", "all"], 2),
        (["--status", "new", "--status", "stale"], 2),
        (["--limit", "1"], 1),
    ],
)
def test_findings_are_chosen(words, number):
    """By scout, by time, by kind, by number."""
    call("run", add("--title", "Ferry"))
    add("--title", "Eels", goal=SILENT)
    said = call("findings", *words, "--json")
    assert len(json.loads(said.out)["findings"]) == number


def test_doctor_with_a_broken_file_says_which(tmp_path, monkeypatch):
    """Without configuration nothing else can be checked."""
    (tmp_path / "s.toml").write_text("[settings]\nnope = 1\n")
    monkeypatch.setenv("SCOUT_CONFIG", str(tmp_path / "s.toml"))
    said = call("doctor")
    assert said.code == 2
    assert "s.toml:2: unknown key 'nope'" in said.out + said.err


def test_init_db_says_what_it_applied_once():
    """The second time there is nothing to do."""
    first, second = call("init-db"), call("init-db")
    assert first.out.splitlines()
    assert all(name[:4].isdigit() for name in first.out.splitlines())
    assert (second.code, second.out) == (0, "")
    assert "already up to date" in second.err
    assert data("init-db") == {"applied": []}


def test_other_folders_do_not_matter(isolated):
    """The database is where the platform keeps data, private to its owner."""
    add(goal=GOAL)
    file = isolated / "data" / "scout" / "scout.db"
    assert file.exists()
    assert file.stat().st_mode & 0o077 == 0


def columns(out: str) -> list[list[str]]:
    """Return the cells of a piped table, titles first."""
    return [re.split(r" {2,}", row) for row in out.splitlines()]


def test_history_shows_what_a_run_cost():
    """Duration, pages and tokens of each run; what is not known is a dash."""
    planted.plant()
    head, quiet, news, blocked = columns(planted.call("history").out)
    assert head == "RUN SCOUT STARTED TOOK OUTCOME NEW REPEATS PAGES UNREAD TOKENS SUMMARY".split()
    assert quiet[1:] == ["Hollen ferry", "3 h ago", "1:05", "nothing new", *"0 1 9 2 20345".split()]
    assert news[5:] == ["2", "0", "5", "0", "20345", "It returns on 14 May."]
    assert blocked[3:] == ["1:05", "could not look", *"-----", "the engine is limited"]


def test_history_of_several_scouts():
    """Their runs are merged, newest first, and cut together."""
    planted.plant()
    both = data("history", "1111", "night buses")["executions"]
    assert [each["id"][0] for each in both] == ["4", "3", "5"]
    said = planted.call("history", "1111", "night", "--limit", "2", "--json")
    assert [each["id"][0] for each in json.loads(said.out)["executions"]] == ["4", "3"]
    assert "The newest 2 are shown" in said.err
    assert planted.call("history", "1111", "nobody").code == 3


def test_findings_of_several_scouts():
    """`--scout` may be given again; one that is unknown gives none at all."""
    planted.plant()
    both = data("findings", "--scout", "1111", "--scout", "night", "--status", "all")
    assert len(both["findings"]) == 4
    assert data("findings", "--scout", "night")["findings"] == []
    said = planted.call("findings", "--scout", "1111", "--scout", "nobody")
    assert (said.code, said.out) == (3, "")


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ([], ["possible_repeat", "new"]),
        (["--status", "repeat"], ["repeat"]),
        (["--status", "possible_repeat"], ["possible_repeat"]),
        (["--status", "stale", "--status", "new"], ["stale", "new"]),
        (["--status", "all"], ["stale", "repeat", "possible_repeat", "new"]),
        (["--status", "all", "--since", "22h"], ["stale", "repeat"]),
        (["--status", "all", "--since", "2026-11-20T05:00:00Z"], ["stale"]),
    ],
)
def test_findings_by_status_and_time(words, kinds):
    """Newest first; what was kept in silence only when it is asked for."""
    planted.plant()
    said = planted.call("findings", *words, "--json")
    assert [each["novelty"] for each in json.loads(said.out)["findings"]] == kinds


def test_utc_is_exact():
    """Every time is ISO 8601 in UTC, whatever the machine's zone."""
    planted.plant()
    moment = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    expected = {"list": 3, "history": 3, "show": 3, "findings": 4}
    for name, number in expected.items():
        words = [name, *(["1111"] if name == "show" else [])]
        exact, relative = planted.call(*words, "--utc").out, planted.call(*words).out
        assert len(moment.findall(exact)) == number
        assert " ago" not in exact
        assert " ago" in relative
        assert not moment.findall(relative)
    assert "2026-11-21T23:37:14Z" in planted.call("list", "--utc").out


def test_show_finds_the_last_brief_however_old():
    """Sixty silent runs later it is still there, with the times of both."""
    scout = planted.plant()
    for days in range(60):
        run = {"id": uuid4(), "status": "completed", "state": "completed"}
        planted.start(scout, **run, started_at=AT + timedelta(days=days), outcome="nothing_new")
    later = AT + timedelta(days=60)
    shown = planted.call("show", "1111", "--json", at=later)
    assert json.loads(shown.out)["last_with_news"]["id"] == str(planted.NEWS)
    assert "It returns on 14 May. harbour.example <https" in planted.call("show", "1111").out


def test_a_scout_is_found_by_title_in_any_case_and_by_the_beginning_of_it():
    """An exact title wins over one that only begins so."""
    planted.plant(title="Night")
    assert data("show", "NIGHT")["scout"]["title"] == "Night"
    assert data("show", "night b")["scout"]["title"] == "Night buses"
    assert data("show", "2222")["scout"]["title"] == "Night buses"
