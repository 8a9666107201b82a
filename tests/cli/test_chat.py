"""`scout chat`: piped, as JSON, and on a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.stage import GOAL, add, call, command
from tests.cli.terminal import on_terminal

ROOT = Path(__file__).parents[2]
READY = "It rests until you activate it"


@pytest.fixture
def env(home):
    """Return the environment of a process on the stage."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "SCOUT_LLM_URL": "builtin://"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Work in a folder with a database of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCOUT_DATABASE_URL", f"sqlite:///{tmp_path}/scout.db")
    monkeypatch.setenv("SCOUT_LLM_URL", "builtin://")
    return tmp_path


def rows(text: str) -> list[dict]:
    """Return JSON Lines."""
    return [json.loads(row) for row in text.splitlines()]


def test_lines_become_a_scout(home):
    """Answers are data, what was written down and what to type next are talk."""
    said = call("chat", "--tz", "UTC", stdin="Concerts in Bonn\n\nevery week\n")
    assert said.code == 0, said.err
    answers = said.out.splitlines()
    assert len(answers) == 2
    assert answers[0].endswith("every day, every three days or every week?")
    assert READY in answers[1]
    assert "location: Bonn" in said.err
    assert "frequency: weekly" in said.err
    (row,) = json.loads(call("list", "--json").out)["scouts"]
    name = row["scout"]["id"][:8]
    assert f"Activate it with: scout resume {name}" in said.err
    assert call("resume", name).code == 0
    assert "Run it with" in call("chat", name, stdin="").err


def test_it_goes_on_where_it_ended(home):
    """A named scout is talked about further; its title will do."""
    call("chat", stdin="Concerts in Bonn\n")
    again = call("chat", "Concerts Bonn", "--json", stdin="every day\n")
    assert again.code == 0, again.err
    last = rows(again.out)[-1]
    assert last["event"] == "chat_closed"
    assert last["complete"]
    assert last["scout"]["frequency"] == "daily"


def test_json_streams_events(home):
    """Each line of input is a turn; every event is a line; the last says how the scout stands."""
    said = call("chat", "--json", stdin="Concerts in Bonn\nevery week\n")
    kinds = [row["event"] for row in rows(said.out)]
    turn = ["chat_started", "config_updated", "text_delta", "chat_finished"]
    assert kinds == [*turn, *turn, "chat_closed"]
    assert said.err == ""


def test_nothing_said_is_nothing_done(home):
    """An empty input ends well and makes no scout."""
    said = call("chat", "--json", stdin="")
    assert said.code == 0
    assert rows(said.out) == [
        {"event": "chat_closed", "scout": None, "missing": [], "complete": False}
    ]
    assert json.loads(call("list", "--json").out)["scouts"] == []


def test_slash_commands_change_and_run_it(home):
    """Title and rhythm are changed, it is shown, activated and run, in one conversation."""
    wish = f"{GOAL}\nanywhere\n"
    lines = (
        "/help\n/title Saltmere ferry\n/every Monday at 9\n/show\n/activate\n/run\n/quit\nlost\n"
    )
    said = call("chat", "--tz", "UTC", stdin=wish + lines)
    assert said.code == 0, said.err
    assert "title: Saltmere ferry" in said.err
    assert "0 9 * * 1, UTC" in said.out
    assert "It is active" in said.err
    assert "returns on 14 May 2026" in said.out
    assert "lost" not in said.out


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("/show\n", "there is no scout yet"),
        ("hello\n/activate\n", "it still needs goal"),
        ("hello\n/run\n", "nothing to look for"),
        ("hello\n/every now and then\n", "not a rhythm"),
        ("hello\n/title\n", "which title?"),
        ("hello\n/dance\n", "there is no /dance"),
        ("x" * 4_001 + "\n", "4001 characters"),
    ],
)
def test_what_cannot_be_done_ends_a_script(home, lines, told):
    """Without a person an error ends the conversation with its exit code, in two lines."""
    said = call("chat", stdin=lines + "Concerts\n")
    assert said.code == 2
    assert told in said.err


def test_an_unknown_scout_is_not_found(home):
    """A name that nothing has fails before anything is read."""
    said = call("chat", "nothing such", stdin="hello\n")
    assert said.code == 3


def test_what_people_write_is_no_escape(home):
    """Control characters of an input do not come back out."""
    said = call("chat", stdin="Concerts \x1b]0;owned\x07 in Bonn\u202e\n/show\n")
    assert said.code == 0, said.err
    assert not set("\x1b\x07\u202e") & set(said.out + said.err)


def test_a_person_is_asked_to_activate(home, env):
    """On a terminal: a prompt, streamed words, slash commands, and a question at the end."""
    seen = on_terminal(
        command("chat", "--tz", "UTC"),
        env,
        home,
        answers=[
            ("you> ", "Concerts in Bonn\r"),
            ("every week?", "/nonsense\r"),
            ("/help lists", "every week\r"),
            (READY, "\x04"),
            ("now? [Y/n]", "y\r"),
        ],
    )
    assert seen.code == 0, seen.text
    assert "scout> " in seen.text
    assert "It is active" in seen.text
    assert json.loads(call("list", "--json").out)["scouts"][0]["scout"]["is_active"]


def test_pasted_lines_are_one_message(home, env):
    """Lines that arrive together are said together."""
    seen = on_terminal(
        command("chat", "--tz", "UTC"),
        env,
        home,
        answers=[("you> ", "Concerts in Bonn\revery week\r"), (READY, "/quit\r"), ("[Y/n]", "n\r")],
    )
    assert seen.code == 0, seen.text
    assert "Activate it with: scout resume" in seen.text
    scout = json.loads(call("list", "--json").out)["scouts"][0]["scout"]
    assert not scout["is_active"]


def test_ctrl_c_stops_an_answer_and_not_the_conversation(home, env):
    """While the model thinks a sign says so; stopped, the person may go on or end."""
    words = [sys.executable, "-m", "tests.ollama_server", "--delay", "100"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, text=True) as server:
        url = server.stdout.readline().split()[1].replace("http", "ollama")
        seen = on_terminal(
            command("chat", "--tz", "UTC"),
            {**env, "SCOUT_LLM_URL": f"{url}/qwen3:8b"},
            home,
            answers=[
                ("you> ", "Concerts in Bonn\r"),
                ("thinking", "\x03"),
                ("(stopped)", ""),
                ("you> ", "/quit\r"),
            ],
        )
        server.kill()
    assert seen.code == 0, seen.text
    assert "Go on with: scout chat" in seen.text


def test_an_earlier_conversation_is_shown_again(home, env):
    """A person sees what was said last, and Ctrl-C at the prompt ends."""
    call("chat", stdin="Concerts in Bonn\n")
    words = command("chat", "Concerts Bonn")
    seen = on_terminal(words, env, home, answers=[("you> ", ""), ("you> ", "\x03")][1:])
    assert "you> Concerts in Bonn" in seen.text
    assert "still needs a rhythm" in seen.text
    assert seen.code == 130


def test_a_saved_scout_can_be_talked_about(home):
    """One that `scout add` made has all but the place; saying it changes the scout."""
    name = add(goal="Concerts of the town band")
    said = call("chat", name, "--json", stdin="in Bonn, every week\n")
    scout = rows(said.out)[-1]["scout"]
    assert scout["location"] == {"city": "Bonn"}
    assert scout["schedule"] == "weekly"
