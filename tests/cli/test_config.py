"""`scout config`: what is set, where that was said, and changing it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import fields

from scout_cli.config import Settings
from tests.cli.stage import call, plain
from tests.cli.test_process import on_terminal, read_until

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_settings(isolated, monkeypatch):
    """Leave the environment without any setting: it is what these tests look at."""
    monkeypatch.delenv("SCOUT_BALLAST")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in a folder without settings."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(isolated) -> Path:
    """Return where the platform keeps the settings; nothing is there yet."""
    return isolated / "config" / "scout" / "scouts.toml"


def test_every_setting_is_shown_with_its_origin(monkeypatch, tmp_path):
    """The file with its line, the variable, the flag, the default."""
    (tmp_path / "scouts.toml").write_text("[settings]\n\nnum_ctx = 4096\n")
    monkeypatch.setenv("SCOUT_ROUNDS", "3")
    said = call("--database", "sqlite:///f.db", "config", "show")
    rows = {row.split()[0]: row.split() for row in said.out.splitlines()[1:]}
    assert (said.code, said.err) == (0, "")
    assert rows["num_ctx"][1:] == ["4096", "scouts.toml:3"]
    assert rows["rounds"][1:] == ["3", "SCOUT_ROUNDS"]
    assert rows["database_url"][1:] == ["sqlite:///f.db", "--database"]
    assert rows["search_url"][1:] == ["ddgs://", "default"]
    assert rows["allow_private_networks"][1:] == ["false", "default"]


def test_only_what_was_changed(monkeypatch):
    """One row each; without any, the command that changes one."""
    said = call("config", "show", "--changed")
    assert (said.code, said.out) == (0, "")
    assert "scout config set" in said.err
    monkeypatch.setenv("SCOUT_ROUNDS", "3")
    document = json.loads(call("config", "show", "--changed", "--json").out)
    assert document == {
        "path": None,
        "settings": [{"name": "rounds", "value": 3, "origin": "SCOUT_ROUNDS"}],
    }


def test_secrets_stay_hidden(monkeypatch):
    """A key, a password in an address, a token in a query."""
    monkeypatch.setenv("OLLAMA_API_KEY", "canary-1")
    monkeypatch.setenv("SCOUT_DATABASE_URL", "postgresql://u:canary-2@h/db")
    monkeypatch.setenv("SCOUT_SEARCH_URL", "searxng+https://h/?token=canary-3")
    said, printed = call("config", "show", "--json"), call("config", "show")
    rows = {row["name"]: row["value"] for row in json.loads(said.out)["settings"]}
    assert "canary" not in said.out + printed.out
    assert rows["ollama_api_key"] == "***"
    assert rows["database_url"] == "postgresql://u:***@h/db"
    assert rows["search_url"] == ["searxng+https://***"]


NUMBERS = [each.name for each in fields(Settings) if type(each.default) in (int, float)]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_no_secret(name):
    """Whatever it is called, as `max_tokens`: it is shown, and set on the command line."""
    shown = json.loads(call("config", "show", "--json").out)["settings"]
    (value,) = [row["value"] for row in shown if row["name"] == name]
    said = call("config", "set", name, str(value))
    assert (said.code, said.err.partition(" ")[0]) == (0, name)


def test_the_path_is_the_file_that_is_read(tmp_path, file):
    """One line on stdout; where else was looked, on stderr."""
    said = call("config", "path")
    assert said.out == f"{file}\n"
    assert [row.split()[:2] for row in said.err.splitlines()] == [["not", "there"]] * 2
    (tmp_path / "scouts.toml").write_text("")
    said = call("config", "path")
    assert said.out == f"{tmp_path / 'scouts.toml'}\n"
    assert said.err.startswith("read ")
    document = json.loads(call("config", "path", "--json").out)
    assert document["path"] == document["write"] == str(tmp_path / "scouts.toml")
    assert [place["exists"] for place in document["looked"]] == [True, False]
    named = call("--config", "other.toml", "config", "path")
    assert named.out == "other.toml\n"


def test_a_setting_is_written_where_it_will_be_read(file):
    """The file is made, private; the next command reads it; others keep their lines."""
    said = call("config", "set", "num_ctx", "16384")
    assert (said.code, said.out) == (0, "")
    assert said.err == f"num_ctx set in {file}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    call("config", "set", "search_url", "searxng+http://127.0.0.1:8080", "ddgs://")
    assert file.read_text() == (
        '[settings]\nnum_ctx = 16384\nsearch_url = ["searxng+http://127.0.0.1:8080", "ddgs://"]\n'
    )
    rows = json.loads(call("config", "show", "--changed", "--json").out)["settings"]
    assert [row["value"] for row in rows] == [["searxng+http://127.0.0.1:8080", "ddgs://"], 16384]
    said = call("config", "unset", "num_ctx", "--json")
    assert json.loads(said.out) == {"name": "num_ctx", "path": str(file), "done": "unset"}
    assert "was not set" in call("config", "unset", "num_ctx").err
    assert "num_ctx" not in file.read_text()


def test_the_file_that_is_read_is_the_one_that_changes(tmp_path, file):
    """The working folder's, or the one that is named, even a new one."""
    here = tmp_path / "scouts.toml"
    here.write_text("# mine\n")
    call("config", "set", "rounds", "1")
    assert here.read_text() == "# mine\n\n[settings]\nrounds = 1\n"
    call("--config", "new.toml", "config", "set", "rounds", "3")
    assert (tmp_path / "new.toml").read_text() == "[settings]\nrounds = 3\n"
    assert not file.exists()


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["num_ctz", "1"], "no such setting 'num_ctz'", "did you mean num_ctx?"),
        (["num_ctx"], "the value is missing", "scout config unset num_ctx"),
        (["num_ctx", "many"], "num_ctx: Expected `int`", "8192"),
        (["llm_url", "olama://h/m"], "'olama'", "ollama://"),
        (["ollama_api_key", "canary"], "a secret does not belong", "ollama_api_key -"),
        (["database_url", "postgresql://u:canary@h/d"], "a secret", "database_url -"),
    ],
)
def test_what_cannot_be_set(words, message, hint, file):
    """Two lines, exit 2, no file; a secret is not repeated."""
    said = call("config", "set", *words)
    first, second = said.err.splitlines()
    assert (said.code, said.out) == (2, "")
    assert message in first
    assert hint in second
    assert "canary" not in said.err
    assert not file.exists()
    as_json = call("config", "set", *words, "--json")
    assert json.loads(as_json.err)["error"]["code"] in ("config", "invalid")


def test_secrets_come_from_standard_input(file):
    """Nothing of them is printed; the file is its owner's alone, though it was not before."""
    file.parent.mkdir(parents=True)
    file.write_text("[settings]\n")
    file.chmod(0o644)
    said = call("config", "set", "ollama_api_key", "-", stdin="canary-key\n")
    assert said.code == 0
    assert "canary" not in said.out + said.err
    assert file.read_text() == '[settings]\nollama_api_key = "canary-key"\n'
    assert file.stat().st_mode & 0o777 == 0o600
    nothing = call("config", "set", "ollama_api_key", "-", stdin="")
    assert nothing.code == 2
    assert "holds no value" in nothing.err


def test_lists_may_come_from_standard_input(file):
    """One word a line."""
    call("config", "set", "search_url", "-", stdin="ddgs://brave\nddgs://mojeek\n")
    assert 'search_url = ["ddgs://brave", "ddgs://mojeek"]' in file.read_text()


def test_a_closed_standard_input_is_no_value(tmp_path):
    """Two lines, not a traceback."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    shell = " ".join([*plain(["config", "set", "ollama_api_key", "-"]), "<&-"])
    said = subprocess.run(
        ["sh", "-c", shell], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert said.returncode == 2
    assert len(said.stderr.splitlines()) == 2


def test_on_a_terminal_a_secret_is_typed_unseen(tmp_path, file):
    """It is asked for, and not shown."""
    import pty  # noqa: PLC0415 - not on every platform that can import this module

    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    words = plain(["config", "set", "ollama_api_key", "-"])
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execvpe(words[0], words, env)
    seen = read_until(descriptor, b"ollama_api_key:")
    os.write(descriptor, b"canary-typed\n")
    seen += read_until(descriptor, b"\0never\0")
    os.close(descriptor)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"canary" not in seen
    assert "canary-typed" in file.read_text()


def test_the_environment_still_wins(monkeypatch):
    """Whoever sets a value that has no effect is told why."""
    monkeypatch.setenv("SCOUT_ROUNDS", "3")
    assert "unset SCOUT_ROUNDS" in call("config", "set", "rounds", "1").err


def test_a_broken_key_can_be_taken_out(tmp_path):
    """The way out of a file that no other command reads."""
    (tmp_path / "scouts.toml").write_text("[settings]\nnum_ctz = 1\nrounds = 1\n")
    assert call("list").code == 2
    assert call("config", "unset", "num_ctz").code == 0
    assert call("list").code == 0
    said = call("config", "unset", "num_ctz")
    assert (said.code, "did you mean num_ctx?" in said.err) == (2, True)


def test_a_file_in_another_form_is_left_alone(tmp_path):
    """What cannot be edited safely is not edited."""
    path = tmp_path / "scouts.toml"
    path.write_text("settings = { rounds = 1 }\n")
    said = call("config", "set", "rounds", "2")
    assert said.code == 2
    assert path.read_text() == "settings = { rounds = 1 }\n"


def test_without_a_subcommand_the_help_is_shown():
    """And each subcommand has an example."""
    assert "set" in call("config").err
    for name in ("show", "path", "set", "unset"):
        assert re.search(r"Examples?:\n    \S", call("config", name, "--help").out)


def test_a_terminal_gets_a_table_of_its_width(tmp_path):
    """Nothing is wider than the screen."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    code, seen = on_terminal(plain(["config", "show"]), env, tmp_path, width=70)
    rows = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen).splitlines()
    assert code == 0
    assert max(map(len, rows)) <= 70
