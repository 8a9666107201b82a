"""`tick`, `due` and `worker`: what cron calls, what people see of it, and how they stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scout_cli.store.sqlite_file import url_of
from tests.cli import stage
from tests.cli.stage import GOAL, LIMITED, SLOW, add, call


@pytest.fixture(autouse=True)
def database(tmp_path, monkeypatch):
    """Give every test a database of its own, and no configuration."""
    url = f"sqlite:///{tmp_path / 'scout.db'}"
    monkeypatch.setenv("SCOUT_DATABASE_URL", url)
    monkeypatch.chdir(tmp_path)
    return url


def lines(said):
    """Return the JSON Lines that a command printed."""
    return [json.loads(line) for line in said.out.splitlines()]


def test_a_tick_runs_what_is_due_and_nothing_twice():
    """The first tick runs the new scout, the second has nothing to do."""
    name = add()
    first = call("tick")
    assert first.code == 0, first.err
    assert first.out.startswith(f"{name}  ")
    assert ": new" in first.out
    second = call("tick")
    assert (second.code, second.out) == (0, "")


def test_a_tick_says_where_it_works(tmp_path):
    """Cron has another folder: the log names configuration and database, whole."""
    add()
    said = call("tick")
    assert f"database: {tmp_path / 'scout.db'}" in said.err
    assert "no scouts.toml" in said.err


def test_an_empty_database_is_not_ticked_in_silence():
    """Even `--quiet` says that there are no scouts in this one."""
    call("init-db")
    said = call("tick", "--quiet")
    assert said.code == 0
    assert "it has no scouts" in said.err


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    """A tick in the wrong folder is an error, not a new empty database."""
    said = call("tick")
    assert said.code == 4
    assert "there is no database" in said.err
    assert "--print-crontab" in said.err
    assert not (tmp_path / "scout.db").exists()


def test_a_run_that_could_not_look_is_tried_again_and_said():
    """Exit 1 makes cron mail it; the scout waits for its retry."""
    name = add(goal=LIMITED)
    said = call("tick", "--quiet")
    assert said.code == 1
    assert "could not look: the engine is limited" in said.out
    (scout,) = json.loads(call("due", "--json").out)["scouts"]
    assert (scout["id"][:8], scout["state"]) == (name, "retry")
    assert scout["retry_at"] is not None


def test_json_lines_say_what_happened():
    """A machine reads what was planned, begun and ended."""
    add()
    said = call("tick", "--json")
    events = lines(said)
    assert [event["event"] for event in events] == ["planned", "started", "ended"]
    assert events[0]["queued"] == 1
    assert events[2]["outcome"] == "new"
    assert events[1]["execution_id"] == events[2]["execution_id"]


def test_a_dry_run_touches_nothing():
    """It shows what is due and queues nothing."""
    name = add()
    assert name in call("tick", "--dry-run").out
    assert call("due").out == call("tick", "--dry-run").out
    (scout,) = json.loads(call("due", "--json").out)["scouts"]
    assert scout["state"] == "due"


def test_due_lists_what_comes_next():
    """After a run the scout waits for its slot; a paused one is not listed."""
    name, other = add(), add(goal="Another ferry altogether")
    call("tick")
    call("pause", other)
    scouts = json.loads(call("due", "--json").out)["scouts"]
    assert [(each["id"][:8], each["state"]) for each in scouts] == [(name, "waiting")]
    assert "No active scouts" in call("--database", "sqlite:///other.db", "due").err


def as_cron(printed: str) -> str:
    """Run the line of a crontab as cron does, and return what it complained of."""
    (line,) = [row for row in printed.splitlines() if not row.startswith("#")]
    assert line.startswith("* * * * * ")
    shell = line.removeprefix("* * * * * ").replace(r"\%", "%")
    done = subprocess.run(
        ["/usr/bin/env", "-i", "/bin/sh", "-c", shell],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_crontab_line_works_under_env_i_from_the_root(tmp_path):
    """The printed line names interpreter, configuration and database, and needs nothing else."""
    Path("scouts.toml").write_text('[settings]\nllm_url = "builtin://"\nembed_url = "builtin://"\n')
    call("init-db")
    printed = call("tick", "--print-crontab").out
    assert str(tmp_path / "scouts.toml") in printed
    said = as_cron(printed)
    assert str(tmp_path / "scout.db") in said
    assert "it has no scouts" in said


def test_the_crontab_line_finds_a_database_whatever_its_name(tmp_path, monkeypatch):
    """Signs that mean something in a URL, or look as if they were encoded, are in its path."""
    file = tmp_path / "50%20 of #1?" / "s.db"
    monkeypatch.setenv("SCOUT_DATABASE_URL", url_of(file))
    call("init-db")
    assert file.exists()
    said = as_cron(call("tick", "--print-crontab").out)
    assert "it has no scouts" in said
    assert str(file) in said


def test_the_crontab_line_escapes_what_cron_would_eat(tmp_path, monkeypatch):
    """Per cent signs, spaces and quotes in paths; a password is never printed."""
    folder = tmp_path / "50% of 'it'"
    folder.mkdir()
    monkeypatch.setenv("SCOUT_DATABASE_URL", f"sqlite:///{folder}/s.db".replace("%", "%25"))
    line = call("tick", "--print-crontab").out.splitlines()[-1]
    assert r"\%" in line
    assert "%" not in line.replace(r"\%", "")
    monkeypatch.setenv("SCOUT_DATABASE_URL", "postgresql://me:hunter2@host/db")
    said = call("tick", "--print-crontab")
    assert said.code == 2
    assert "hunter2" not in said.out + said.err


def test_settings_that_cron_will_not_have_are_named(monkeypatch):
    """What stands only in the environment is said in a comment above the line."""
    monkeypatch.setenv("SCOUT_NUM_CTX", "4096")
    first = call("tick", "--print-crontab").out.splitlines()[0]
    assert first.startswith("#")
    assert "num_ctx" in first


def wait_for(condition, seconds=20.0):
    """Wait until `condition` holds."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.02)


def state_of_the_run():
    """Return the state of the only scout."""
    return json.loads(call("due", "--json").out)["scouts"][0]["state"]


@pytest.fixture
def start():
    """Return a function that starts a command in a process; what still runs is killed."""
    started = []

    def start(*words, **more):
        process = subprocess.Popen(
            stage.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, **more},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["tick", "worker"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_gives_the_run_back_and_ends_well(start, command, number):
    """Within 25 seconds, exit 0, and the run is free for the next worker at once."""
    add(goal=SLOW)
    process = start(command, SCOUT_STAGE_GRACE="1")
    wait_for(lambda: state_of_the_run() == "running")
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=25)
    assert process.returncode == 0, err
    assert time.monotonic() - began < 25
    assert "given back" in out
    assert state_of_the_run() == "queued"


def test_a_second_signal_ends_at_once(start):
    """Who presses twice does not wait."""
    add(goal=SLOW)
    process = start("worker")
    wait_for(lambda: state_of_the_run() == "running")
    process.send_signal(signal.SIGTERM)
    assert "stopping" in process.stderr.readline() + process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(timeout=10) == 130
    assert time.monotonic() - began < 10


def test_a_worker_picks_up_what_is_added_while_it_runs(start):
    """No restart: a scout that is saved now runs within a moment."""
    call("init-db")
    process = start("worker", "--json", SCOUT_STAGE_INTERVAL="0.2")
    assert "working on" in process.stderr.readline()
    name = add()
    event = json.loads(process.stdout.readline())
    while event["event"] != "ended":
        event = json.loads(process.stdout.readline())
    assert (event["scout_id"][:8], event["outcome"]) == (name, "new")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=25) == 0


def test_two_ticks_at_once_share_the_work(start):
    """Six scouts, two ticks: each scout runs once."""
    names = sorted(add(goal=f"{GOAL} {number}") for number in range(6))
    both = [start("tick", "--json") for _ in range(2)]
    ended = []
    for process in both:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        ended += [json.loads(line) for line in out.splitlines()]
    ran = sorted(event["scout_id"][:8] for event in ended if event["event"] == "ended")
    assert ran == names
