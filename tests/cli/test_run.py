"""`scout run` and `scout once`: brief, talk, events, exit codes, record and replay."""

from __future__ import annotations

import json

import pytest

from tests.cli.stage import GOAL, LIMITED, SILENT, URL, add, call

TITLE = "evil]0;ownedtitle"
"""What the core leaves of a hostile title: the escape is gone, its letters are not."""


def test_a_run_prints_the_brief_with_numbered_sources():
    """Data on stdout; steps and the closing line on stderr."""
    said = call("run", add("--title", "Ferry"))
    assert said.code == 0
    assert said.out.startswith("Ferry\n\n- ")
    assert "14 May 2026" in said.out
    assert "[1]" in said.out
    assert f"Sources\n[1]  harbour.example: Ferry {TITLE}, 2026-03-01\n     {URL}" in said.out
    assert "  Read harbour.example: Ferry eviltitle" in said.err
    closing = said.err.splitlines()[-1]
    assert "2 new; 1 page (" in closing
    assert not set("\x1b\x07\u202e\u200b\U000e0041") & set(said.out + said.err)


def test_a_second_run_is_silent():
    """Nothing new prints nothing on stdout, and says on stderr that it looked."""
    name = add()
    call("run", name)
    said = call("run", name)
    assert (said.code, said.out) == (0, "")
    assert said.err.splitlines()[-1].startswith("Nothing new; 1 page, 1 unchanged")


def test_quiet_prints_only_the_brief():
    """For cron: output means news."""
    name = add()
    first, second = call("run", name, "--quiet"), call("run", name, "-q")
    assert "14 May 2026" in first.out
    assert (first.err, second.out, second.err) == ("", "", "")


def test_exit_codes_for_scripts():
    """0 new, 10 nothing new; without the flag both are 0."""
    name = add()
    assert call("run", name, "--exit-code").code == 0
    assert call("run", name, "--exit-code").code == 10
    assert call("run", name).code == 0
    assert call("once", SILENT, "--exit-code").code == 10


def test_could_not_look_is_exit_4_and_two_lines():
    """Never "nothing new": the error says what happened and what to do."""
    said = call("once", LIMITED, "--quiet")
    assert (said.code, said.out) == (4, "")
    assert said.err == "scout: error: could not look: the engine is limited\n  wait\n"
    as_json = call("once", LIMITED, "--json")
    assert as_json.code == 4
    assert json.loads(as_json.err)["error"] == {
        "code": "could_not_look",
        "message": "could not look: the engine is limited",
        "hint": "wait",
    }


def test_events_are_json_lines():
    """One event a line, from the first to the last, and nothing else."""
    said = call("run", add(), "--json")
    events = [json.loads(row) for row in said.out.splitlines()]
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1], said.err) == ("run_started", "run_finished", "")
    assert {"step_started", "step_finished", "page_seen", "fact_verified", "fact_compared"} <= {
        *kinds
    }
    assert events[-1]["result"]["outcome"] == "new"
    assert all(event["at"].endswith("Z") for event in events)


def test_several_scouts_run_one_after_another():
    """A scout that cannot look does not stop the next, and the exit code tells of it."""
    limited, ferry = add("--query", "engine", goal=LIMITED), add("--title", "Ferry")
    said = call("run", limited, ferry)
    assert said.code == 4
    assert "could not look" in said.err
    assert said.out.startswith("Ferry\n")


def test_all_names_are_known_before_anything_runs():
    """A typo in the last name costs no run."""
    name = add()
    assert call("run", name, "nobody").code == 3
    assert json.loads(call("history", "--json").out) == {"executions": []}


def test_once_saves_nothing():
    """It looks, and leaves no scout and no run."""
    said = call("once", GOAL)
    assert said.code == 0
    assert "14 May 2026" in said.out
    assert json.loads(call("list", "--json").out) == {"scouts": []}


@pytest.mark.parametrize("command", ["run", "once"])
def test_a_recording_is_replayed_with_an_equal_result(tmp_path, command):
    """The replay needs neither scout nor stage, and ends in the same result."""
    tape = str(tmp_path / "tape")
    what = add() if command == "run" else GOAL
    recorded = call(command, what, "--record", tape, "--json")
    assert recorded.code == 0
    replayed = call(command, "--replay", tape, "--json")
    assert replayed.code == 0
    last = [json.loads(said.out.splitlines()[-1])["result"] for said in (recorded, replayed)]
    assert last[0] == last[1]


def test_a_recording_holds_one_run(tmp_path):
    """Two scouts into one folder are refused."""
    assert "--record keeps one run" in call("run", "a", "b", "--record", str(tmp_path)).err


def test_a_replay_of_an_empty_folder_is_not_found(tmp_path):
    """There is no recording."""
    assert call("run", "--replay", str(tmp_path)).code == 3
