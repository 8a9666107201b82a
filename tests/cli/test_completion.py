"""Tab, in real shells: what is put on the line is one word that means the scout."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from scout_cli.cli import COMMANDS, scout
from scout_cli.cli.completion import SCOUTS, candidates, read
from scout_cli.cli.names import ScoutName, offers
from scout_cli.store.names import Named, saved
from tests.cli.stage import add, call

ROOT = Path(__file__).parents[2]
TITLES = [
    "Hollen ferry",
    "Hollow men",
    "It's Bob's \"big\" news",
    "Price in $ & more: now, soon",
    "Zürich: Bäume",
    "tick`tock\\!",
    "Same",
    "same",
    "-dash",
]

SHIM = """#!/bin/sh
if [ "$1" = completion ]; then PYTHONPATH={root} exec {python} -m scout_cli "$@"; fi
printf 'GOT'; printf '<%s>' "$@"; printf 'END\\n'
"""


@pytest.fixture
def titles() -> list[str]:
    """Save a scout under each title."""
    for title in TITLES:
        add("--title", title, "--query", "x")
    return TITLES


START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(scout completion bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit; compinit -u -D; eval "$(scout completion zsh)"',
    ),
    "fish": (["fish", "--no-config", "-i"], "scout completion fish | source"),
}


class Shell:
    """A shell on a terminal of its own, in which `scout` prints the words it was given."""

    def __init__(self, name: str, home: Path) -> None:
        argv, setup = START[name]
        shim = home / "bin" / "scout"
        shim.parent.mkdir(exist_ok=True)
        shim.write_text(SHIM.format(root=shlex.quote(str(ROOT)), python=sys.executable))
        shim.chmod(0o755)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            path = f"{shim.parent}:{os.environ['PATH']}"
            more = {"PATH": path, "TERM": "xterm", "PS1": "READY> ", "LC_ALL": "C.UTF-8"}
            os.chdir(home)
            os.execvpe(argv[0], argv, {**os.environ, **more})
        self.type(f"{setup}; scout rea''dy\n")
        self.until("GOT<ready>END")

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.terminal, text.encode())

    def until(self, wanted: str, seconds: float = 30) -> str:
        """Read the screen until `wanted` is on it."""
        seen, end = b"", time.monotonic() + seconds
        while wanted.encode() not in seen:
            left = end - time.monotonic()
            assert left > 0, seen.decode(errors="replace")
            if select.select([self.terminal], [], [], left)[0]:
                seen += os.read(self.terminal, 65_536)
        return seen.decode(errors="replace")

    def words(self, line: str) -> list[str]:
        """Type `line`, Tab and Enter; return the words that the command was given."""
        self.type(f"{line}\t\n")
        return self.until("END").rpartition("GOT")[2][1:].partition(">END")[0].split("><")

    def close(self) -> None:
        """Hang up."""
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


@pytest.fixture(params=list(START))
def shell(request, tmp_path, titles):
    """Start each shell that this machine has."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    started = Shell(request.param, tmp_path)
    yield started
    started.close()


def test_titles_complete_in_a_real_shell(shell):
    """However a person began to quote, Tab gives the command the whole title as one word."""
    for typed, title in (
        ("scout show Holle", "Hollen ferry"),
        ("scout show 'Holle", "Hollen ferry"),
        ('scout show "Holle', "Hollen ferry"),
        ("scout show Hollen\\ fe", "Hollen ferry"),
        ("scout show It", TITLES[2]),
        ("scout show 'It", TITLES[2]),
        ('scout show "It', TITLES[2]),
        ("scout show Pri", TITLES[3]),
        ('scout show "Price in \\$', TITLES[3]),
        ("scout show Zürich:\\ B", "Zürich: Bäume"),
        ("scout show tick", "tick`tock\\!"),
    ):
        assert shell.words(typed) == ["show", title], typed


def test_commands_options_and_several_scouts_complete_in_a_real_shell(shell):
    """Tab knows what stands where: a command, an option, its value, the next scout."""
    for typed, words in (
        ("scout hist", ["history"]),
        ("scout show --js", ["show", "--json"]),
        ("scout findings --scout Zü", ["findings", "--scout", "Zürich: Bäume"]),
        ("scout run 'Hollen ferry' Hollow", ["run", "Hollen ferry", "Hollow men"]),
    ):
        assert shell.words(typed) == words, typed


def test_files_complete_where_a_file_is_meant(shell, tmp_path):
    """`--config` takes a path, and the shell completes it."""
    (tmp_path / "my-scouts.toml").touch()
    assert shell.words("scout --config my-sc") == ["--config", "my-scouts.toml"]


def words(*before: str, of: str = "") -> list[str]:
    """Return what Tab offers after complete words."""
    return [item.value for item in candidates(scout, list(before), of)]


def test_a_title_that_names_no_single_scout_is_offered_as_an_id(titles):
    """Two scouts of one title, and one that begins with a dash, are reached by their ids."""
    found = words("show")
    ids = [word for word in found if len(word) == 8 and word not in TITLES]
    assert sorted(set(found) - set(ids)) == sorted(TITLES[:6])
    assert len(ids) == 3
    assert words("show", of=ids[0][:5]) == [ids[0]]


def test_a_title_in_another_spelling_is_found(titles):
    """Capital letters do not matter to `scout show`, nor to Tab."""
    assert words("show", of="hollen") == ["Hollen ferry"]
    assert words("show", of="nothing like it") == []


def test_what_a_terminal_must_not_show_is_never_offered():
    """A title with control characters is offered as an id, with a clean explanation."""
    scouts = [Named("1a2b3c4d-0000", "evil\x1b]0;owned\x07 title", "daily", active=True)]
    assert offers(scouts, "") == [("1a2b3c4d", "evil title, daily")]


def test_looking_creates_nothing(isolated):
    """Tab without a database offers nothing and leaves no file."""
    assert words("show") == []
    assert [path for path in isolated.rglob("*") if path.is_file()] == []
    folder = isolated / "data" / "scout"
    add("--title", "Hollen ferry", "--query", "x")
    before = sorted(folder.iterdir())
    assert words("show") == ["Hollen ferry"]
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    "url", ["sqlite:///{home}/none.db", "sqlite:///{home}", "mysql://h/d", "postgresql://[", "x"]
)
def test_a_database_that_cannot_be_read_has_no_names(isolated, url):
    """Tab never fails, and a file that is no database stays as it is."""
    assert saved(url.format(home=isolated)) == []


def test_a_locked_database_does_not_hold_the_shell(isolated):
    """Tab waits at most a moment."""
    add("--title", "Hollen ferry", "--query", "x")
    path = isolated / "data" / "scout" / "scout.db"
    with sqlite3.connect(path, isolation_level=None) as holder:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        saved(f"sqlite:///{path}")
        assert time.monotonic() - began < 3


def test_names_from_postgresql(postgres, monkeypatch):
    """A server's scouts complete too; a server that is away costs a bounded time."""
    monkeypatch.setenv("SCOUT_DATABASE_URL", postgres.url(postgres.create()))
    assert call("init-db").code == 0
    add("--title", "Hollen ferry", "--query", "x")
    with monkeypatch.context() as patience:
        patience.setattr("scout_cli.store.names._WAIT_SECONDS", 10.0)
        assert words("show", of="Ho") == ["Hollen ferry"]
    began = time.monotonic()
    assert saved("postgresql://nobody@127.0.0.1:9/none") == []
    assert saved("postgresql://nobody@192.0.2.1/none") == []
    assert time.monotonic() - began < 10


def test_the_settings_of_the_line_are_honoured(isolated, tmp_path):
    """`scout --database URL show <Tab>` offers that database's scouts."""
    url = f"sqlite:///{tmp_path}/other.db"
    assert (
        call("--database", url, "add", "ferry news", "--title", "Other", "--query", "x").code == 0
    )
    assert words("show") == []
    assert words("--database", url, "show") == ["Other"]
    assert words("--config", "/nowhere.toml", "show") == []


def test_the_table_of_commands_that_take_a_scout_is_right():
    """What Tab assumes without importing a command is what the command declares."""
    context, found = click.Context(scout), {}
    for name in COMMANDS:
        command = scout.get_command(context, name)
        assert command is not None
        for param in command.params:
            if isinstance(param, click.Argument) and "SCOUT" in (param.metavar or ""):
                found[name] = param.nargs == -1
                assert isinstance(param.type, ScoutName), name
            if "--scout" in param.opts:
                assert isinstance(param.type, ScoutName), name
    assert found == SCOUTS


def test_names_are_there_before_anything_heavy():
    """Tab on a name imports no command, no event loop, no driver."""
    code = (
        "import sys\n"
        "from scout_cli.cli import scout\n"
        "try:\n"
        "    scout.main(['completion', 'bash', '--line=scout show Ho', '--word=Ho'])\n"
        "finally:\n"
        "    print(*sys.modules, file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"asyncio", "aiosqlite", "asyncpg", "rich", "scout_cli.app", "scout_cli.cli.show"}
    assert "scout_cli.store.names" in ran.stderr.split()
    assert heavy & set(ran.stderr.split()) == set()


@pytest.mark.parametrize(
    ("line", "words", "current", "quote"),
    [
        ("scout show ", ["scout", "show"], "", ""),
        ("scout sh", ["scout"], "sh", ""),
        ("scout 'a b' c\\ d", ["scout", "a b"], "c d", ""),
        ("scout \"a 'b", ["scout"], "a 'b", '"'),
        ("scout 'a\"b", ["scout"], 'a"b', "'"),
        ('scout "a\\$b\\c', ["scout"], "a$b\\c", '"'),
        ('scout a"b c"d ', ["scout", "ab cd"], "", ""),
        ("scout '' x", ["scout", ""], "x", ""),
        ("scout a\\", ["scout"], "a", ""),
    ],
)
def test_a_line_is_read_as_a_shell_reads_it(line, words, current, quote):
    """Quotes and backslashes follow the rules of POSIX, also when the line breaks off."""
    assert read(line) == (words, current, quote)
