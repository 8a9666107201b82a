"""The command as a process: closed streams, pipes, signals, homes that cannot be used."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.stage import GOAL, HOSTILE, SLOW, command, plain

ROOT = Path(__file__).parents[2]
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def env():
    """Return the environment of a process: this one's, and where the code is."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def call(env, tmp_path):
    """Run a command line to its end."""

    def call(words, **more) -> subprocess.CompletedProcess[str]:
        given = {"env": env, "cwd": tmp_path, "timeout": 60, **more}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.run(words, check=False, **{**streams, **given})

    return call


def read_until(descriptor: int, wanted: bytes, seconds: float = 30) -> bytes:
    """Read until `wanted` was written or the other end is closed."""
    found, end = b"", time.monotonic() + seconds
    while wanted not in found and time.monotonic() < end:
        if select.select([descriptor], [], [], 0.2)[0]:
            try:
                piece = os.read(descriptor, 65_536)
            except OSError:
                return found
            if not piece:
                return found
            found += piece
    return found


def on_terminal(words, env, cwd, *, width: int = 80, after: str = "") -> tuple[int, str]:
    """Run a command line on a terminal of its own and return exit code and all it was sent.

    Args:
        words: the command line.
        env: its environment.
        cwd: its folder.
        width: columns of the terminal.
        after: once this was written, type Ctrl-C.
    """
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execvpe(words[0], words, {**env, "TERM": "xterm-256color", "COLUMNS": str(width)})
    seen = b""
    if after:
        seen = read_until(descriptor, after.encode())
        os.write(descriptor, b"\x03")
    seen += read_until(descriptor, b"\0never\0")
    os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


def test_the_module_is_the_command(call):
    """`python -m scout_cli` shows help and version."""
    helped, version = call(plain(["--help"])), call(plain(["--version"]))
    assert (helped.returncode, version.returncode) == (0, 0)
    assert helped.stdout.startswith("Usage: scout ")
    assert version.stdout.startswith("scout ")
    assert helped.stderr + version.stderr == ""


@pytest.mark.parametrize(
    "words",
    [["list", "--json"], ["doctor"], ["--help"], ["run", "Ferry"], ["run", "Ferry", "--json"]],
)
def test_a_reader_who_left_is_no_error(call, words):
    """Nothing on stderr but talk, no traceback, the exit code of a broken pipe."""
    call(command("add", GOAL, "--title", "Ferry"))
    reader, writer = os.pipe()
    os.close(reader)
    said = call(command(*words), stdout=writer)
    os.close(writer)
    assert said.returncode == 141
    assert "Traceback" not in said.stderr
    assert "rror" not in said.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", ["add 'ferry news' --run", "list", "list --json", "lst"])
def test_closed_streams_do_no_harm(call, closed, words):
    """A command without one of its streams does its work; no database gets its number."""
    shell = f'"{sys.executable}" -m tests.cli.stage {words} {closed}'
    said = call(["sh", "-c", shell])
    assert said.returncode == (2 if words == "lst" else 0), said.stderr
    assert "Traceback" not in said.stdout + said.stderr


def test_a_full_disk_is_told(call):
    """Output that cannot be written is an error of its own."""
    with Path("/dev/full").open("w") as full:
        said = call(command("list", "--json"), stdout=full)
    assert said.returncode == 1
    assert "No space left" in said.stderr
    assert "Traceback" not in said.stderr


def test_arguments_that_are_not_text_are_refused(call):
    """A byte that is no UTF-8 ends in two lines."""
    said = call([*command("add"), b"caf\xe9 news"])
    assert said.returncode == 2
    assert "is not UTF-8" in said.stderr
    assert len(said.stderr.splitlines()) == 2


@pytest.mark.parametrize("folder", ["/proc/nowhere", "/dev/null"])
def test_a_home_that_cannot_be_written(call, env, folder):
    """The error names the database and the variable that moves it."""
    home = {**env, "HOME": folder, "XDG_DATA_HOME": folder}
    said = call(plain(["list"]), env=home)
    assert said.returncode == 4
    assert f"cannot write the database {folder}" in said.stderr
    assert "SCOUT_DATABASE_URL" in said.stderr


def test_no_home_at_all(call, env, tmp_path):
    """Without HOME the user's entry decides, or an explicit database; help needs neither."""
    bare = {key: value for key, value in env.items() if key not in ("HOME", "XDG_DATA_HOME")}
    assert call(plain(["--help"]), env=bare).returncode == 0
    url = f"sqlite:///{tmp_path}/my.db"
    said = call(plain(["list"]), env={**bare, "SCOUT_DATABASE_URL": url})
    assert said.returncode == 0, said.stderr
    assert (tmp_path / "my.db").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/null", "/"])
def test_a_database_that_is_none(call, target):
    """Another file is not touched."""
    before = Path("/etc/passwd").read_bytes()
    said = call(plain(["--database", f"sqlite:///{target}", "list"]))
    assert said.returncode in (2, 4)
    assert len(said.stderr.splitlines()) == 2
    assert Path("/etc/passwd").read_bytes() == before


def test_a_file_with_a_secret_for_all_eyes(call, tmp_path):
    """The command that mends it is in the error."""
    file = tmp_path / "scouts.toml"
    file.write_text('[settings]\nollama_api_key = "abc123"\n')
    file.chmod(0o644)
    said = call(plain(["list"]))
    assert said.returncode == 2
    assert said.stderr.splitlines()[1] == "  chmod 600 scouts.toml"
    assert "abc123" not in said.stderr


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_and_is_marked_failed(env, tmp_path, call, kind):
    """Exit 130, two lines, and the history says that it failed."""
    call(command("add", SLOW, "--title", "Slow", "--query", "never"))
    child = subprocess.Popen(
        command("run", "Slow"),
        env=env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    seen = read_until(child.stderr.fileno(), b"Search: never")
    assert b"Search: never" in seen
    began = time.monotonic()
    child.send_signal(kind)
    out, err = child.communicate(timeout=30)
    assert time.monotonic() - began < 15
    assert (child.returncode, out) == (130, b"")
    assert err.decode().endswith("scout: error: interrupted\n  run it again\n")
    history = call(command("history", "Slow", "--json")).stdout
    assert '"status":"failed"' in history
    assert '"status":"running"' not in history


def test_two_runs_at_once(env, tmp_path, call):
    """The second is told that the first is at work."""
    call(command("add", SLOW, "--title", "Slow", "--query", "never"))
    first = subprocess.Popen(
        command("run", "Slow"),
        env=env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert first.stderr is not None
    assert b"Search: never" in read_until(first.stderr.fileno(), b"Search: never")
    second = call(command("run", "Slow"))
    first.terminate()
    first.communicate(timeout=30)
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 2
    assert "scout: error: " in second.stderr


def test_a_person_sees_progress_and_a_table(env, tmp_path, call):
    """On a terminal there are steps, colours and a table to its width; escapes of others none."""
    call(command("add", GOAL, "--title", HOSTILE + " with a long tail" * 5))
    code, seen = on_terminal(command("run", "evil"), env, tmp_path)
    assert code == 0
    assert "tokens: " in seen
    assert "14 May 2026" in seen
    assert "\x1b]0;" not in seen
    assert not set("\u202e\u200b\U000e0041\x07") & set(seen)
    code, seen = on_terminal(command("list"), env, tmp_path, width=70)
    rows = ANSI.sub("", seen).splitlines()
    assert code == 0
    assert max(map(len, rows)) <= 70
    assert len(rows) > 2
    assert "\x1b]" not in seen


def test_no_color_means_no_colour(env, tmp_path, call):
    """NO_COLOR keeps the table and drops the colours; a pipe has neither escapes nor cuts."""
    call(command("add", GOAL, "--title", "Ferry"))
    code, seen = on_terminal(command("history"), {**env, "NO_COLOR": "1"}, tmp_path)
    assert (code, re.findall(r"\x1b\[[0-9;]*[34][0-7]m", seen)) == (0, [])
    for words in (["run", "Ferry"], ["list"], ["show", "Ferry"], ["history"], ["doctor"]):
        said = call(command(*words), env={**env, "FORCE_COLOR": "1"})
        assert "\x1b" not in said.stdout + said.stderr


def test_ctrl_c_on_a_terminal(env, tmp_path, call):
    """The moving display is taken away, and one line says what happened."""
    call(command("add", SLOW, "--title", "Slow", "--query", "never"))
    code, seen = on_terminal(command("run", "Slow"), env, tmp_path, after="Read: ")
    assert code == 130
    assert "scout: error: interrupted" in seen
    assert "Traceback" not in seen
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l")


def test_nothing_secret_stands_in_the_process_list(env, tmp_path, call):
    """A password in the environment is not copied to a command line."""
    secret = {**env, "OLLAMA_API_KEY": "canary-5f3a"}
    call(command("add", SLOW, "--title", "Slow", "--query", "never"))
    child = subprocess.Popen(
        command("run", "Slow"), env=secret, cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stderr is not None
    read_until(child.stderr.fileno(), b"Search: never")
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_bytes())
        except OSError:
            continue
    child.terminate()
    out, err = child.communicate(timeout=30)
    assert any(b"tests.cli.stage" in line for line in lines)
    assert not any(b"canary-5f3a" in line for line in lines)
    assert b"canary-5f3a" not in out + err
